"""The tables that the engine on PostgreSQL keeps its rows in: made, upgraded and checked at start.

They are in the first schema of the connection's search path. A row says which version they have,
and which release may still use them; whoever upgrades holds that row.
"""

import logging
from collections.abc import Sequence
from typing import NamedTuple

from penstock.base import limits
from penstock.base.errors.engine import EngineError, StoreIncompatible
from penstock.storage.postgres_connection import Connection
from penstock.storage.postgres_statements import NO_TIME_LIMIT

log = logging.getLogger(__name__)

VERSION = 1
"""The version of the tables that this release makes and knows."""

_FIRST = """
CREATE TABLE penstock_kv (k bytea NOT NULL PRIMARY KEY, v bytea NOT NULL);
CREATE TABLE penstock_long
    (digest bytea NOT NULL PRIMARY KEY, head bytea NOT NULL, k bytea NOT NULL, v bytea NOT NULL);
CREATE INDEX penstock_long_head ON penstock_long (head);
CREATE TABLE penstock_node (id bytea NOT NULL PRIMARY KEY, until timestamptz NOT NULL);
CREATE TABLE penstock_hold (id bytea NOT NULL PRIMARY KEY, until timestamptz NOT NULL);
CREATE TABLE penstock_lock (slot int4 NOT NULL PRIMARY KEY);
INSERT INTO penstock_lock (slot) SELECT * FROM generate_series(0, 4095);
"""

STEPS = (_FIRST,)
"""What makes each version of the one before it; there was nothing at 0."""

_MAKE = """
CREATE TABLE IF NOT EXISTS penstock_schema
    (id int8 NOT NULL PRIMARY KEY, version int8 NOT NULL, oldest int8 NOT NULL);
INSERT INTO penstock_schema (id, version, oldest) VALUES (1, 0, 0) ON CONFLICT (id) DO NOTHING;
"""
_READ = "SELECT version, oldest FROM penstock_schema WHERE id = 1"
_RAISE = f"UPDATE penstock_schema SET version = {VERSION}, oldest = {VERSION} WHERE id = 1"  # noqa: S608 - a number of ours
_ATTEMPTS = 5


class Schema(NamedTuple):
    """What the tables say of themselves."""

    version: int
    oldest: int


def prepare_schema(connection: Connection) -> None:
    """Make the tables or bring them up to this release; blocks.

    `connection` has prepared nothing yet. Raises StoreIncompatible where they are of a newer
    release that lets this one not use them, and EngineError where the database refuses.
    """
    for attempt in range(_ATTEMPTS):
        try:
            found = _read(connection) or _made(connection)
            break
        except EngineError:  # two nodes that make the first table at once: one of them fails
            if attempt == _ATTEMPTS - 1:
                raise
    check_schema(found)
    if found.version < VERSION:
        _upgrade(connection)


def check_schema(found: Schema) -> None:
    """Raise StoreIncompatible where this release may not use tables of that version."""
    if found.oldest > VERSION:
        raise StoreIncompatible(
            f"the tables are of version {found.version}, which releases from version"
            f" {found.oldest} on may use; this release has version {VERSION}: upgrade it"
        )


def _read(connection: Connection) -> Schema | None:
    """Return what the tables say of themselves, None where there are none."""
    try:
        return _schema(connection, [_READ])
    except StoreIncompatible:  # what is missing
        return None


def _made(connection: Connection) -> Schema:
    for statement in _statements(_MAKE):
        connection.block(connection.send_text([statement])).checked()
    found = _schema(connection, [_READ])
    assert found is not None  # the row was made just now, and is never deleted
    return found


def _upgrade(connection: Connection) -> None:
    """Take the steps that are missing, in one transaction that holds the row of the version."""
    found = _schema(connection, ["BEGIN ISOLATION LEVEL READ COMMITTED", f"{_READ} FOR UPDATE"])
    assert found is not None  # `_made`
    check_schema(found)  # a newer release may have been faster
    statements = [each for step in STEPS[found.version :] for each in _statements(step)]
    if statements:  # else another node was faster
        statements = [NO_TIME_LIMIT, *statements, _RAISE]
    reply = connection.send_text([*statements, "COMMIT"], limits.postgres_clear_seconds_max)
    connection.block(reply, limits.postgres_clear_seconds_max).checked()
    if statements:
        log.info("The tables were made", extra={"version": VERSION, "from": found.version})


def _schema(connection: Connection, statements: Sequence[str]) -> Schema | None:
    results = connection.block(connection.send_text(statements)).checked()
    last = results[-1]
    if not last.ntuples:
        return None
    version, oldest = (int.from_bytes(last.get_value(0, at) or b"", "big") for at in (0, 1))
    return Schema(version, oldest)


def _statements(step: str) -> list[str]:
    return [statement.strip() for statement in step.split(";") if statement.strip()]
