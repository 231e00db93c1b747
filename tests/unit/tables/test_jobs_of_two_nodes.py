"""Two nodes run the same job at the same moment: each finds what the other has done as done.

Leases keep that from happening all the time, and nothing else relies on them: a node that was
paused wakes up in the middle of a job that another has taken over.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import pytest

from penstock.base import limits
from penstock.base.ids import Entropy
from penstock.storage.memory import MemoryEngine
from penstock.storage.prefixes import Prefix
from penstock.storage.waist import Engine, Lock, Span, Transaction
from penstock.streams.stream import find_stream
from penstock.streams.trimming import Trimming
from penstock.tables.backfill import Backfill
from penstock.tables.catalog import delete_table, table_of, update_table, without_stream
from penstock.tables.expiration import Expiration
from penstock.tables.lineage import roll_shards
from penstock.tables.shard_life import Pace, ShardLife
from penstock.tables.tables import Tables
from penstock.tables.tokens import Token, remember, sweep_tokens, token_key, token_lock
from penstock.tables.transaction import transact
from penstock.tables.write import table_count
from penstock.testing.clock import FakeClock
from unit.tables.followers import (
    check_expiry,
    check_indexes,
    create_index,
    drop_indexes,
    in_status,
    put_item,
    rows_in,
    statuses,
    switch,
    table_in,
)
from unit.tables.tables_in_memory import (
    ACCOUNT,
    NAME,
    REGION,
    make_table,
    put,
    records_in,
    tables_over,
)
from unit.tables.test_lineage import open_ids, shards_in

T = TypeVar("T")
HOUR_MS = 3600_000
SAMPLE_MS = 10_000
AHEAD_MS = 3000
SEEDS = range(8)
Run = Callable[[Tables], Coroutine[Any, Any, object]]


class JitteryEngine:
    """The engine as one node reaches it: sooner or later, and so with its answers."""

    def __init__(self, engine: Engine, chance: random.Random) -> None:
        self._engine = engine
        self._chance = chance
        self.snapshots_wait = engine.snapshots_wait
        self.snapshot = engine.snapshot
        self.watch = engine.watch
        self.close = engine.close

    async def transact(
        self,
        work: Callable[[Transaction], T],
        *,
        locks: Sequence[Lock] = (),
        reads: Sequence[bytes] = (),
    ) -> T:
        await self._pass_by()
        result = await self._engine.transact(work, locks=locks, reads=reads)
        await self._pass_by()
        return result

    async def _pass_by(self) -> None:
        for _ in range(self._chance.randrange(12)):
            await asyncio.sleep(0)


class TwoNodes:
    """The table `abc` as two nodes have it, the second of which has a clock that is ahead."""

    def __init__(self, seed: int) -> None:
        self.clock, self.ahead = FakeClock(), FakeClock()
        self.ahead.set(self.clock.now_ms() + AHEAD_MS)
        engine = MemoryEngine(self.clock, rehearse=True)
        make_table(tables_over(engine, self.clock))
        self.nodes = [
            Tables(JitteryEngine(engine, random.Random(seed * 2 + n)), clock, Entropy(0), ACCOUNT)
            for n, clock in enumerate((self.clock, self.ahead))
        ]
        self.one = self.nodes[0]

    def advance(self, ms: int) -> None:
        """Let time pass for both."""
        self.clock.advance(ms)
        self.ahead.advance(ms)

    async def both(self, run: Run, times: int = 1) -> None:
        """Let both nodes do the same, so often; whatever they fail with is raised."""
        await asyncio.gather(*(run(node) for node in self.nodes for _ in range(times)))


def life(pace: Pace) -> Run:
    """Return what runs shard life once, with what each node has counted itself."""
    return lambda tables: ShardLife(tables, pace).run()


def trimming(tables: Tables) -> Coroutine[Any, Any, None]:
    return Trimming(tables.engine, tables.clock).run()


async def fill(tables: Tables, items: int, seconds: int) -> None:
    """Put items that end in so many seconds, and are in the index on `by`."""
    ends = {"N": str(tables.clock.now_ms() // 1000 + seconds)}
    await asyncio.gather(
        *(
            put_item(tables, f"item {n}", {"ends": ends, "by": {"S": f"group {n % 3}"}})
            for n in range(items)
        )
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_what_expires_goes_once(seed: int) -> None:
    two = TwoNodes(seed)

    async def check() -> None:
        await create_index(two.one)
        await switch(two.one, "ends", enabled=True)
        await two.both(lambda tables: Backfill(tables).run())
        items = 2 * limits.expiry_deletes_max + 5
        await fill(two.one, items, -1)
        before = records_in(two.one)
        await two.both(lambda tables: Expiration(tables).run(), times=2)
        assert records_in(two.one) == before + items
        assert two.one.read(lambda r: table_count(r, table_in(two.one))).items == 0
        check_indexes(two.one)
        check_expiry(two.one, "ends")

    asyncio.run(check())


@pytest.mark.parametrize("seed", SEEDS)
def test_an_index_and_an_expiry_are_filled_as_one_node_fills_them(seed: int) -> None:
    """While items are written, and while one of the nodes may be through sooner."""
    two = TwoNodes(seed)

    async def write(tables: Tables) -> None:
        chance = random.Random(seed)
        for _ in range(40):
            await put_item(tables, f"item {chance.randrange(60)}", {"by": {"S": "other"}})

    async def check() -> None:
        await fill(two.one, 60, 1000)
        await create_index(two.one)
        await switch(two.one, "ends", enabled=True)
        await asyncio.gather(two.both(lambda tables: Backfill(tables).run()), write(two.one))
        assert statuses(two.one) == {"by-77": "ACTIVE"}
        time_to_live = table_in(two.one).descriptor.time_to_live
        assert time_to_live is not None
        assert time_to_live.complete
        check_indexes(two.one)
        check_expiry(two.one, "ends")

    asyncio.run(check())


@pytest.mark.parametrize("seed", SEEDS)
def test_states_that_are_over_end_once_and_an_index_goes(seed: int) -> None:
    two = TwoNodes(seed)

    async def check() -> None:
        await fill(two.one, 30, 1000)
        await create_index(two.one)
        await drop_indexes(two.one, delay_ms=AHEAD_MS - 1)  # over, for the node that is ahead
        await two.both(lambda tables: Backfill(tables).run())
        two.advance(AHEAD_MS)
        await two.both(lambda tables: Backfill(tables).run())
        assert table_in(two.one).descriptor.status == "ACTIVE"
        assert statuses(two.one) == {}

    asyncio.run(check())


@pytest.mark.parametrize("seed", SEEDS)
def test_a_table_that_was_being_deleted_is_forgotten_once(seed: int) -> None:
    """And one that is made anew under its name meanwhile stays."""
    two = TwoNodes(seed)

    async def check() -> None:
        table = table_in(two.one)
        gone = table_of(in_status(table.descriptor, "DELETING", two.clock.now_ms()))
        await two.one.engine.transact(
            lambda txn: delete_table(txn, table, gone, two.clock.now_ms()), locks=table.locks
        )
        await two.both(lambda tables: Backfill(tables).run())
        assert rows_in(two.one, Span.of_prefix(Prefix.TABLE.key)) == []

    asyncio.run(check())


@pytest.mark.parametrize("seed", SEEDS)
def test_shards_that_are_due_roll_once(seed: int) -> None:
    two = TwoNodes(seed)

    async def check() -> None:
        two.advance(4 * HOUR_MS)
        await two.both(life(Pace(4 * HOUR_MS, 0, 1000)), times=2)
        assert len(open_ids(two.one)) == 4
        assert len(shards_in(two.one)) == 8

    asyncio.run(check())


@pytest.mark.parametrize("seed", SEEDS)
def test_a_shard_under_load_splits_once(seed: int) -> None:
    """Both nodes find it hot, each by what it has counted."""
    two = TwoNodes(seed)

    async def check() -> None:
        jobs = [ShardLife(tables, Pace(0, 1, 1000)) for tables in two.nodes]
        for tables in two.nodes:
            for value in range(2):
                actions = [put(f"item-{n}", f"{value}") for n in range(80)]
                await transact(tables, REGION, actions)
        await transact(two.one, REGION, [put(f"item-{n}", "9") for n in range(80)])
        two.advance(SAMPLE_MS)
        await asyncio.gather(*(job.run() for job in jobs))
        assert len(open_ids(two.one)) == 8
        assert len(shards_in(two.one)) == 12

    asyncio.run(check())


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_past_the_horizon_is_trimmed_by_both(seed: int) -> None:
    """Records, closed shards, then the stream; with a roll and a disabling on the way."""
    two = TwoNodes(seed)

    async def check() -> None:
        await fill(two.one, 40, 1000)
        await roll_shards(two.one, REGION, NAME)
        await fill(two.one, 40, 2000)
        arn = table_in(two.one).descriptor.latest_stream_arn
        assert arn is not None
        two.advance(limits.stream_retention_ms)
        await two.both(trimming, times=2)
        two.advance(limits.iterator_life_ms + 1)
        await two.both(trimming, times=2)
        assert len(shards_in(two.one)) == 4
        assert records_in(two.one) == 0
        table = table_in(two.one)
        plain = table_of(without_stream(table.descriptor))
        await two.one.engine.transact(
            lambda txn: update_table(txn, table, plain, None, two.clock.now_ms()),
            locks=table.locks,
        )
        two.advance(limits.stream_retention_ms + limits.iterator_life_ms + 1)
        await two.both(trimming, times=2)
        assert two.one.read(lambda reader: find_stream(reader, arn)) is None
        assert rows_in(two.one, Span.of_prefix(Prefix.SHARD.key)) == []
        assert rows_in(two.one, Span.of_prefix(Prefix.LOG_TIP.key)) == []

    asyncio.run(check())


@pytest.mark.parametrize("seed", SEEDS)
def test_rolling_and_trimming_go_on_beside_each_other(seed: int) -> None:
    """One node holds the one job's lease, another the other's; writers are there too."""
    two = TwoNodes(seed)

    async def check() -> None:
        for value in range(6):
            two.advance(9 * HOUR_MS)
            await asyncio.gather(
                two.both(life(Pace(4 * HOUR_MS, 0, 1000))),
                two.both(trimming),
                *(transact(two.one, REGION, [put(f"i-{n}", f"{value}")]) for n in range(20)),
            )
        assert len(open_ids(two.one)) == 4
        assert all(shard.parent for shard in shards_in(two.one))

    asyncio.run(check())


@pytest.mark.parametrize("seed", SEEDS)
def test_tokens_that_are_over_are_cleared_by_both(seed: int) -> None:
    two = TwoNodes(seed)

    async def sweep(tables: Tables) -> None:
        after = None
        while True:
            now_ms = tables.clock.now_ms()
            after = (await sweep_tokens(tables.engine, now_ms, after)).after
            if after is None:
                return

    async def check() -> None:
        for number in range(limits.token_sweep_rows_max + 9):
            token = Token("TransactWriteItems", f"{number}", b"digest")
            key = token_key(REGION, token)
            await two.one.engine.transact(
                lambda txn, key=key, token=token: remember(  # type: ignore[misc]
                    txn, key, token, two.clock.now_ms()
                ),
                locks=(token_lock(key),),
            )
        two.advance(limits.transaction_token_life_ms + 1)
        await two.both(sweep)
        assert rows_in(two.one, Span.of_prefix(Prefix.TRANSACTION_TOKEN.key)) == []

    asyncio.run(check())
