"""What becomes of a batch that fails: retries, ages, bisecting, partial failures (facts: 6, 7)."""

import itertools
from typing import Any

import pytest

from penstock.base import limits
from penstock.functions.invoker import NotInvoked, Outcome
from unit.consumers.world import World, answered, failed, in_world, keys_of


def _fails_on(*poison: str) -> Any:
    """Return a function that raises where it is given one of these keys."""
    return lambda event: failed() if set(poison) & set(keys_of(event)) else answered()


def _reports(world: World, *poison: str) -> Any:
    """Return a function that reports these keys as failed items."""

    def answer(event: dict[str, Any]) -> Outcome:
        failures = [
            {"itemIdentifier": record["dynamodb"]["SequenceNumber"]}
            for record, key in zip(event["Records"], keys_of(event), strict=True)
            if key in poison
        ]
        return answered({"batchItemFailures": failures})

    return answer


# --- MaximumRetryAttempts


@pytest.mark.parametrize(("attempts", "calls"), [(0, 1), (1, 2), (3, 4)])
def test_a_batch_is_tried_once_and_as_often_again_as_it_may(attempts: int, calls: int) -> None:
    async def test(world: World) -> None:
        world.function.answer = _fails_on("b")
        mapping = await world.create(
            retry_attempts_max=attempts, failure_destination="file://x.jsonl"
        )
        await world.put("a", "b", "c")
        await world.pass_retries()
        assert world.function.batches.count(["b"]) == calls
        assert world.function.batches[-1] == ["c"]
        (document,) = world.destination.documents
        context = document["requestContext"]
        assert context["condition"] == "RetryAttemptsExhausted"
        assert context["approximateInvokeCount"] == calls
        assert document["responseContext"]["functionError"] == "Unhandled"
        assert world.result(mapping) == "OK"  # of the last batch

    in_world()(test)()


@in_world()
async def test_without_a_limit_a_batch_is_tried_until_it_succeeds(world: World) -> None:
    world.function.answer = _fails_on("a")
    mapping = await world.create()
    await world.put("a", "b")
    await world.pass_retries(600)
    assert world.function.batches[0] == ["a"]
    assert ["b"] not in world.function.batches
    assert world.result(mapping) == "PROBLEM: Function call failed"
    world.function.answer = lambda event: answered()
    await world.pass_retries(60)
    assert world.function.batches[-1] == ["b"]
    assert world.result(mapping) == "OK"


@in_world()
async def test_retries_back_off(world: World) -> None:
    world.function.answer = _fails_on("a")
    await world.create()
    await world.put("a")
    times = []
    for _ in range(3000):
        before = len(world.function.events)
        await world.pass_ms(100)
        if len(world.function.events) > before:
            times.append(world.clock.elapsed_ms())
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert gaps[:5] == [200, 400, 800, 1600, 3200]
    assert gaps[-1] == limits.retry_ms_max


@in_world()
async def test_what_has_left_the_stream_is_tried_no_more(world: World) -> None:
    world.function.answer = _fails_on("a")
    await world.create(failure_destination="file://x.jsonl")
    await world.put("a")
    await world.pass_ms(limits.stream_retention_ms)
    await world.put("b")
    await world.pass_ms(60_000)
    await world.pass_retries(60)
    assert world.function.batches[-1] == ["b"]
    assert world.destination.documents == []  # as on AWS: the stream's end is no failure


# --- MaximumRecordAgeInSeconds


@in_world()
async def test_what_is_too_old_is_given_up_between_retries(world: World) -> None:
    world.function.answer = _fails_on("a")
    await world.create(record_age_seconds_max=60, failure_destination="file://x.jsonl")
    await world.put("a", "b")
    await world.pass_retries(59)
    calls = world.function.batches.count(["a"])
    assert ["b"] not in world.function.batches
    await world.pass_retries(40)
    document = world.destination.documents[0]
    assert document["requestContext"]["condition"] == "RecordAgeExceeded"
    assert document["requestContext"]["approximateInvokeCount"] == calls
    assert "responseContext" not in document


@in_world()
async def test_what_is_too_old_at_first_is_never_sent(world: World) -> None:
    await world.put("a")
    await world.pass_ms(61_000)
    await world.create(record_age_seconds_max=60, failure_destination="file://x.jsonl")
    await world.put("b")
    assert world.function.batches == [["b"]]
    (document,) = world.destination.documents
    assert document["requestContext"]["approximateInvokeCount"] == 1
    assert document["DDBStreamBatchInfo"]["batchSize"] == 1


