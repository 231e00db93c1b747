"""Progress: how far consumers have read, and who is woken when one reads more."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from penstock.base import limits
from penstock.operations.control.progress import Progress
from penstock.streams.sequence import sequence_number

SECONDS_MAX = 60.0


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a test on a loop, for no longer than its limit."""
    asyncio.run(asyncio.wait_for(work, SECONDS_MAX))


def test_what_was_read_stays_read() -> None:
    """A consumer that begins again has lost nothing of it."""
    progress = Progress()
    for read_to in (5, 9, 3):
        progress.note("orders", "arn", "shard", read_to)
    assert progress.read_to("orders", "arn", "shard") == 9


def test_consumers_streams_and_shards_are_apart() -> None:
    progress = Progress()
    progress.note("orders", "arn", "shard", 5)
    others = [("invoices", "arn", "shard"), ("orders", "nra", "shard"), ("orders", "arn", "drahs")]
    assert [progress.read_to(*other) for other in others] == [0, 0, 0]
    assert progress.consumers == ["orders"]


def test_whoever_waits_is_woken_when_more_is_read() -> None:
    progress = Progress()

    async def work() -> None:
        waiting = [
            asyncio.create_task(progress.moved(progress.moves, SECONDS_MAX)) for _ in range(2)
        ]
        await asyncio.sleep(0)
        progress.note("orders", "arn", "shard", 5)
        await asyncio.gather(*waiting)
        assert not progress._waiting

    run(work())


def test_nobody_is_woken_where_nothing_more_is_read() -> None:
    progress = Progress()
    progress.note("orders", "arn", "shard", 5)

    async def work() -> None:
        waiting = asyncio.create_task(progress.moved(progress.moves, SECONDS_MAX))
        await asyncio.sleep(0)
        progress.note("orders", "arn", "shard", 5)
        progress.note("orders", "arn", "shard", 4)
        await asyncio.sleep(0)
        assert not waiting.done()
        progress.note("orders", "arn", "shard", 6)
        await waiting

    run(work())


def test_who_looked_before_a_move_does_not_wait_for_the_next() -> None:
    """Others may run while the store is looked at, and what they move must not be missed."""
    progress = Progress()

    async def work() -> None:
        seen = progress.moves
        progress.note("orders", "arn", "shard", 5)
        await progress.moved(seen, SECONDS_MAX)
        seen = progress.moves
        progress.wake()
        await progress.moved(seen, SECONDS_MAX)
        assert not progress._waiting

    run(work())


def test_a_wait_ends_with_its_time_and_when_it_is_given_up() -> None:
    progress = Progress()

    async def work() -> None:
        await progress.moved(progress.moves, 0.0)
        waiting = asyncio.create_task(progress.moved(progress.moves, SECONDS_MAX))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait({waiting})
        assert waiting.cancelled()
        assert not progress._waiting
        progress.note("orders", "arn", "shard", 5)

    run(work())


def test_no_more_is_remembered_than_the_limits_say() -> None:
    """Those that were not read for longest are forgotten."""
    progress = Progress()
    progress.note("kept", "arn", "kept", 7)
    for number in range(limits.consumed_shards_remembered_max + 1):
        progress.note(f"c{number}", "arn", f"s{number}", 7)
        progress.note("kept", "arn", "kept", 7)
    assert len(progress._read) == limits.consumed_shards_remembered_max
    assert len(progress.consumers) == limits.consumers_remembered_max
    assert progress.read_to("kept", "arn", "kept") == 7
    assert progress.read_to("c1", "arn", "s1") == 0
    assert "kept" in progress.consumers
    assert "c1" not in progress.consumers


def test_progress_is_shown_in_order_and_by_stream() -> None:
    progress = Progress()
    for consumer, arn in [("orders", "a/1"), ("invoices", "a/2"), ("invoices", "b/1")]:
        progress.note(consumer, arn, "shard", 5)
    shown = [(each["Consumer"], each["StreamArn"]) for each in progress.shown("a/", 9)[0]]
    assert shown == [("invoices", "a/2"), ("orders", "a/1")]
    row = {
        "Consumer": "invoices",
        "StreamArn": "b/1",
        "ShardId": "shard",
        "ReadTo": sequence_number(5),
    }
    assert progress.shown("b/", 9) == ([row], 0)


def test_no_more_progress_is_shown_than_asked_for_and_the_rest_is_counted() -> None:
    progress = Progress()
    for number in (3, 1, 2, 4):
        progress.note(f"c{number}", "a/1", "shard", 5)
    progress.note("c0", "b/1", "shard", 5)
    rows, left_off = progress.shown("a/", 2)
    assert ([row["Consumer"] for row in rows], left_off) == (["c1", "c2"], 2)
    assert progress.shown("a/", 4)[1] == 0
