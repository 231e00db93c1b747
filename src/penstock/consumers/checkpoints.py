"""Checkpoints: how far a mapping has come in each shard, and what came of its last batch.

They are rows of the store, a mapping's under one lock. Where several nodes share the store, each
write also reads the lease of the mapping and is refused where another node has it: so a node that
was stopped, and lost it, moves no checkpoint.
"""

from collections.abc import Callable, Sequence

import msgspec

from penstock.base import limits
from penstock.functions.mapping import result_key
from penstock.storage.format import pack, unpack
from penstock.storage.prefixes import Prefix
from penstock.storage.waist import Engine, Lock, Reader, Span, Transaction


class LeaseLost(Exception):
    """Another node runs the mapping now."""


class WindowState(msgspec.Struct, frozen=True):
    """A tumbling window that is open: its start in epoch milliseconds, and the function's state.

    `is_over` says that its state has grown too large, so that it ends before its time.
    """

    start_ms: int
    state: msgspec.Raw
    is_over: bool = False


class Checkpoint(msgspec.Struct, frozen=True):
    """How far a mapping has come in a shard; no position where the shard is finished."""

    position: str | None
    window: WindowState | None = None


class Fence:
    """What each write of a checkpoint makes sure of; where one node has the store, nothing."""

    def __init__(
        self,
        locks: Sequence[Lock] = (),
        reads: Sequence[bytes] = (),
        check: Callable[[Transaction], bool] | None = None,
    ) -> None:
        self.locks = tuple(locks)
        self.reads = tuple(reads)
        self._check = check

    def pass_or_raise(self, txn: Transaction) -> None:
        """Raise LeaseLost where the mapping is another node's."""
        if self._check is not None and not self._check(txn):
            raise LeaseLost


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Checkpoint).decode


class Checkpoints:
    """The checkpoints of one mapping, written by the node that runs it."""

    def __init__(self, engine: Engine, mapping_id: bytes, fence: Fence) -> None:
        self._engine = engine
        self._id = mapping_id
        self._fence = fence
        self._stored_result: str | None = None

    def load(self) -> dict[str, Checkpoint]:
        """Return the checkpoints by shard id."""
        return self._engine.snapshot(lambda reader: load_checkpoints(reader, self._id))

    async def save(self, shard_id: str, checkpoint: Checkpoint, result: str | None) -> None:
        """Store a checkpoint and, where there is one and it is new, the last batch's result."""
        key = _key(self._id, shard_id)
        changed = result if result != self._stored_result else None

        def work(txn: Transaction) -> None:
            self._fence.pass_or_raise(txn)
            txn.set(key, pack(_encode(checkpoint)))
            if changed is not None:
                txn.set(result_key(self._id), pack(changed.encode()))

        await self._transact(work)
        if changed is not None:
            self._stored_result = changed

    async def save_result(self, result: str) -> None:
        """Store what came of a mapping that has not come so far as to read anything."""

        def work(txn: Transaction) -> None:
            self._fence.pass_or_raise(txn)
            txn.set(result_key(self._id), pack(result.encode()))

        await self._transact(work)
        self._stored_result = result

    async def forget(self, shard_ids: Sequence[str]) -> None:
        """Take away the checkpoints of shards that are no more."""

        def work(txn: Transaction) -> None:
            self._fence.pass_or_raise(txn)
            for shard_id in shard_ids:
                txn.set(_key(self._id, shard_id), None)

        await self._transact(work)

    async def _transact(self, work: Callable[[Transaction], None]) -> None:
        locks = [*self._fence.locks, checkpoints_lock(self._id)]
        await self._engine.transact(work, locks=locks, reads=self._fence.reads)


def load_checkpoints(reader: Reader, mapping_id: bytes) -> dict[str, Checkpoint]:
    """Return the checkpoints of a mapping by shard id."""
    prefix = Prefix.CHECKPOINT.key + mapping_id
    span, found = Span.of_prefix(prefix), {}
    while rows := reader.scan(span, limits.scan_rows_max):
        for key, stored in rows:
            found[key[len(prefix) :].decode()] = _decode(unpack(stored))
        span = Span(rows[-1][0] + b"\0", span.end)
    return found


def forget_all(txn: Transaction, mapping_id: bytes) -> None:
    """Take away what a mapping has stored beside itself; needs `checkpoints_lock`."""
    txn.clear(Span.of_prefix(Prefix.CHECKPOINT.key + mapping_id))
    txn.set(result_key(mapping_id), None)


def checkpoints_lock(mapping_id: bytes) -> Lock:
    """Return the lock on the checkpoints and the last result of a mapping."""
    covers = (
        Span.of_prefix(Prefix.CHECKPOINT.key + mapping_id),
        Span.of_key(result_key(mapping_id)),
    )
    return Lock(b"checkpoints/" + mapping_id, covers)


def _key(mapping_id: bytes, shard_id: str) -> bytes:
    return Prefix.CHECKPOINT.key + mapping_id + shard_id.encode()
