"""What runs beside the requests: everything on a node alone, its part of it in a cluster."""

import asyncio

import pytest

from penstock.app.beside import Beside, beside
from penstock.app.settings import POSTGRESQL, Settings
from penstock.base import limits
from penstock.base.ids import Entropy
from penstock.operations.operation import Services
from penstock.storage.memory import MemoryEngine
from penstock.storage.prefixes import Prefix
from penstock.storage.waist import Span
from penstock.tables.backfill import Backfill
from penstock.tables.tables import Tables
from penstock.tables.transaction import transact
from penstock.testing.clock import FakeClock
from unit.tables.tables_in_memory import ACCOUNT, REGION, make_table, put

DEADLINE_SECONDS = 60.0


class Runs:
    """How often the backfill has run, on all nodes together."""

    def __init__(self) -> None:
        self.count = 0
        self._more = asyncio.Event()

    async def run(self) -> None:
        """Run once, for nothing."""
        self.count += 1
        self._more.set()

    async def until(self, count: int) -> None:
        """Wait until there were so many."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while self.count < count:
                self._more.clear()
                await self._more.wait()


def settings(engine: str) -> Settings:
    return Settings("127.0.0.1", 0, None, engine, ACCOUNT, 4)


def services_over(engine: MemoryEngine, clock: FakeClock, number: int) -> Services:
    return Services(Tables(engine, clock, Entropy(number), ACCOUNT), 4)


def node_over(
    engine: MemoryEngine, clock: FakeClock, number: int, kind: str
) -> tuple[Tables, Beside]:
    """Return the tables of a node, and what runs beside its requests."""
    services = services_over(engine, clock, number)
    return services.tables, beside(services, settings(kind), Entropy(number), clock)


def rows(engine: MemoryEngine, prefix: Prefix) -> int:
    span = Span.of_prefix(prefix.key)
    return len(engine.snapshot(lambda reader: reader.scan(span, 100)))


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    """Note each run of the backfill, which then does nothing."""
    noted = Runs()
    monkeypatch.setattr(Backfill, "run", lambda _: noted.run())
    return noted


def test_a_store_of_its_own_has_no_rows_of_a_cluster(runs: Runs) -> None:
    clock = FakeClock()
    engine = MemoryEngine(clock)
    tables, running = node_over(engine, clock, 1, "memory")
    make_table(tables)

    async def check() -> None:
        await running.start()
        await runs.until(1)
        await transact(tables, REGION, [put("a")])
        clock.advance(60_000)
        await running.background.catch_up()
        assert rows(engine, Prefix.LEASE) == rows(engine, Prefix.SHARD_LOAD) == 0
        assert running.health.trouble() is None
        await running.stop()

    asyncio.run(check())


def test_of_two_nodes_one_has_the_jobs_and_then_the_other(runs: Runs) -> None:
    """It is the store that tells them of each other; and each knows that it reaches it."""
    clock = FakeClock()
    engine = MemoryEngine(clock)
    _, one = node_over(engine, clock, 1, POSTGRESQL)
    _, other = node_over(engine, clock, 2, POSTGRESQL)

    async def check() -> None:
        await one.start()
        await runs.until(1)
        await other.start()
        await asyncio.wait_for(other.background.catch_up(), DEADLINE_SECONDS)
        assert runs.count == 2, "of the other only what was asked for"
        clock.advance(60_000)
        assert one.health.trouble() is not None, "nobody has asked the store in that time"
        await asyncio.wait_for(one.background.catch_up(), DEADLINE_SECONDS)
        assert one.health.trouble() is None
        assert rows(engine, Prefix.LEASE) == 6
        await one.stop()
        await one.stop()
        assert rows(engine, Prefix.LEASE) == 0
        await other.stop()

    asyncio.run(check())


def test_what_nodes_have_counted_is_taken_by_whoever_has_the_shards(runs: Runs) -> None:
    clock = FakeClock()
    engine = MemoryEngine(clock)
    tables, one = node_over(engine, clock, 1, POSTGRESQL)
    make_table(tables)

    async def check() -> None:
        await one.start()
        await runs.until(1)
        await transact(tables, REGION, [put("a")])
        clock.advance(60_000)
        await asyncio.wait_for(one.background.catch_up(), DEADLINE_SECONDS)
        assert tables.load.take() == {}
        assert rows(engine, Prefix.SHARD_LOAD) == 0
        await one.stop()

    asyncio.run(check())


def test_a_table_that_changes_on_one_node_wakes_the_node_that_has_the_backfill(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its alarm rings where the request came to, and is heard where the job is, by no interval."""
    monkeypatch.setattr(limits, "backfill_interval_ms", 1e9)
    clock = FakeClock()
    engine = MemoryEngine(clock)
    nodes = [services_over(engine, clock, number) for number in (1, 2)]
    one, other = (
        beside(services, settings(POSTGRESQL), Entropy(number), clock)
        for number, services in enumerate(nodes)
    )

    async def check() -> None:
        await one.start()
        await runs.until(1)
        await other.start()
        await asyncio.wait_for(other.background.catch_up(), DEADLINE_SECONDS)
        assert runs.count == 2
        nodes[1].work.ring()
        await runs.until(3)
        await other.stop()
        await one.stop()

    asyncio.run(check())
