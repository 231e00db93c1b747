"""What PostgreSQL's errors mean, by their SQLSTATE.

Facts: PostgreSQL 18 manual, appendix A, 2026-11; CockroachDB and YugabyteDB give the same codes for
what is to be tried again.
"""

from penstock.base.errors.engine import (
    EngineError,
    EngineFull,
    EngineUnavailable,
    StoreCorrupt,
    StoreIncompatible,
    TransactionConflict,
)

_CONFLICTS = {"40001", "40P01"}
"""Serialisation failure and deadlock: nothing happened, and the same may succeed now."""
_FULL = {"53100"}
_CORRUPT = {"XX001", "XX002"}
_FOREIGN = {"42P01", "42703", "42501", "3F000"}
"""A table, column or right that is missing: the schema is not the one that was opened."""
_UNAVAILABLE = {"25006", "25P02", "25P03", "25P04", "55P03", "57014"}
_UNAVAILABLE_CLASSES = {"08", "53", "57", "58", "28"}


def engine_error(state: str, message: str) -> EngineError:
    """Return the error that `state`, an SQLSTATE, stands for."""
    text = f"PostgreSQL says: {one_line(message)} ({state or 'no code'})"
    if state in _CONFLICTS:
        return TransactionConflict(text)
    if state in _FULL:
        return EngineFull(text)
    if state in _CORRUPT:
        return StoreCorrupt(text)
    if state in _FOREIGN:
        return StoreIncompatible(text)
    if state in _UNAVAILABLE or state[:2] in _UNAVAILABLE_CLASSES:
        return EngineUnavailable(text)
    return EngineError(text)


def why(error: BaseException) -> str:
    """Return what a driver's error says, in one line."""
    return one_line(str(error)) or type(error).__name__


def one_line(message: str) -> str:
    """Return the first line of what the server says: what follows is detail."""
    lines = [line.strip() for line in message.strip().splitlines() if line.strip()]
    return lines[0].removeprefix("FATAL:").removeprefix("ERROR:").strip() if lines else ""
