"""DescribeLogGroups: what is told of a group, filters of names, and pages."""

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from wire.cloudwatch_logs.conftest import Group


@pytest.fixture
def named(logs: Any) -> Iterator[tuple[str, list[str]]]:
    """A prefix, and the groups that have it, in their order."""
    prefix = f"p-{uuid.uuid4().hex[:12]}"
    names = [prefix + end for end in ("", "-a", "-a/b", "-a0", "-b/needle", "-c")]
    for name in names:
        logs.create_log_group(logGroupName=name)
    yield prefix, names
    for name in names:
        logs.delete_log_group(logGroupName=name)


def listed(logs: Any, **asked: Any) -> list[str]:
    """Return the names on all pages."""
    names: list[str] = []
    while True:
        page = logs.describe_log_groups(**asked)
        names += [each["logGroupName"] for each in page["logGroups"]]
        if "nextToken" not in page:
            return names
        asked["nextToken"] = page["nextToken"]


@pytest.mark.parametrize(
    "asked",
    [
        {"limit": 0},
        {"limit": 51},
        {"nextToken": "nowhere"},
        {"logGroupNamePrefix": "a", "logGroupNamePattern": "b"},
        {"includeLinkedAccounts": True},
        {"accountIdentifiers": ["000000000000"]},
        {"logGroupClass": "OTHER"},
        {"logGroupIdentifiers": ["arn:aws:logs:us-east-1:999999999999:log-group:g"]},
    ],
)
def test_refusals(logs: Any, refused: Callable[..., str], asked: dict[str, Any]) -> None:
    assert refused("InvalidParameterException", logs.describe_log_groups, **asked)


def test_what_is_told_of_a_group(group: Group) -> None:
    group.put("s", (0, "line"))
    (found,) = group.client.describe_log_groups(logGroupNamePrefix=group.name)["logGroups"]
    arn = f"arn:aws:logs:us-east-1:000000000000:log-group:{group.name}"
    assert abs(found.pop("creationTime") - group.now_ms) < 60_000
    assert found == {
        "logGroupName": group.name,
        "metricFilterCount": 0,
        "arn": f"{arn}:*",
        "storedBytes": 30,
        "logGroupClass": "STANDARD",
        "logGroupArn": arn,
    }


def test_every_limit_gives_the_same_groups(logs: Any, named: tuple[str, list[str]]) -> None:
    prefix, names = named
    for limit in range(1, 8):
        assert listed(logs, logGroupNamePrefix=prefix, limit=limit) == names


def test_filters_of_names_class_and_identifiers(logs: Any, named: tuple[str, list[str]]) -> None:
    prefix, names = named
    assert listed(logs, logGroupNamePrefix=f"{prefix}-a") == names[1:4]
    assert listed(logs, logGroupNamePattern=f"{prefix[3:]}-b/nee") == [names[4]]
    assert listed(logs, logGroupNamePrefix=prefix, logGroupClass="STANDARD") == names
    assert listed(logs, logGroupNamePrefix=prefix, logGroupClass="DELIVERY") == []
    arn = f"arn:aws:logs:us-east-1:000000000000:log-group:{names[1]}"
    assert listed(logs, logGroupIdentifiers=[names[5], arn, "none"]) == [names[1], names[5]]


def test_another_region_has_its_own(
    make_client: Callable[..., Any], named: tuple[str, list[str]]
) -> None:
    assert listed(make_client("logs", "eu-west-1"), logGroupNamePrefix=named[0]) == []
