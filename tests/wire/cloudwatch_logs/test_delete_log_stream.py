"""DeleteLogStream: its lines go with it, and its group counts them no more."""

from collections.abc import Callable

import pytest

from wire.cloudwatch_logs.conftest import Group


@pytest.mark.parametrize(
    ("named", "text"),
    [
        ({"logGroupName": "no-such"}, "The specified log group does not exist."),
        ({"logStreamName": "no-such"}, "The specified log stream does not exist."),
    ],
)
def test_what_is_not_there(
    group: Group, refused: Callable[..., str], named: dict[str, str], text: str
) -> None:
    asked = {"logGroupName": group.name, "logStreamName": "s", **named}
    code = "ResourceNotFoundException"
    assert refused(code, group.client.delete_log_stream, **asked) == text


def test_its_lines_go_and_no_others(group: Group) -> None:
    group.put("s", (0, "one"))
    group.put("sx", (1, "other"))
    group.client.delete_log_stream(logGroupName=group.name, logStreamName="s")
    assert group.streams() == ["sx"]
    assert group.filter() == ["other"]
    described = group.client.describe_log_groups(logGroupNamePrefix=group.name)
    assert described["logGroups"][0]["storedBytes"] == len("other") + 26
