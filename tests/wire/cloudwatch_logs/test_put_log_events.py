"""PutLogEvents: what may come together, what is left out, and what is then there."""

from collections.abc import Callable
from typing import Any

import pytest

from wire.cloudwatch_logs.conftest import Group, Own, messages

HOUR_MS = 3600_000
DAY_MS = 24 * HOUR_MS


def put(group: Group, events: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """Return what the call has to be given."""
    return {"logGroupName": group.name, "logStreamName": "s", "logEvents": events, **more}


@pytest.mark.parametrize(
    ("events", "text"),
    [
        (
            [(0, "x" * (1024 * 1024 - 25))],
            "Log event too large: 1048577 bytes exceeds limit of 1048576",
        ),
        (
            [(0, "x" * 600_000), (1, "x" * 600_000)],
            "Upload too large: 1200052 bytes exceeds limit of 1048576",
        ),
        (
            [(1, "b"), (0, "a")],
            "Log events in a single PutLogEvents request must be in chronological order.",
        ),
        (
            [(-DAY_MS, "a"), (1, "b")],
            (
                "The batch of log events in a single PutLogEvents request cannot span more than"
                " 24 hours."
            ),
        ),
    ],
)
def test_lines_that_cannot_come_together(
    group: Group, refused: Callable[..., str], events: list[tuple[int, str]], text: str
) -> None:
    group.put("s", (0, "first"))
    given = [{"timestamp": group.now_ms + at, "message": message} for at, message in events]
    code = "InvalidParameterException"
    assert refused(code, group.client.put_log_events, **put(group, given)) == text
    assert group.filter() == ["first"]


@pytest.mark.parametrize(
    "events",
    [
        [],
        [{"message": "a"}],
        [{"timestamp": 1}],
        [{"timestamp": -1, "message": "a"}],
        [{"timestamp": 1, "message": ""}],
    ],
)
def test_events_that_are_none(
    group: Group, refused: Callable[..., str], events: list[dict[str, Any]]
) -> None:
    code = "InvalidParameterException"
    text = refused(code, group.client.put_log_events, **put(group, events))
    assert "failed to satisfy constraint" in text


def test_groups_and_streams_that_are_not_there(group: Group, refused: Callable[..., str]) -> None:
    events = [{"timestamp": group.now_ms, "message": "a"}]
    call, code = group.client.put_log_events, "ResourceNotFoundException"
    text = refused(code, call, **put(group, events, logGroupName="none"))
    assert text == "The specified log group does not exist."
    text = refused(code, call, **put(group, events))
    assert text == "The specified log stream does not exist."


def test_an_entity_is_refused_and_a_sequence_token_means_nothing(
    group: Group, refused: Callable[..., str]
) -> None:
    group.put("s", (0, "first"))
    events = [{"timestamp": group.now_ms + 1, "message": "second"}]
    entity = {"keyAttributes": {"Type": "Service", "Name": "n"}}
    call = group.client.put_log_events
    assert "entity" in refused(
        "InvalidParameterException", call, **put(group, events, entity=entity)
    )
    call(**put(group, events, sequenceToken="any"))
    assert group.filter() == ["first", "second"]


def test_lines_out_of_their_time_are_left_out_and_told(own: Own) -> None:
    group = own.group
    group.put("s", (0, "first"))
    call, now_ms = group.client.put_log_events, own.clock.now_ms()

    def rejected(*ages_ms: int) -> Any:
        events = [{"timestamp": now_ms - age_ms, "message": f"{age_ms}"} for age_ms in ages_ms]
        return call(**put(group, events))["rejectedLogEventsInfo"]

    assert rejected(2 * DAY_MS + 1, 2 * DAY_MS) == {"expiredLogEventEndIndex": 1}
    assert rejected(14 * DAY_MS + 1) == {"tooOldLogEventEndIndex": 1}
    assert rejected(0, -2 * HOUR_MS, -2 * HOUR_MS - 1) == {"tooNewLogEventStartIndex": 2}
    assert sorted(group.filter()) == sorted([str(2 * DAY_MS), "first", "0", str(-2 * HOUR_MS)])


def test_lines_that_come_late_stand_where_their_times_are(group: Group) -> None:
    group.put("s", (-5000, "b"), (0, "d"))
    group.put("s", (-20_000, "a"), (-1, "c"))
    assert messages(group.get("s", startFromHead=True)) == ["a", "b", "c", "d"]


def test_any_text_comes_back_as_it_was(group: Group) -> None:
    texts = ["é€😀", 'tab\tquote"back\\slash', "two\nlines", "nul\0", " ", "x" * 300_000]
    group.put("s", *enumerate(texts))
    assert group.filter() == texts


def test_of_more_than_a_group_may_have_the_latest_stay(own: Own) -> None:
    for number in range(8):
        group = own.group
        group.put("s", *((number * 1000 + n, f"{number} " + "x" * 1000) for n in range(300)))
        own.clock.advance(1000)
    (found,) = own.group.client.describe_log_groups()["logGroups"]
    assert found["storedBytes"] <= 1024 * 1024 * 1.25
    own.server.catch_up()
    (found,) = own.group.client.describe_log_groups()["logGroups"]
    assert found["storedBytes"] <= 1024 * 1024
    kept = own.group.filter()
    assert kept[-1].startswith("7 ")
    assert not kept[0].startswith("0 ")
    assert sum(len(line) + 26 for line in kept) == found["storedBytes"]
