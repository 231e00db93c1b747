"""DeleteLogGroup: all that is in it goes with it, and nothing of groups with names like its own."""

from collections.abc import Callable
from typing import Any

from wire.cloudwatch_logs.conftest import Group


def test_a_group_that_is_not_there(logs: Any, refused: Callable[..., str]) -> None:
    text = refused("ResourceNotFoundException", logs.delete_log_group, logGroupName="no-such")
    assert text == "The specified log group does not exist."


def test_streams_and_lines_go_with_it(group: Group, refused: Callable[..., str]) -> None:
    client, longer = group.client, Group(group.client, group.name + "x", group.now_ms)
    client.create_log_group(logGroupName=longer.name)
    for each in (group, longer):
        each.put("s", (0, "line"))
    client.delete_log_group(logGroupName=group.name)
    refused(
        "ResourceNotFoundException",
        client.get_log_events,
        logGroupName=group.name,
        logStreamName="s",
    )
    assert longer.filter() == ["line"]
    client.delete_log_group(logGroupName=longer.name)
    client.create_log_group(logGroupName=group.name)
    assert group.streams() == []
    assert group.filter() == []
