"""Shared load: what all nodes over a store have counted of the load of shards.

Each node adds what it has counted, and over what time, to a row of its own. Whoever judges the load
takes the rows of all. As each node tells its own time, it does not matter how often one was heard
of meanwhile, and no node's clock is compared with another's.
"""

from typing import NamedTuple

import msgspec

from penstock.base import limits
from penstock.base.clock import Clock
from penstock.storage.format import pack, unpack
from penstock.storage.prefixes import Prefix
from penstock.storage.waist import Engine, Lock, Span, Transaction
from penstock.tables.load import NONE, Halves, Load

_ROWS = Span.of_prefix(Prefix.SHARD_LOAD.key)
_LOCK = Lock(b"shard load", (_ROWS,))
_NODE_BYTES = 16


class _Counted(msgspec.Struct, frozen=True):
    """What a node has counted: over how many milliseconds, and by log what fell to its halves."""

    ms: float
    halves: dict[str, Halves]


class Taken(NamedTuple):
    """The load of so many milliseconds, by the logs of the shards."""

    ms: float
    halves: dict[bytes, Halves]


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Counted).decode


class SharedLoad:
    """One node's part of the load of all: `node` is its number, of 128 bits."""

    def __init__(self, engine: Engine, clock: Clock, load: Load, node: int) -> None:
        self._engine = engine
        self._clock = clock
        self._load = load
        self._key = Prefix.SHARD_LOAD.key + node.to_bytes(_NODE_BYTES, "big")
        self._measured_ms = clock.elapsed_ms()
        self._has_told = False

    async def share(self) -> None:
        """Add what this node has counted since the last time: a job of every node.

        A node without load writes nothing, but once that there is none any more. What cannot be
        stored is forgotten: as long as the store takes nothing, there is no load.
        """
        now_ms = self._clock.elapsed_ms()
        passed_ms = now_ms - self._measured_ms
        if passed_ms < limits.shard_load_ms_min:
            return
        self._measured_ms = now_ms
        counts = self._load.take()
        if not counts and not self._has_told:
            return
        self._has_told = bool(counts)
        mine = _Counted(passed_ms, {log.hex(): halves for log, halves in counts.items()})

        def work(txn: Transaction) -> None:
            stored = txn.get(self._key)
            told = mine if stored is None else _sum(_decode(unpack(stored)), mine)
            txn.set(self._key, pack(_encode(told)))

        await self._engine.transact(work, locks=(_LOCK,), reads=(self._key,))

    async def take(self) -> Taken:
        """Take what all nodes have told; the load of a node that told less time is scaled."""

        def work(txn: Transaction) -> list[bytes]:
            rows = txn.scan(_ROWS, limits.load_nodes_max)
            for key, _ in rows:
                txn.set(key, None)
            return [stored for _, stored in rows]

        rows = await self._engine.transact(work, locks=(_LOCK,))
        told = [_decode(unpack(stored)) for stored in rows]
        ms = max((each.ms for each in told), default=0.0)
        found: dict[bytes, Halves] = {}
        for each in told:
            for name, halves in each.halves.items():
                log = bytes.fromhex(name)
                found[log] = found.get(log, NONE).plus(halves, ms / each.ms)
        return Taken(ms, found)


def _sum(before: _Counted, more: _Counted) -> _Counted:
    halves = dict(before.halves)
    for log, each in more.halves.items():
        halves[log] = halves.get(log, NONE).plus(each)
    return _Counted(before.ms + more.ms, halves)
