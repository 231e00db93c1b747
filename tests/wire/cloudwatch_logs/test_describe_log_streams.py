"""DescribeLogStreams: what is told of a stream, the two orders, and pages."""

from collections.abc import Callable
from typing import Any

import pytest

from wire.cloudwatch_logs.conftest import Group


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"logGroupName": "none"}, "ResourceNotFoundException"),
        ({"logGroupIdentifier": "none"}, "InvalidParameterException"),
        ({"logGroupName": None}, "InvalidParameterException"),
        ({"orderBy": "Size"}, "InvalidParameterException"),
        ({"orderBy": "LastEventTime", "logStreamNamePrefix": "a"}, "InvalidParameterException"),
        ({"limit": 51}, "InvalidParameterException"),
        ({"nextToken": "nowhere"}, "InvalidParameterException"),
    ],
)
def test_refusals(
    group: Group, refused: Callable[..., str], asked: dict[str, Any], code: str
) -> None:
    given = {"logGroupName": group.name, **asked}
    given = {name: value for name, value in given.items() if value is not None}
    assert refused(code, group.client.describe_log_streams, **given)


def test_what_is_told_of_a_stream(group: Group) -> None:
    group.put("2026/[$LATEST]a", (5, "one"), (7, "two"))
    (found,) = group.client.describe_log_streams(
        logGroupIdentifier=f"arn:aws:logs:us-east-1:000000000000:log-group:{group.name}"
    )["logStreams"]
    for member in ("creationTime", "lastIngestionTime"):
        assert abs(found.pop(member) - group.now_ms) < 60_000
    assert found == {
        "logStreamName": "2026/[$LATEST]a",
        "firstEventTimestamp": group.now_ms + 5,
        "lastEventTimestamp": group.now_ms + 7,
        "arn": f"arn:aws:logs:us-east-1:000000000000:log-group:{group.name}"
        ":log-stream:2026/[$LATEST]a",
        "storedBytes": 0,
    }


def test_orders_prefixes_and_pages(group: Group) -> None:
    for at, name in ((30, "a"), (10, "ab"), (20, "b")):
        group.put(name, (at, "line"))
    group.client.create_log_stream(logGroupName=group.name, logStreamName="empty")
    by_time = ["empty", "ab", "b", "a"]
    for limit in (1, 2, 3, 50):
        assert group.streams(limit=limit) == ["a", "ab", "b", "empty"]
        assert group.streams(limit=limit, descending=True) == ["empty", "b", "ab", "a"]
        ordered = {"limit": limit, "orderBy": "LastEventTime"}
        assert group.streams(**ordered) == by_time
        assert group.streams(**ordered, descending=True) == by_time[::-1]
        assert group.streams(limit=limit, logStreamNamePrefix="a") == ["a", "ab"]
