"""Leases: one holder at a time, whatever the clocks say, and another where the holder is gone."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.base import limits
from penstock.base.errors.engine import EngineUnavailable
from penstock.base.ids import Entropy
from penstock.storage.leases import Leases, lease_key
from penstock.storage.prefixes import Prefix
from penstock.storage.waist import Span
from penstock.testing.clock import FakeClock
from penstock.testing.faulty_engine import Disk, Faults, FaultyEngine
from unit.storage.several_nodes import Cluster, Node, RatedClock

LEASE = b"job/\x00any bytes\xff"
OTHER = b"other"
TURNS = 5  # of the loop, within which a transaction of the memory engine is done


def cluster(nodes: int = 2) -> Cluster:
    """Nodes whose clocks were started at different times and tell different ones."""
    return Cluster(*(RatedClock(n * 777_777.0, 1.0, n * 4000 - 6000) for n in range(nodes)))


def run(check: Callable[[], Awaitable[None]]) -> None:
    async def awaited() -> None:
        await check()

    asyncio.run(awaited())


async def some_turns() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)


def test_the_first_that_asks_has_it_and_keeps_it_while_it_renews() -> None:
    async def check() -> None:
        both = cluster()
        one, other = both.nodes
        assert await one.takes(LEASE)
        for _ in range(20):
            both.pass_ms(limits.lease_renewal_ms)
            assert await one.takes(LEASE)
            assert not await other.takes(LEASE)
            assert both.holders(LEASE) == [one]

    run(check)


def test_of_two_that_ask_at_once_one_has_it() -> None:
    async def check() -> None:
        both = cluster(3)
        await asyncio.gather(*(node.takes(LEASE) for node in both.nodes))
        assert len(both.holders(LEASE)) == 1

    run(check)


def test_of_two_that_take_over_at_once_one_has_it() -> None:
    async def check() -> None:
        three = cluster(3)
        gone, *others = three.nodes
        assert await gone.takes(LEASE)
        assert [await node.takes(LEASE) for node in others] == [False, False]
        three.pass_ms(limits.lease_ms)
        assert sorted(await asyncio.gather(*(node.takes(LEASE) for node in others))) == [
            False,
            True,
        ]
        assert len(three.holders(LEASE)) == 1

    run(check)


def test_a_holder_that_is_gone_is_followed_after_the_lease_and_not_sooner() -> None:
    """Counted from when the other saw its last row, however long ago that was written."""

    async def check() -> None:
        both = cluster()
        gone, other = both.nodes
        assert await gone.takes(LEASE)
        both.pass_ms(limits.lease_ms * 5)
        assert not await other.takes(LEASE), "it has only just seen it"
        both.pass_ms(limits.lease_ms - 1)
        assert not await other.takes(LEASE)
        both.pass_ms(1)
        assert await other.takes(LEASE)
        assert both.holders(LEASE) == [other]
        assert not await gone.takes(LEASE)

    run(check)


def test_a_look_counts_from_when_its_answer_came() -> None:
    """It was asked for long before it saw the row that the holder had written meanwhile."""

    async def check() -> None:
        both = cluster()
        one, other = both.nodes
        other.line.hold()
        look = asyncio.create_task(other.takes(LEASE))
        await some_turns()
        both.pass_ms(limits.lease_renewal_ms)
        assert await one.takes(LEASE)
        other.line.release()
        assert not await look
        both.pass_ms(limits.lease_ms - 1)
        assert not await other.takes(LEASE)
        both.pass_ms(1)
        assert await other.takes(LEASE)

    run(check)


def test_what_is_released_is_free_at_once() -> None:
    async def check() -> None:
        both = cluster()
        one, other = both.nodes
        assert await one.takes(LEASE, OTHER)
        assert not await other.takes(LEASE)
        await one.leases.release([LEASE])
        assert both.holders(LEASE) == []
        assert await other.takes(LEASE)
        assert both.holders(OTHER) == [one]

    run(check)


def test_nobody_releases_what_another_holds() -> None:
    async def check() -> None:
        both = cluster()
        one, other = both.nodes
        assert await one.takes(LEASE)
        await other.leases.release([LEASE])
        assert not await other.takes(LEASE)
        await one.leases.release([LEASE])
        assert both.engine.snapshot(lambda r: r.scan(Span.of_prefix(Prefix.LEASE.key), 9)) == []

    run(check)


def test_a_holder_that_cannot_renew_stops_before_another_begins() -> None:
    """Its renewal reaches the store, and the answer is late: it counts from when it asked."""

    async def check() -> None:
        both = cluster()
        one, other = both.nodes
        assert await one.takes(LEASE)
        both.pass_ms(limits.lease_renewal_ms)
        one.line.hold()
        renewal = asyncio.create_task(one.takes(LEASE))
        await some_turns()
        both.pass_ms(limits.lease_ms - limits.lease_renewal_ms - limits.lease_margin_ms - 1)
        assert one.holds(LEASE)
        both.pass_ms(1)
        assert not one.holds(LEASE)
        both.pass_ms(limits.lease_renewal_ms)
        one.line.release()
        assert not await renewal, "renewed for a time that was over when the answer came"
        assert both.engine.snapshot(lambda r: r.get(lease_key(LEASE))) is not None
        assert await one.takes(LEASE), "its row is still there, so nobody else has had it"
        assert not await other.takes(LEASE)

    run(check)


def test_a_renewal_that_arrives_after_another_took_over_changes_nothing() -> None:
    """A node that was stopped for a minute wakes up, and what it was about to send goes out."""

    async def check() -> None:
        both = cluster()
        paused, other = both.nodes
        assert await paused.takes(LEASE)
        assert not await other.takes(LEASE)
        paused.line.hold()
        renewal = asyncio.create_task(paused.takes(LEASE))
        await some_turns()
        both.pass_ms(60_000)
        assert await other.takes(LEASE)
        paused.line.release()
        assert not await renewal
        assert both.holders(LEASE) == [other]
        assert await other.takes(LEASE)

    run(check)


def test_a_row_that_came_back_is_not_one_that_stood_still() -> None:
    """Released and taken anew by the same node while another did not look."""

    async def check() -> None:
        both = cluster()
        one, other = both.nodes
        assert await one.takes(LEASE)
        assert not await other.takes(LEASE)
        both.pass_ms(limits.lease_ms - 1)
        await one.leases.release([LEASE])
        assert await one.takes(LEASE)
        both.pass_ms(1)
        assert not await other.takes(LEASE)
        assert both.holders(LEASE) == [one]

    run(check)


def test_leases_are_independent_of_each_other() -> None:
    async def check() -> None:
        both = cluster()
        one, other = both.nodes
        assert await one.takes(LEASE)
        assert await other.takes(OTHER)
        assert await other.leases.take([LEASE, OTHER]) == {OTHER}
        assert both.holders(LEASE) == [one]
        assert both.holders(OTHER) == [other]
        assert await one.leases.take([]) == frozenset()

    run(check)


def test_many_leases_are_taken_in_one_transaction() -> None:
    async def check() -> None:
        both = cluster()
        names = [b"shard/%d" % n for n in range(300)]
        assert await both.nodes[0].takes(*names, *names)
        assert all(both.nodes[0].holds(name) for name in names)

    run(check)


def test_a_store_that_cannot_answer_leaves_the_lease_as_long_as_it_lasts() -> None:
    async def check() -> None:
        clock, faults = FakeClock(), Faults(Entropy(1))
        leases = Leases(FaultyEngine(clock, Disk(), faults), clock, 1)
        assert await leases.take([LEASE]) == {LEASE}
        faults.arm("unavailable")
        with pytest.raises(EngineUnavailable):
            await leases.take([LEASE])
        clock.advance(int(limits.lease_ms - limits.lease_margin_ms) - 1)
        assert leases.holds(LEASE)
        clock.advance(1)
        assert not leases.holds(LEASE)
        assert await leases.take([LEASE]) == {LEASE}

    run(check)


# --- whatever happens, in whatever order

rates = st.floats(0.95, 1.05)
clocks = st.builds(RatedClock, st.floats(0, 1e9), rates, st.integers(-10_000, 10_000))
steps = st.lists(
    st.one_of(
        st.tuples(st.just("pass"), st.sampled_from([1, 500, 3000, 9000, 9500, 10_000, 30_000])),
        st.tuples(
            st.sampled_from(["ask", "send", "answer", "release", "takes"]), st.integers(0, 2)
        ),
    ),
    max_size=40,
)


async def make_step(node: Node, kind: str, under_way: set[asyncio.Task[bool]]) -> None:
    """Let a node ask, what it asked reach the store, or the answer reach it, each at its time."""
    match kind:
        case "ask":
            node.line.hold()
            under_way.add(asyncio.create_task(node.takes(LEASE)))
        case "send":
            node.line.going.set()
        case "answer":
            node.line.release()
        case "takes":
            node.line.release()
            await node.takes(LEASE)
        case "release":
            node.line.release()
            await node.leases.release([LEASE])


@settings(max_examples=300, deadline=None)
@given(st.lists(clocks, min_size=3, max_size=3), steps)
def test_no_two_nodes_hold_a_lease_at_once(
    given_clocks: list[RatedClock], given_steps: list[tuple[str, int]]
) -> None:
    """Clocks run up to 5 % too fast or slow; nodes are paused between any two of their steps."""

    async def check() -> None:
        three = Cluster(*given_clocks)
        under_way: set[asyncio.Task[bool]] = set()
        for kind, number in given_steps:
            if kind == "pass":
                three.pass_ms(number)
            else:
                await make_step(three.nodes[number], kind, under_way)
            await some_turns()
            assert len(three.holders(LEASE)) <= 1
        for node in three.nodes:
            node.line.release()
        await asyncio.gather(*under_way)
        assert len(three.holders(LEASE)) <= 1
        three.pass_ms(2 * limits.lease_ms)
        asked = [await node.takes(LEASE) for _ in range(2) for node in three.nodes]
        three.pass_ms(2 * limits.lease_ms)
        asked += [await node.takes(LEASE) for node in three.nodes]
        assert any(asked), "somebody always has it again"

    run(check)
