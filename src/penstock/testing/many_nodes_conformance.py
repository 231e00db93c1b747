"""What an engine promises whose store several nodes have open at once.

Each test opens the store more than once, in one event loop: the engines of two nodes know no more
of each other than those of two machines.
"""

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Coroutine, Iterator, Sequence
from pathlib import Path

from hypothesis import HealthCheck, given, settings

from penstock.base.clock import Clock
from penstock.base.errors.engine import EngineUnavailable
from penstock.storage.prefixes import Prefix
from penstock.storage.waist import (
    Engine,
    Lock,
    Reader,
    Span,
    Stamp,
    T,
    Transaction,
    last_stamp,
    stamp_at,
    touch,
)
from penstock.testing.clock import FakeClock
from penstock.testing.engine_conformance import (
    LOG,
    SOON_SECONDS,
    DurableConformance,
    append,
    put,
    stamps,
    stored,
)
from penstock.testing.engine_model import EVERYTHING, PLANS, Plan, follow

ROUNDS = 25
WRITERS_PER_NODE = 8
HOUR_MS = 3_600_000


class NodesInTurn:
    """An `Engine` that gives each call to the next node: whatever it does not matter which."""

    def __init__(self, nodes: Sequence[Engine]) -> None:
        self._nodes = nodes
        self._turns = itertools.cycle(nodes)
        self.snapshots_wait = any(node.snapshots_wait for node in nodes)

    async def transact(
        self,
        work: Callable[[Transaction], T],
        *,
        locks: Sequence[Lock] = (),
        reads: Sequence[bytes] = (),
    ) -> T:
        return await next(self._turns).transact(work, locks=locks, reads=reads)

    def snapshot(self, work: Callable[[Reader], T]) -> T:
        return next(self._turns).snapshot(work)

    def watch(self, log: bytes, seen: Stamp, seconds_max: float) -> asyncio.Future[None]:
        return next(self._turns).watch(log, seen, seconds_max)

    def close(self) -> None:
        for node in self._nodes:
            node.close()


