"""CreateLogStream: names, groups that are not there, and the stream that is then there."""

from collections.abc import Callable
from typing import Any

import pytest

from wire.cloudwatch_logs.conftest import Group
from wire.refusal_texts import constraint


@pytest.mark.parametrize("name", ["a:b", "a*b"])
def test_names_that_are_none(group: Group, refused: Callable[..., str], name: str) -> None:
    text = refused(
        "InvalidParameterException",
        group.client.create_log_stream,
        logGroupName=group.name,
        logStreamName=name,
    )
    assert text == constraint(name, "logStreamName", "satisfy regular expression pattern: [^:*]*")


def test_a_name_with_nul_is_refused(group: Group, refused: Callable[..., str]) -> None:
    text = refused(
        "InvalidParameterException",
        group.client.create_log_stream,
        logGroupName=group.name,
        logStreamName="a\0b",
    )
    assert text == "A log stream's name cannot have the character U+0000"


def test_in_a_group_that_is_not_there(logs: Any, refused: Callable[..., str]) -> None:
    text = refused(
        "ResourceNotFoundException",
        logs.create_log_stream,
        logGroupName="no-such-group",
        logStreamName="s",
    )
    assert text == "The specified log group does not exist."


def test_a_stream_is_made_once_and_is_empty(group: Group, refused: Callable[..., str]) -> None:
    name = "2026/11/28/[$LATEST]é"
    named = {"logGroupName": group.name, "logStreamName": name}
    group.client.create_log_stream(**named)
    (found,) = group.client.describe_log_streams(logGroupName=group.name)["logStreams"]
    assert found["logStreamName"] == name
    assert "lastEventTimestamp" not in found
    assert group.get(name)["events"] == []
    text = refused("ResourceAlreadyExistsException", group.client.create_log_stream, **named)
    assert text == "The specified log stream already exists"
