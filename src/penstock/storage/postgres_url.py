"""The URL of a PostgreSQL database: whether libpq can read it, and what may be told of it.

It may hold a password, and so may what libpq says of a URL that it cannot read: none of that is
told, in any line, log or page.
"""

import re
from typing import NamedTuple

from psycopg import ProgrammingError, pq
from psycopg.conninfo import conninfo_to_dict


class BadUrl(ValueError):
    """A URL that libpq cannot read; the text says why, and holds nothing of it."""


class Place(NamedTuple):
    """Where a database is, in words that may be shown."""

    database: str
    host: str


def place_of(url: str) -> Place:
    """Return the place that `url` names, by itself or with libpq's environment; BadUrl for none."""
    try:
        given = conninfo_to_dict(url)
    except ProgrammingError as error:
        raise BadUrl(_told(str(error))) from None
    except UnicodeError:
        raise BadUrl("it is not text in UTF-8") from None
    _check(str(given.get("host") or ""), str(given.get("port") or ""))
    if "@" in str(given.get("dbname") or ""):
        raise BadUrl("it has an @ in its database; in a password a / is written as %2F")
    told = _defaults() | {name: str(value) for name, value in given.items() if value is not None}
    service = told.get("service")
    named = None if service is None else f"service {service}"
    host = told.get("host") or told.get("hostaddr") or named or "this machine"
    database = told.get("dbname") or named or told.get("user") or "the user's database"
    return Place(database, ", ".join(host.split(",")))


def _check(host: str, port: str) -> None:
    """Raise BadUrl where signs of a password, not escaped, have made a host or a port of it."""
    if "@" in host:
        raise BadUrl("it has an @ in its host; in a password that is written as %40")
    if not re.fullmatch("[0-9,]*", port):
        raise BadUrl("its port is no number; in a password a / is written as %2F")


def _defaults() -> dict[str, str]:
    options = pq.Conninfo.get_defaults()
    return {
        option.keyword.decode(): option.val.decode(errors="replace")
        for option in options
        if option.val
    }


def _told(text: str) -> str:
    """Return what libpq says up to what it quotes, which is the URL or a piece of it."""
    return text.partition('"')[0].strip().rstrip(":").removesuffix(" in")
