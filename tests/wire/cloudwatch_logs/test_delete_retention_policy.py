"""DeleteRetentionPolicy: a group is kept as long as others are again."""

from collections.abc import Callable
from typing import Any

from wire.cloudwatch_logs.conftest import Group, Own

DAY_MS = 24 * 3600 * 1000


def test_a_group_that_is_not_there(logs: Any, refused: Callable[..., str]) -> None:
    text = refused("ResourceNotFoundException", logs.delete_retention_policy, logGroupName="none")
    assert text == "The specified log group does not exist."


def test_it_is_no_longer_told_of_the_group(group: Group) -> None:
    group.client.put_retention_policy(logGroupName=group.name, retentionInDays=14)
    group.client.delete_retention_policy(logGroupName=group.name)
    (found,) = group.client.describe_log_groups(logGroupNamePrefix=group.name)["logGroups"]
    assert "retentionInDays" not in found


def test_lines_then_go_by_the_days_of_the_server(own: Own) -> None:
    own.group.put("s", (0, "line"))
    own.group.client.put_retention_policy(logGroupName="g", retentionInDays=7)
    own.clock.advance(3 * DAY_MS)
    assert own.group.filter() == ["line"]
    own.group.client.delete_retention_policy(logGroupName="g")
    assert own.group.filter() == []
