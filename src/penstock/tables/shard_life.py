"""Shard life: rolls the shards that are old enough, and splits those under sustained load.

A shard is split when it took in the set number of changes a second, or more, for the set time on
end: on this node, or on all that share the store. Where nearly all of them fell to one half of it,
as those of a single item do, a split would not help, and it stays whole.

Facts: AWS, 2026-10: shards roll about every 4 hours, and split with the partitions of their table.
"""

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from penstock.base import limits
from penstock.base.errors.api import ApiError
from penstock.storage.waist import stamp_ms
from penstock.streams.stream import Shard, ShardNumber, record_log
from penstock.tables.all_tables import all_tables
from penstock.tables.descriptor import Descriptor, OpenStream, Table
from penstock.tables.lineage import Plan, replace_shards
from penstock.tables.load import NONE, Halves
from penstock.tables.shared_load import SharedLoad, Taken
from penstock.tables.tables import Tables


@dataclass(frozen=True, slots=True)
class Pace:
    """When shards are succeeded: a time or rate of 0 is never."""

    roll_ms: int
    split_writes_per_second: int
    split_ms: int


@dataclass(slots=True)
class _Streak:
    """For how long a shard has been under load, and what fell to its halves."""

    ms: float = 0.0
    halves: Halves = NONE

    def add(self, ms: float, halves: Halves) -> None:
        self.ms += ms
        self.halves = self.halves.plus(halves)

    @property
    def is_even(self) -> bool:
        """Whether both halves are worth a shard."""
        return min(self.halves) / self.halves.total >= limits.shard_load_share_min


class ShardLife:
    """The job that rolls and splits the shards of all tables.

    With `shared` it judges the load of all nodes, and otherwise that of this process.
    """

    def __init__(self, tables: Tables, pace: Pace, shared: SharedLoad | None = None) -> None:
        self._tables = tables
        self._pace = pace
        self._shared = shared
        self._measured_ms = tables.clock.elapsed_ms()
        self._streaks: dict[bytes, _Streak] = {}
        self._due_ms: dict[tuple[int, tuple[ShardNumber, ...]], int] = {}

    async def run(self) -> None:
        """Roll and split what is due."""
        hot = await self._hot_logs()
        due_ms, self._due_ms = self._due_ms, {}
        async for descriptor in all_tables(self._tables.engine):
            stream = descriptor.stream
            if stream is None:
                continue
            key = (stream.number, tuple(stream.shards))
            hot_here = hot.intersection(_logs(stream))
            if hot_here or due_ms.get(key, 0) <= self._tables.clock.now_ms():
                await self._replace(descriptor, hot_here)
            elif key in due_ms:
                self._due_ms[key] = due_ms[key]

    async def _replace(self, descriptor: Descriptor, hot: set[bytes]) -> None:
        """Roll and split what is due of one table, and note when the next is."""

        def choose(table: Table, shards: Sequence[Shard]) -> Plan:
            return self._plan(table, shards, hot)

        with contextlib.suppress(ApiError):  # the table is gone, or has no stream any more
            await replace_shards(self._tables, descriptor.region, descriptor.name, choose)

    def _plan(self, table: Table, shards: Sequence[Shard], hot: set[bytes]) -> Plan:
        """Return what is due of `table` now; note when its next shard rolls."""
        stream = table.descriptor.stream
        if stream is None:
            return {}
        now_ms = self._tables.clock.now_ms()
        started_ms = {shard.number: stamp_ms(shard.start) for shard in shards}
        room = limits.shards_per_table_max - len(stream.shards)
        plan: dict[int, int] = {}
        for place, number in enumerate(stream.shards):
            low, high = table.descriptor.range_of(place)
            if record_log(stream.number, number) in hot and room > 0 and high - low > 1:
                plan[place] = 2
                room -= 1
            elif self._pace.roll_ms and now_ms - started_ms[number] >= self._pace.roll_ms:
                plan[place] = 1
        if not plan:
            self._due_ms[stream.number, tuple(stream.shards)] = self._next_ms(
                started_ms[number] for number in stream.shards
            )
        return plan

    def _next_ms(self, started_ms: Iterable[int]) -> int:
        """Return when the first of the shards that were opened at these times is to be rolled."""
        never = 1 << 63
        return min(started_ms) + self._pace.roll_ms if self._pace.roll_ms else never

    async def _hot_logs(self) -> set[bytes]:
        """Take in what was written since the last time; return the logs of the shards to split."""
        taken = await self._taken()
        if not taken.ms:
            return set()
        streaks, self._streaks = self._streaks, {}
        least = self._pace.split_writes_per_second * taken.ms / 1000
        hot = set()
        for log, halves in taken.halves.items():
            if not least or halves.total < least:
                continue
            streak = streaks.get(log, _Streak())
            streak.add(taken.ms, halves)
            if streak.ms < self._pace.split_ms:
                self._streaks[log] = streak
            elif streak.is_even:
                hot.add(log)
        return hot

    async def _taken(self) -> Taken:
        """Return what was written since the last time; of no time where that was just now."""
        now_ms = self._tables.clock.elapsed_ms()
        passed_ms = now_ms - self._measured_ms
        if passed_ms < limits.shard_load_ms_min:
            return Taken(0.0, {})
        self._measured_ms = now_ms
        if self._shared is not None:
            return await self._shared.take()
        return Taken(passed_ms, self._tables.load.take())


def _logs(stream: OpenStream) -> set[bytes]:
    return {record_log(stream.number, number) for number in stream.shards}
