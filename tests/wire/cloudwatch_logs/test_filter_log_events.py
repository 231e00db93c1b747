"""FilterLogEvents: many streams by their times, which of them, patterns, and pages."""

from collections.abc import Callable
from typing import Any

import pytest

from wire.cloudwatch_logs.conftest import Group


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"logGroupName": "none"}, "ResourceNotFoundException"),
        ({"logStreamNames": ["none"]}, "ResourceNotFoundException"),
        ({"logStreamNames": []}, "InvalidParameterException"),
        ({"logStreamNames": ["s"] * 101}, "InvalidParameterException"),
        ({"logStreamNames": ["s"], "logStreamNamePrefix": "s"}, "InvalidParameterException"),
        ({"filterPattern": "a:b"}, "InvalidParameterException"),
        ({"filterPattern": "[a, b]"}, "InvalidParameterException"),
        ({"filterPattern": "{ $.a = 1"}, "InvalidParameterException"),
        ({"filterPattern": "x" * 1025}, "InvalidParameterException"),
        ({"nextToken": "nowhere"}, "InvalidParameterException"),
        ({"limit": 10_001}, "InvalidParameterException"),
        ({"filterPattern": 5}, "SerializationException"),
    ],
)
def test_refusals(
    group: Group, refused: Callable[..., str], asked: dict[str, Any], code: str
) -> None:
    group.put("s", (0, "line"))
    given = {"logGroupName": group.name, **asked}
    assert refused(code, group.client.filter_log_events, **given)


@pytest.fixture
def three(group: Group) -> Group:
    """A group with three streams whose lines are between each other's."""
    for first, name in enumerate(("a1", "a2", "b1")):
        group.put(name, *((n, f"{name} line {n}") for n in range(first, 30, 3)))
    return group


def lines(*streams: int, until: int = 30) -> list[str]:
    names = ("a1", "a2", "b1")
    return [f"{names[n % 3]} line {n}" for n in range(until) if n % 3 in streams]


def test_lines_of_all_streams_come_by_their_times(three: Group) -> None:
    assert three.filter() == lines(0, 1, 2)
    assert three.filter(startFromHead=False) == lines(0, 1, 2)[::-1]
    assert three.filter(interleaved=False) == lines(0, 1, 2), "as on AWS, it means nothing"


def test_streams_by_their_names_or_a_prefix(three: Group) -> None:
    assert three.filter(logStreamNames=["b1", "a1", "b1"]) == lines(0, 2)
    assert three.filter(logStreamNamePrefix="a") == lines(0, 1)
    assert three.filter(logStreamNamePrefix="c") == []


def test_a_range_of_times_has_its_start_and_its_end(three: Group) -> None:
    begin = three.now_ms
    assert three.filter(startTime=begin + 5, endTime=begin + 7) == lines(0, 1, 2)[5:8]
    assert three.filter(startTime=begin + 31) == []
    assert three.filter(endTime=begin - 1) == []
    assert three.filter(startTime=0, endTime=10**18) == lines(0, 1, 2)


@pytest.mark.parametrize("limit", [1, 7, 29, 30, 31])
@pytest.mark.parametrize("from_head", [True, False])
def test_every_limit_gives_the_same_lines(three: Group, limit: int, from_head: bool) -> None:
    wanted = lines(0, 1, 2) if from_head else lines(0, 1, 2)[::-1]
    page = three.client.filter_log_events(
        logGroupName=three.name, limit=limit, startFromHead=from_head
    )
    assert len(page["events"]) == min(limit, 30)
    assert ("nextToken" in page) == (limit < 30)
    assert three.filter(limit=limit, startFromHead=from_head) == wanted


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ("ERROR", ["ERROR one", "an ERROR two"]),
        ('"ERROR two"', ["an ERROR two"]),
        ("?one ?three", ["ERROR one", '{"n": 3, "s": "three"}']),
        ("-ERROR", ['{"n": 3, "s": "three"}', '{"n": 4}']),
        ("{ $.n >= 3 && $.s NOT EXISTS }", ['{"n": 4}']),
        ("{ $.s = th* }", ['{"n": 3, "s": "three"}']),
        ("", ["ERROR one", "an ERROR two", '{"n": 3, "s": "three"}', '{"n": 4}']),
    ],
)
def test_patterns(group: Group, pattern: str, wanted: list[str]) -> None:
    group.put(
        "s",
        *enumerate(["ERROR one", "an ERROR two", '{"n": 3, "s": "three"}', '{"n": 4}']),
    )
    assert group.filter(filterPattern=pattern) == wanted


def test_an_event_names_its_stream_and_has_an_id_of_its_own(three: Group) -> None:
    found = three.filtered()
    assert {event["logStreamName"] for event in found} == {"a1", "a2", "b1"}
    ids = [event["eventId"] for event in found]
    assert ids == sorted(set(ids))
    assert all(len(each) == 56 and each.isdecimal() for each in ids)
    assert [event["eventId"] for event in three.filtered(filterPattern="line")] == ids


def test_a_page_that_searched_much_and_found_nothing_is_not_the_last(group: Group) -> None:
    for number in range(6):
        group.put("s", *((number, "x" * 50_000) for _ in range(20)))
    group.put("s", (10, "needle"))
    page = group.client.filter_log_events(logGroupName=group.name, filterPattern="needle")
    assert page["events"] == []
    assert group.filter(filterPattern="needle") == ["needle"]
    assert page["searchedLogStreams"] == []