@in_world()
async def test_without_an_age_nothing_is_too_old(world: World) -> None:
    await world.put("a")
    await world.pass_ms(limits.stream_retention_ms - 1000)
    await world.create(record_age_seconds_max=-1)
    assert world.function.batches == [["a"]]


# --- functions that do not run


@pytest.mark.parametrize("reason", ["throttled", "missing", "unavailable"])
def test_what_did_not_run_is_no_attempt(reason: Any) -> None:
    async def test(world: World) -> None:
        def refuse(event: dict[str, Any]) -> Outcome:
            raise NotInvoked(reason, "not now")

        world.function.answer = refuse
        mapping = await world.create(retry_attempts_max=0, failure_destination="file://x.jsonl")
        await world.put("a")
        await world.pass_retries(100)
        assert len(world.function.events) > 3
        assert world.destination.documents == []
        assert world.result(mapping) == "PROBLEM: Function call failed"
        (shown,) = world.engine.shown()
        assert bool(shown.counts.throttles) == (reason == "throttled")
        assert (shown.counts.invocations, shown.counts.errors) == (0, 0)
        world.function.answer = lambda event: answered()
        await world.pass_retries(60)
        assert world.result(mapping) == "OK"

    in_world()(test)()


@in_world()
async def test_what_did_not_run_grows_too_old_all_the_same(world: World) -> None:
    def refuse(event: dict[str, Any]) -> Outcome:
        raise NotInvoked("throttled", "not now")

    world.function.answer = refuse
    await world.create(record_age_seconds_max=60, failure_destination="file://x.jsonl")
    await world.put("a")
    await world.pass_retries(120)
    (document,) = world.destination.documents
    assert document["requestContext"]["condition"] == "RecordAgeExceeded"


# --- BisectBatchOnFunctionError


@in_world()
async def test_bisecting_finds_the_one_record_that_fails(world: World) -> None:
    keys = [f"{n}" for n in range(8)]
    world.function.answer = _fails_on("5")
    await world.put(*keys)
    await world.create(bisects=True, retry_attempts_max=2, failure_destination="file://x.jsonl")
    await world.pass_retries()
    batches = world.function.batches
    assert batches[:3] == [keys, keys[:4], keys[4:]]
    assert batches.count(["5"]) == 3
    (document,) = world.destination.documents
    assert document["DDBStreamBatchInfo"]["batchSize"] == 1
    done = [key for batch in batches if "5" not in batch for key in batch]
    assert done == [key for key in keys if key != "5"]  # each once, in order


@in_world()
async def test_splitting_uses_up_no_retries(world: World) -> None:
    world.function.answer = _fails_on("a", "b", "c", "d")
    await world.put("a", "b", "c", "d")
    await world.create(bisects=True, retry_attempts_max=0, failure_destination="file://x.jsonl")
    await world.pass_retries()
    assert world.function.batches == [
        ["a", "b", "c", "d"],
        ["a", "b"],
        ["a"],
        ["b"],
        ["c", "d"],
        ["c"],
        ["d"],
    ]
    assert len(world.destination.documents) == 4


@in_world()
async def test_without_bisecting_a_batch_stays_whole(world: World) -> None:
    world.function.answer = _fails_on("b")
    await world.put("a", "b", "c")
    await world.create(retry_attempts_max=1, failure_destination="file://x.jsonl")
    await world.pass_retries()
    assert world.function.batches == [["a", "b", "c"]] * 2
    (document,) = world.destination.documents
    assert document["DDBStreamBatchInfo"]["batchSize"] == 3


# --- ReportBatchItemFailures


@pytest.mark.parametrize(
    "answer",
    [None, "", {}, [], {"batchItemFailures": None}, {"batchItemFailures": []}],
)
def test_an_answer_without_failures_is_success(answer: object) -> None:
    async def test(world: World) -> None:
        world.function.answer = lambda event: answered(answer)
        await world.put("a", "b")
        mapping = await world.create(reports_item_failures=True)
        assert world.function.batches == [["a", "b"]]
        assert world.result(mapping) == "OK"

    in_world()(test)()


@pytest.mark.parametrize(
    "failures",
    [
        [{"itemIdentifier": ""}],
        [{"itemIdentifier": None}],
        [{"itemIdentifier": "4711"}],
        [{"foo": "bar"}],
        ["x"],
        "x",
    ],
)
def test_an_answer_that_names_no_record_fails_the_whole_batch(failures: object) -> None:
    async def test(world: World) -> None:
        world.function.answer = lambda event: answered({"batchItemFailures": failures})
        await world.put("a", "b")
        await world.create(
            reports_item_failures=True, retry_attempts_max=1, failure_destination="file://x.jsonl"
        )
        await world.pass_retries()
        assert world.function.batches == [["a", "b"]] * 2
        (document,) = world.destination.documents
        assert document["responseContext"]["functionError"] is None
        assert document["DDBStreamBatchInfo"]["batchSize"] == 2

    in_world()(test)()