class ManyNodesConformance(DurableConformance):
    """What every engine promises that several nodes share."""

    @contextlib.contextmanager
    def nodes(self, path: Path, *clocks: Clock) -> Iterator[list[Engine]]:
        """Give an engine on the store in `path` for each clock, closed in the end."""
        with contextlib.ExitStack() as stack:
            yield [stack.enter_context(self.reopened(path, clock)) for clock in clocks]

    def run_two(
        self,
        path: Path,
        scene: Callable[[Engine, Engine], Coroutine[None, None, None]],
        *clocks: Clock,
    ) -> None:
        """Run `scene` with the engines of two nodes."""
        with self.nodes(path, *(clocks or (FakeClock(), FakeClock()))) as (one, other):
            asyncio.run(scene(one, other))

    def test_what_one_node_acknowledged_another_sees(self, tmp_path: Path) -> None:
        """At once, in snapshots and in transactions: also that it is gone."""

        async def scene(one: Engine, other: Engine) -> None:
            for value in (b"1", b"2", None, b"3"):
                await put(one, b"k", value)
                assert stored(other, b"k") == value
                assert await other.transact(lambda t: t.get(b"k"), reads=[b"k"]) == value
                one, other = other, one

        self.run_two(tmp_path, scene)

    def test_a_tables_row_is_never_shown_old(self, tmp_path: Path) -> None:
        """The same holds for rows that are asked for all the time, however a node keeps them."""
        key = Prefix.TABLE.key + b"a table"

        async def scene(one: Engine, other: Engine) -> None:
            for value in (b"1", b"2", None, b"3"):
                stored(one, key), stored(other, key)
                await put(one, key, value)
                assert stored(other, key) == stored(one, key) == value
                assert await other.transact(lambda t: t.get(key), reads=[key]) == value
                one, other = other, one

        self.run_two(tmp_path, scene)

    def test_what_one_node_has_shown_no_other_hides(self, tmp_path: Path) -> None:
        """Also while the change is under way, and of rows that nodes may keep."""
        key = Prefix.TABLE.key + b"a table"

        async def look(nodes: Sequence[Engine], done: asyncio.Event) -> None:
            newest = 0
            for node in itertools.cycle(nodes):
                found = int(stored(node, key) or b"0")
                assert found >= newest
                newest = found
                if done.is_set() and found == 3:
                    return
                await asyncio.sleep(0)

        async def scene(nodes: Sequence[Engine]) -> None:
            done = asyncio.Event()
            looking = asyncio.ensure_future(look(nodes, done))
            for number in range(1, 4):
                await put(nodes[0], key, b"%d" % number)
            done.set()
            await looking

        with self.nodes(tmp_path, FakeClock(), FakeClock(), FakeClock()) as nodes:
            asyncio.run(scene(nodes))

    def test_no_update_is_lost_between_nodes(self, tmp_path: Path) -> None:
        """Writers on both that each add 1 to a counter, time after time, add up."""

        def add(t: Transaction) -> None:
            t.set(b"n", str(int(t.get(b"n") or b"0") + 1).encode())

        async def adder(node: Engine) -> None:
            for _ in range(ROUNDS):
                await node.transact(add, locks=[EVERYTHING])

        async def scene(one: Engine, other: Engine) -> None:
            await asyncio.gather(*(adder(node) for node in [one, other] * WRITERS_PER_NODE))
            total = b"%d" % (2 * WRITERS_PER_NODE * ROUNDS)
            assert stored(one, b"n") == stored(other, b"n") == total

        self.run_two(tmp_path, scene)

    def test_a_transaction_is_seen_as_a_whole(self, tmp_path: Path) -> None:
        """Whatever two nodes move at once, every view of either holds the same sum."""
        keys = [b"k1", b"k2", b"k3"]

        def sum_of(reader: Reader) -> int:
            return sum(int(reader.get(key) or b"0") for key in keys)

        def scanned(reader: Reader) -> int:
            return sum(int(value) for _, value in reader.scan(Span(b"k", b"l"), 9))

        def move(t: Transaction, source: bytes, goal: bytes) -> None:
            for key, amount in ((source, -1), (goal, 1)):
                t.set(key, b"%d" % (int(t.get(key) or b"0") + amount))

        async def mover(node: Engine) -> None:
            pairs = itertools.islice(itertools.cycle(itertools.permutations(keys, 2)), ROUNDS)
            for source, goal in pairs:
                await node.transact(
                    lambda t, s=source, g=goal: move(t, s, g),  # type: ignore[misc]
                    locks=[EVERYTHING],
                )
                assert node.snapshot(sum_of) == 0
                assert node.snapshot(scanned) == 0

        async def scene(one: Engine, other: Engine) -> None:
            await asyncio.gather(*(mover(node) for node in [one, other] * 4))

        self.run_two(tmp_path, scene)

    def test_random_transactions_on_nodes_in_turn_agree_with_a_dictionary(
        self, tmp_path: Path
    ) -> None:
        """One node's reads are of what another has written, as if there were one."""
        numbers = itertools.count()
        with self.nodes(tmp_path, FakeClock(), FakeClock(), FakeClock()) as nodes:
            in_turn = NodesInTurn(nodes)

            @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
            @given(PLANS)
            def check(plan: Plan) -> None:
                asyncio.run(follow(in_turn, plan, b"k%08d" % next(numbers), overlap=False))

            check()

    # --- logs

    def test_stamps_grow_over_nodes_whose_clocks_differ(self, tmp_path: Path) -> None:
        """A node an hour behind goes on above what the other has stamped."""
        behind, ahead = FakeClock(), FakeClock()
        ahead.advance(HOUR_MS)

        async def scene(one: Engine, other: Engine) -> None:
            given_out = [await append(one)]
            assert given_out[0] < stamp_at(ahead.now_ms())
            for _ in range(3):
                given_out += [await append(other), await append(one)]
            assert given_out == sorted(set(given_out))
            assert stamps(one) == stamps(other) == given_out

        self.run_two(tmp_path, scene, behind, ahead)

    def test_stamps_become_visible_in_their_order(self, tmp_path: Path) -> None:
        """While both nodes append, nobody sees one at or below a stamp that was seen before."""

        async def writer(node: Engine, acknowledged: set[Stamp]) -> None:
            for _ in range(ROUNDS):
                acknowledged.add(await append(node))

        async def reader(node: Engine, acknowledged: set[Stamp], writers: int) -> None:
            seen: list[Stamp] = []
            while len(seen) < writers * ROUNDS:
                owed = set(acknowledged)
                found = stamps(node)
                assert found[: len(seen)] == seen
                assert owed <= set(found)
                seen = found
                await asyncio.sleep(0)

        async def scene(one: Engine, other: Engine) -> None:
            acknowledged: set[Stamp] = set()
            nodes = [one, other] * 4
            await asyncio.gather(
                *(writer(node, acknowledged) for node in nodes),
                *(reader(node, acknowledged, len(nodes)) for node in (one, other)),
            )
            assert sorted(acknowledged) == stamps(one) == stamps(other)

        self.run_two(tmp_path, scene, FakeClock(), FakeClock(5))

    def test_watch_wakes_at_an_append_of_another_node(self, tmp_path: Path) -> None:
        """And where another touches the log: so soon that nobody need poll."""

        async def scene(one: Engine, other: Engine) -> None:
            seen = await append(one)
            watching = one.watch(LOG, seen, 2 * SOON_SECONDS)
            later = await append(other)
            async with asyncio.timeout(SOON_SECONDS):
                await watching
            assert one.snapshot(lambda r: last_stamp(r, LOG)) == later
            watching = one.watch(LOG, later, 2 * SOON_SECONDS)
            await other.transact(lambda t: touch(t, LOG), locks=[EVERYTHING])
            async with asyncio.timeout(SOON_SECONDS):
                await watching

        self.run_two(tmp_path, scene)

    # --- nodes that come and go

    def test_closing_one_node_leaves_the_others(self, tmp_path: Path) -> None:
        """What it had under way is refused or done, and never half of it; the others go on."""

        def both(t: Transaction) -> None:
            t.set(b"k1", b"v")
            t.set(b"k2", b"v")

        async def scene(one: Engine, other: Engine) -> None:
            under_way = asyncio.ensure_future(one.transact(both, locks=[EVERYTHING]))
            await asyncio.sleep(0)
            one.close()
            with contextlib.suppress(EngineUnavailable):
                await under_way
            await put(other, b"k3", b"v")
            rows = other.snapshot(lambda r: r.scan(Span(b"k", b"l"), 9))
            assert [key for key, _ in rows] in ([b"k3"], [b"k1", b"k2", b"k3"])

        self.run_two(tmp_path, scene)
        with self.nodes(tmp_path, FakeClock(), FakeClock()) as (one, other):
            assert stored(one, b"k3") == stored(other, b"k3") == b"v"
