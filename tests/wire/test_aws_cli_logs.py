"""The `aws` command reads logs as people do, and does every action of CloudWatch Logs."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.operations.registry import LOG_ACTIONS
from penstock.testing.server import RunningServer
from wire.aws_cli import Aws, hyphenated

pytestmark = pytest.mark.slow

GROUP = ["--log-group-name", "/aws/lambda/f"]
STREAM = ["--log-stream-name", "2026/11/28/[$LATEST]a"]


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[Aws]:
    with RunningServer() as server:
        yield Aws(server.url, tmp_path)


def test_every_action_through_the_command_line(aws: Aws) -> None:
    def logs(action: str, *arguments: Any) -> Any:
        return aws.run("logs", action, *arguments)

    now_ms = time.time_ns() // 1_000_000
    texts = ["START", '{"level": "error", "took_ms": 120}', '{"level": "info"}', "END"]
    lines = [{"timestamp": now_ms + n, "message": text} for n, text in enumerate(texts)]
    assert logs("create-log-group", *GROUP) is None
    assert logs("create-log-stream", *GROUP, *STREAM) is None
    logs("put-log-events", *GROUP, *STREAM, "--log-events", lines)
    _, groups, streams, got, paged, found = aws.together(
        lambda: logs("put-retention-policy", *GROUP, "--retention-in-days", "7"),
        lambda: logs("describe-log-groups", "--log-group-name-prefix", "/aws/lambda/"),
        lambda: logs("describe-log-streams", *GROUP, "--order-by", "LastEventTime"),
        lambda: logs("get-log-events", *GROUP, *STREAM, "--start-from-head"),
        lambda: logs("filter-log-events", *GROUP, "--page-size", "1"),
        lambda: logs(
            "filter-log-events",
            *GROUP,
            *("--filter-pattern", '{ $.level = "error" && $.took_ms > 100 }'),
        ),
    )
    assert [group["logGroupName"] for group in groups["logGroups"]] == [GROUP[1]]
    assert [stream["logStreamName"] for stream in streams["logStreams"]] == [STREAM[1]]
    for answer in (got, paged):
        assert [event["message"] for event in answer["events"]] == texts
    assert [event["message"] for event in found["events"]] == [texts[1]]
    assert logs("delete-retention-policy", *GROUP) is None
    assert logs("delete-log-stream", *GROUP, *STREAM) is None
    assert logs("delete-log-group", *GROUP) is None
    assert aws.used == {f"logs {hyphenated(action)}" for action in LOG_ACTIONS}
