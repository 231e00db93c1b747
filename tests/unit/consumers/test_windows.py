"""Tumbling windows: state from batch to batch, the last call, windows that end early (facts: 6)."""

import json
from typing import Any

from penstock.base import limits
from penstock.functions.invoker import Outcome
from unit.consumers.world import World, answered, failed, in_world

_OPTIONS: dict[str, Any] = {"tumbling_window_seconds": 60}
_END_MS = 62_000  # a window's, and the time that latecomers have


def _counts(event: dict[str, Any]) -> Outcome:
    return answered({"state": {"n": event["state"].get("n", 0) + len(event["Records"])}})


def _finals(world: World) -> list[dict[str, Any]]:
    return [event for event in world.function.events if event["isFinalInvokeForWindow"]]


@in_world()
async def test_state_is_handed_on_within_a_window_and_told_at_its_end(world: World) -> None:
    world.function.answer = _counts
    await world.create(**_OPTIONS)
    for key in "abc":
        await world.put(key)
    states = [event["state"] for event in world.function.events]
    assert states == [{}, {"n": 1}, {"n": 2}]
    await world.pass_ms(_END_MS)
    await world.pass_ms(1000)
    (final,) = _finals(world)
    assert (final["state"], final["Records"]) == ({"n": 3}, [])
    assert not final["isWindowTerminatedEarly"]
    start, end = final["window"]["start"], final["window"]["end"]
    assert start.endswith("Z")
    assert end > start
    await world.put("d")
    assert world.function.events[-1]["state"] == {}


@in_world()
async def test_a_window_ends_when_a_record_of_a_later_one_comes(world: World) -> None:
    world.function.answer = _counts
    await world.put("a")
    await world.pass_ms(61_000)
    await world.put("b")
    await world.create(**_OPTIONS)
    events = world.function.events
    assert [len(event["Records"]) for event in events] == [1, 0, 1]
    assert [event["state"] for event in events] == [{}, {"n": 1}, {}]
    assert events[0]["window"]["end"] <= events[2]["window"]["start"]


@in_world()
async def test_a_window_of_one_batch_ends_by_the_clock_alone(world: World) -> None:
    world.function.answer = _counts
    await world.create(**_OPTIONS)
    await world.put("a")
    for _ in range(3):
        await world.pass_ms(61_000)
    (final,) = _finals(world)
    assert final["state"] == {"n": 1}


@in_world()
async def test_a_window_whose_batch_waits_ends_after_it(world: World) -> None:
    world.function.answer = _counts
    await world.create(**_OPTIONS, batching_window_seconds=300)
    await world.put("a")
    for _ in range(7):
        await world.pass_ms(61_000)
    batch, final = world.function.events
    assert (len(batch["Records"]), final["isFinalInvokeForWindow"]) == (1, True)
    assert final["window"] == batch["window"]


@in_world()
async def test_a_batch_never_spans_windows(world: World) -> None:
    world.function.answer = _counts
    for _ in range(3):
        await world.put("a", "b")
        await world.pass_ms(60_000)
    await world.create(**_OPTIONS)
    batches = [len(e["Records"]) for e in world.function.events if not e["isFinalInvokeForWindow"]]
    assert batches == [2, 2, 2]


@in_world()
async def test_state_survives_a_restart(world: World) -> None:
    world.function.answer = _counts
    await world.create(**_OPTIONS)
    await world.put("a", "b")
    await world.restart()
    await world.put("c")
    assert world.function.events[-1]["state"] == {"n": 2}
    await world.restart()
    await world.pass_ms(_END_MS)
    await world.pass_ms(1000)
    (final,) = _finals(world)
    assert final["state"] == {"n": 3}


@in_world()
async def test_an_answer_without_state_is_a_failure(world: World) -> None:
    world.function.answer = lambda event: answered({})
    mapping = await world.create(**_OPTIONS, retry_attempts_max=1)
    await world.put("a")
    await world.pass_retries(2)
    assert len(world.function.events) == 2
    assert world.result(mapping) == "PROBLEM: Function call failed"


@in_world()
async def test_a_failed_batch_leaves_the_state_as_it_was(world: World) -> None:
    world.function.answer = _counts
    await world.create(**_OPTIONS)
    await world.put("a")
    world.function.answer = lambda event: failed()
    await world.put("b")
    world.function.answer = _counts
    await world.pass_ms(1000)
    assert world.function.events[-1]["state"] == {"n": 1}


@in_world()
async def test_a_last_call_that_fails_blocks_the_shard_until_it_succeeds(world: World) -> None:
    def answer(event: dict[str, Any]) -> Outcome:
        return failed() if event["isFinalInvokeForWindow"] else _counts(event)

    world.function.answer = answer
    await world.create(**_OPTIONS, retry_attempts_max=0)
    await world.put("a")
    await world.pass_ms(_END_MS)
    await world.put("b")
    await world.pass_retries(60)
    assert len(_finals(world)) > 3
    assert world.function.events[-1]["Records"] == []
    world.function.answer = _counts
    await world.pass_retries(40)
    batch, final = world.function.events[-2:]  # of the second window, which is over by now too
    assert (len(batch["Records"]), batch["state"]) == (1, {})
    assert (final["Records"], final["state"]) == ([], {"n": 1})


