"""PutRetentionPolicy: the days that there are, and what they do to lines."""

from collections.abc import Callable
from typing import Any

import pytest

from wire.cloudwatch_logs.conftest import Group, Own, messages

DAY_MS = 24 * 3600 * 1000


@pytest.mark.parametrize("days", [0, 2, -1, 4000])
def test_days_that_aws_does_not_have(group: Group, refused: Callable[..., str], days: int) -> None:
    text = refused(
        "InvalidParameterException",
        group.client.put_retention_policy,
        logGroupName=group.name,
        retentionInDays=days,
    )
    assert text.startswith("Invalid retention value. Valid values are: 1, 3, 5, 7, 14,")


def test_a_group_that_is_not_there(logs: Any, refused: Callable[..., str]) -> None:
    text = refused(
        "ResourceNotFoundException",
        logs.put_retention_policy,
        logGroupName="no-such",
        retentionInDays=1,
    )
    assert text == "The specified log group does not exist."


def test_it_is_told_of_the_group(group: Group) -> None:
    group.client.put_retention_policy(logGroupName=group.name, retentionInDays=14)
    (found,) = group.client.describe_log_groups(logGroupNamePrefix=group.name)["logGroups"]
    assert found["retentionInDays"] == 14


def test_lines_past_their_days_are_gone_at_once_and_their_space_after_the_job(own: Own) -> None:
    """And lines of a group that keeps them longer stay longer than those of others."""
    group = own.group
    group.client.put_retention_policy(logGroupName="g", retentionInDays=1)
    group.put("s", (0, "old"))
    own.clock.advance(DAY_MS)
    group.put("s", (DAY_MS, "new"))
    assert group.filter() == ["old", "new"]
    own.clock.advance(1)
    assert group.filter() == ["new"]
    assert messages(group.get("s", startFromHead=True)) == ["new"]
    group.client.put_retention_policy(logGroupName="g", retentionInDays=5)
    assert group.filter() == ["old", "new"], "nothing was taken away yet"
    own.server.catch_up()
    assert group.filter() == ["old", "new"]
    own.clock.advance(4 * DAY_MS)
    assert group.filter() == ["new"]
    own.server.catch_up()
    (found,) = group.client.describe_log_groups()["logGroups"]
    assert found["storedBytes"] == len("new") + 26
