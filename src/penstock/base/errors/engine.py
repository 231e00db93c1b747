"""Errors of a storage engine, sorted by what to do next.

An engine's file turns its driver's exceptions into these; nothing above it sees a driver's own.
"""


class EngineError(Exception):
    """The engine could not do what was asked. Nothing of the transaction was acknowledged."""


class TransactionConflict(EngineError):
    """Another transaction got in the way: run the whole transaction again, inside."""


class EngineUnavailable(EngineError):
    """The engine cannot answer now: tell the client to try again."""


class EngineFull(EngineError):
    """There is no room to write: tell the client, go on reading, recover when room is back."""


class StoreLocked(EngineError):
    """Another process holds this store."""


class StoreCorrupt(EngineError):
    """The bytes of the store are not what was written: stop, and change nothing."""


class StoreIncompatible(EngineError):
    """The store was written by another version or with other settings: stop, and change nothing."""