@in_world()
async def test_a_state_that_is_too_large_ends_the_window_early(world: World) -> None:
    large = {"blob": "x" * 1_100_000}
    world.function.answer = lambda event: answered({"state": large})
    await world.create(**_OPTIONS)
    await world.put("a")
    (final,) = _finals(world)
    assert final["isWindowTerminatedEarly"]
    assert final["state"] == large
    world.function.answer = _counts
    await world.put("b")
    assert world.function.events[-1]["state"] == {}
    assert world.function.events[-1]["window"] == final["window"]


@in_world()
async def test_what_is_left_of_a_batch_begins_with_a_new_state_where_its_window_has_ended(
    world: World,
) -> None:
    large = {"blob": "x" * 1_100_000}

    def answer(event: dict[str, Any]) -> Outcome:
        numbers = [record["dynamodb"]["SequenceNumber"] for record in event["Records"]]
        failures = [{"itemIdentifier": numbers[1]}] if len(numbers) > 1 else []
        return answered({"state": large, "batchItemFailures": failures})

    world.function.answer = answer
    await world.put("a", "b")
    await world.create(**_OPTIONS, reports_item_failures=True)
    await world.pass_retries(2)
    seen = [(len(e["Records"]), e["isWindowTerminatedEarly"]) for e in world.function.events]
    assert seen == [(2, False), (0, True), (1, False), (0, True)]
    assert [e["state"] for e in world.function.events] == [{}, large, {}, large]
    assert len({event["window"]["start"] for event in world.function.events}) == 1


@in_world()
async def test_a_state_that_the_last_call_has_no_room_for_is_a_failure(world: World) -> None:
    """It would be refused for ever, and hold the shard up."""
    blob = "x" * (limits.invocation_bytes_max - 100)
    world.function.answer = lambda event: answered({"state": {"blob": blob}})
    mapping = await world.create(**_OPTIONS, retry_attempts_max=1)
    await world.put("a")
    await world.pass_retries(2)
    assert [len(event["Records"]) for event in world.function.events] == [1, 1]
    assert world.result(mapping) == "PROBLEM: Function call failed"
    assert "too large" in world.engine.shown()[0].counts.last_error
    world.function.answer = _counts
    await world.put("b")
    assert world.function.events[-1]["state"] == {}


@in_world()
async def test_what_is_left_of_a_batch_is_split_where_the_state_takes_its_room(
    world: World,
) -> None:
    state = {"blob": "x" * 1_000_000}
    sizes: list[int] = []

    def answer(event: dict[str, Any]) -> Outcome:
        sizes.append(len(json.dumps(event)))
        numbers = [record["dynamodb"]["SequenceNumber"] for record in event["Records"]]
        failures = [{"itemIdentifier": numbers[1]}] if len(numbers) == 16 else []
        return answered({"state": state, "batchItemFailures": failures})

    world.function.answer = answer
    await world.put("a")
    await world.put(*"bcdefghijklmnop", blob="y" * 390_000)
    await world.create(**_OPTIONS, reports_item_failures=True)
    await world.pass_retries(2)
    assert [len(event["Records"]) for event in world.function.events] == [16, 8, 7]
    assert max(sizes) <= limits.invocation_bytes_max


@in_world()
async def test_the_window_of_a_shard_that_ends_is_closed_before_its_children_begin(
    world: World,
) -> None:
    world.function.answer = _counts
    await world.create(**_OPTIONS)
    await world.put("a")
    await world.roll(0, 1)
    await world.put("b", shard=1)
    kinds = [(len(e["Records"]), e["isFinalInvokeForWindow"]) for e in world.function.events]
    assert kinds == [(1, False), (0, True), (1, False)]


@in_world()
async def test_partial_failures_keep_the_state_of_what_was_done(world: World) -> None:
    def answer(event: dict[str, Any]) -> Outcome:
        numbers = [record["dynamodb"]["SequenceNumber"] for record in event["Records"]]
        failures = [{"itemIdentifier": numbers[1]}] if len(numbers) > 1 else []
        state = {"n": event["state"].get("n", 0) + 1}
        return answered({"state": state, "batchItemFailures": failures})

    world.function.answer = answer
    await world.put("a", "b")
    await world.create(**_OPTIONS, reports_item_failures=True)
    await world.pass_retries(5)
    assert [e["state"] for e in world.function.events] == [{}, {"n": 1}]
    assert [len(e["Records"]) for e in world.function.events] == [2, 1]
