"""GetLogEvents: the two directions, times, limits, and tokens that stay what they are at an end."""

from collections.abc import Callable
from typing import Any

import pytest

from wire.cloudwatch_logs.conftest import Group, messages


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"logGroupName": "none"}, "ResourceNotFoundException"),
        ({"logStreamName": "none"}, "ResourceNotFoundException"),
        ({"logStreamName": None}, "InvalidParameterException"),
        ({"logGroupIdentifier": "g"}, "InvalidParameterException"),
        ({"startTime": -1}, "InvalidParameterException"),
        ({"limit": 0}, "InvalidParameterException"),
        ({"limit": 10_001}, "InvalidParameterException"),
        ({"nextToken": "f"}, "InvalidParameterException"),
        ({"nextToken": "f/"}, "InvalidParameterException"),
        ({"nextToken": "x/lM8AAA"}, "InvalidParameterException"),
        ({"nextToken": "b/é"}, "InvalidParameterException"),
        ({"startTime": "now"}, "SerializationException"),
    ],
)
def test_refusals(
    group: Group, refused: Callable[..., str], asked: dict[str, Any], code: str
) -> None:
    group.put("s", (0, "line"))
    given = {"logGroupName": group.name, "logStreamName": "s", **asked}
    given = {name: value for name, value in given.items() if value is not None}
    assert refused(code, group.client.get_log_events, **given)


def test_an_event_has_its_times_and_its_text(group: Group) -> None:
    group.put("s", (3, "line"))
    (event,) = group.get("s")["events"]
    assert abs(event.pop("ingestionTime") - group.now_ms) < 60_000
    assert event == {"timestamp": group.now_ms + 3, "message": "line"}


def test_from_the_end_and_from_the_head(group: Group) -> None:
    group.put("s", *((n, str(n)) for n in range(10)))
    assert messages(group.get("s", limit=3)) == ["7", "8", "9"]
    assert messages(group.get("s", limit=3, startFromHead=True)) == ["0", "1", "2"]
    assert messages(group.get("s")) == [str(n) for n in range(10)]


def test_a_range_of_times_has_its_start_and_not_its_end(group: Group) -> None:
    group.put("s", *((n, str(n)) for n in range(5)))
    begin = group.now_ms
    assert messages(group.get("s", startTime=begin + 1, endTime=begin + 3)) == ["1", "2"]
    assert messages(group.get("s", startTime=begin + 3)) == ["3", "4"]
    assert messages(group.get("s", startTime=10**18)) == []
    assert messages(group.get("s", endTime=10**18)) == [str(n) for n in range(5)]


@pytest.mark.parametrize("limit", [1, 2, 3, 10, 11])
def test_pages_in_both_directions_and_tokens_that_repeat_at_the_ends(
    group: Group, limit: int
) -> None:
    group.put("s", *((n // 3, str(n)) for n in range(10)))
    everything = [str(n) for n in range(10)]
    answer = group.get("s", limit=limit, startFromHead=True)
    found = messages(answer)
    while True:
        token = answer["nextForwardToken"]
        answer = group.get("s", limit=limit, startFromHead=True, nextToken=token)
        if answer["nextForwardToken"] == token:
            break
        found += messages(answer)
    assert found == everything
    assert answer["events"] == []
    back: list[str] = []
    while True:
        token = answer["nextBackwardToken"]
        answer = group.get("s", limit=limit, nextToken=token)
        if answer["nextBackwardToken"] == token:
            break
        back = messages(answer) + back
    assert back == everything
    assert messages(group.get("s", nextToken=answer["nextForwardToken"])) == everything


def test_whoever_waits_at_the_end_of_an_empty_stream_hears_what_comes(group: Group) -> None:
    group.client.create_log_stream(logGroupName=group.name, logStreamName="t")
    for from_head in (True, False):
        token = group.get("t", startFromHead=from_head)["nextForwardToken"]
        again = group.get("t", nextToken=token)
        assert (again["events"], again["nextForwardToken"]) == ([], token)
    events = [{"timestamp": group.now_ms, "message": "first"}]
    group.client.put_log_events(logGroupName=group.name, logStreamName="t", logEvents=events)
    assert messages(group.get("t", nextToken=token)) == ["first"]


def test_a_page_has_a_megabyte_at_most(group: Group) -> None:
    for number in range(5):
        group.put("s", *((number, f"{number}.{n}" + "x" * 50_000) for n in range(15)))
    answer = group.get("s", startFromHead=True)
    page = messages(answer)
    assert 900_000 < sum(len(text) + 26 for text in page) <= 1024 * 1024
    rest = messages(group.get("s", nextToken=answer["nextForwardToken"]))
    assert rest[0][:3] not in {text[:3] for text in page[-1:]}
    assert sum(len(text) + 26 for text in rest) <= 1024 * 1024
