"""Schemas of a PostgreSQL server's database, each a world of its own, dropped in the end."""

import uuid
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import psycopg
from psycopg import sql

CONNECT_SECONDS_MAX = 20
LOCK_MILLISECONDS_MAX = 20_000


class Schemas:
    """Makes schemas in the database of a URL; as a context it drops them in the end."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._made: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._connection() as connection:
            connection.execute(f"SET lock_timeout = {LOCK_MILLISECONDS_MAX:d}")
            for schema in self._made:
                name = sql.Identifier(schema)
                connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(name))

    def new_url(self) -> str:
        """Make a schema that nobody has had, and return its URL."""
        schema = f"test_{uuid.uuid4().hex[:16]}"
        with self._connection() as connection:
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
        self._made.append(schema)
        return self.url_of(schema)

    def url_of(self, schema: str) -> str:
        """Return the URL of a schema: a connection finds and makes its tables there."""
        parts = urlsplit(self._url)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        query["options"] = f"{query.get('options', '')} -csearch_path={schema}".strip()
        return parts._replace(query=urlencode(query, quote_via=quote)).geturl()

    def _connection(self) -> psycopg.Connection:
        return psycopg.connect(self._url, autocommit=True, connect_timeout=CONNECT_SECONDS_MAX)
