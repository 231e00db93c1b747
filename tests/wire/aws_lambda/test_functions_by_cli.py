"""The `aws` command makes, invokes, changes and deletes functions, with only the endpoint changed.

Each call is a process of its own that takes about a second: so there is one story.
"""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.testing.server import RunningServer
from wire.aws_cli import Aws
from wire.aws_lambda.code import HANDLER, ROLE, zip_of

pytestmark = pytest.mark.slow

NAME = ("--function-name", "hello")


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[Aws]:
    with RunningServer() as server:
        yield Aws(server.url, tmp_path)


def test_the_life_of_a_function(aws: Aws, tmp_path: Path) -> None:
    code, out = tmp_path / "code.zip", tmp_path / "out.json"
    code.write_bytes(zip_of({"app.py": HANDLER}))
    made = aws.run(
        "lambda",
        "create-function",
        *(*NAME, "--runtime", "python3.12", "--handler", "app.handler", "--role", ROLE),
        *("--zip-file", f"fileb://{code}", "--tags", "team=blue", "--publish"),
    )
    assert (made["Version"], made["State"]) == ("1", "Active")
    aws.run("lambda", "wait", "function-active-v2", *NAME)

    payload = tmp_path / "event.json"
    payload.write_text('{"a": 1}')
    told = aws.run(
        "lambda",
        "invoke",
        *(*NAME, "--payload", f"fileb://{payload}", "--log-type", "Tail", str(out)),
    )
    assert json.loads(out.read_text()) == {"a": 1}
    assert told["ExecutedVersion"] == "$LATEST"
    assert "REPORT RequestId" in base64.b64decode(told["LogResult"]).decode()

    aws.run("lambda", "update-function-configuration", *NAME, "--timeout", "9")
    aws.run("lambda", "publish-version", *NAME)
    aws.run("lambda", "create-alias", *NAME, "--name", "live", "--function-version", "2")
    shown, tags, listed = aws.together(
        lambda: aws.run("lambda", "get-function", *NAME, "--qualifier", "live"),
        lambda: aws.run("lambda", "list-tags", "--resource", made["FunctionArn"][:-2]),
        lambda: aws.run("lambda", "list-versions-by-function", *NAME),
    )
    assert shown["Configuration"]["Timeout"] == 9
    assert tags["Tags"] == {"team": "blue"}
    assert [each["Version"] for each in listed["Versions"]] == ["$LATEST", "1", "2"]

    aws.run("lambda", "delete-function", *NAME)
    refusal = aws.refused("lambda", "get-function", *NAME)
    assert "(ResourceNotFoundException)" in refusal
    assert "Function not found: arn:aws:lambda:us-east-1:000000000000:function:hello" in refusal