@in_world()
async def test_the_lowest_failure_is_where_it_goes_on(world: World) -> None:
    world.function.answer = _reports(world, "c", "e")
    stamps = await world.put("a", "b", "c", "d", "e")
    await world.create(
        reports_item_failures=True, retry_attempts_max=2, failure_destination="file://x.jsonl"
    )
    await world.pass_retries()
    assert world.function.batches == [list("abcde"), list("cde"), list("cde")]
    (document,) = world.destination.documents
    info = document["DDBStreamBatchInfo"]
    assert info["batchSize"] == 3
    assert info["startSequenceNumber"].endswith(str(stamps[2])[-10:])
    assert info["endSequenceNumber"].endswith(str(stamps[4])[-10:])


@in_world()
async def test_what_came_before_a_failure_is_not_sent_again_after_a_restart(world: World) -> None:
    world.function.answer = _reports(world, "c")
    await world.put("a", "b", "c")
    await world.create(reports_item_failures=True)
    await world.restart()
    assert world.function.batches[-1] == ["c"]


@in_world()
async def test_without_the_flag_the_answer_means_nothing(world: World) -> None:
    world.function.answer = _reports(world, "a")
    await world.put("a", "b")
    mapping = await world.create(reports_item_failures=False)
    await world.pass_retries()
    assert world.function.batches == [["a", "b"]]
    assert world.result(mapping) == "OK"


@in_world()
async def test_with_bisecting_a_partial_failure_splits_where_it_says(world: World) -> None:
    world.function.answer = _reports(world, "c")
    await world.put("a", "b", "c", "d", "e")
    await world.create(
        reports_item_failures=True,
        bisects=True,
        retry_attempts_max=1,
        failure_destination="file://x.jsonl",
    )
    await world.pass_retries()
    assert world.function.batches == [
        list("abcde"),
        list("cde"),
        list("cd"),
        ["c"],
        ["c"],
        ["d"],
        ["e"],
    ]
    (document,) = world.destination.documents
    assert document["DDBStreamBatchInfo"]["batchSize"] == 1


@in_world()
async def test_an_exception_bisects_with_partial_failures_too(world: World) -> None:
    world.function.answer = _fails_on("b")
    await world.put("a", "b")
    await world.create(reports_item_failures=True, bisects=True, retry_attempts_max=0)
    await world.pass_retries()
    assert world.function.batches == [["a", "b"], ["a"], ["b"]]


# --- destinations


@in_world()
async def test_a_document_tells_where_to_find_what_failed(world: World) -> None:
    world.function.answer = _fails_on("a")
    mapping = await world.create(
        retry_attempts_max=0, failure_destination="arn:aws:sqs:us-east-1:000000000000:dead"
    )
    await world.put("a")
    await world.pass_retries(1)
    (document,) = world.destination.documents
    ((destination, payload, key),) = world.destination.told
    assert destination == "arn:aws:sqs:us-east-1:000000000000:dead"
    assert document["requestContext"]["functionArn"] == mapping.function_arn
    assert document["DDBStreamBatchInfo"]["streamArn"] == mapping.source_arn
    assert payload.startswith(b'{"Records":[{')
    assert key.startswith(f"aws/lambda/{mapping.uuid}/{document['DDBStreamBatchInfo']['shardId']}/")


@in_world()
async def test_a_destination_that_is_down_is_tried_and_then_passed_over(world: World) -> None:
    world.function.answer = _fails_on("a")
    world.destination.is_down = True
    await world.create(retry_attempts_max=0, failure_destination="file://x.jsonl")
    await world.put("a", "b")
    assert world.destination.attempts == 1
    assert ["b"] not in world.function.batches
    await world.pass_retries(10)
    assert world.destination.attempts == limits.destination_attempts_max
    assert world.function.batches[-1] == ["b"]
    (shown,) = world.engine.shown()
    assert (shown.counts.delivery_failures, shown.counts.delivered_on_failure) == (1, 0)
    assert shown.counts.last_error == "it is down"


@in_world()
async def test_without_a_destination_what_is_given_up_is_counted(world: World) -> None:
    world.function.answer = _fails_on("a")
    await world.create(retry_attempts_max=0)
    await world.put("a", "b")
    await world.pass_retries(10)
    (shown,) = world.engine.shown()
    assert shown.counts.dropped == 1
    assert shown.counts.errors == 1
