"""Invoking functions by Lambda's own API, at a server that speaks it."""

import asyncio
import base64
import json
import socket
import subprocess
import sys
from typing import Any

import pytest

from penstock.base import limits
from penstock.functions.invoker import NotInvoked, Outcome
from penstock.functions.remote_function import parse_remote_function
from penstock.functions.remote_invoker import RemoteInvoker
from unit.functions.scripted_server import Asked, Said, Script, ScriptedServer

ARN = "arn:aws:lambda:us-east-1:000000000000:function:elsewhere"
SECONDS_MAX = 30.0


def call(
    endpoint: str, arn: str = ARN, query: str = "", seconds_max: float = SECONDS_MAX, **more: Any
) -> Outcome:
    """Return what came of invoking the function `there` at `endpoint`."""

    async def invoke() -> Outcome:
        function = parse_remote_function(f"lambda://there?endpoint={endpoint}{query}")
        invoker = RemoteInvoker({"elsewhere": function}, seconds_max)
        try:
            return await invoker.invoke(arn, b'{"n":1}', **more)
        finally:
            invoker.close()

    return asyncio.run(invoke())


def refusal(code: str, status: int) -> Script:
    """Answer as Lambda refuses."""
    body = json.dumps({"Type": "User", "message": "so it is"}).encode()
    return lambda asked: Said(body, status, (("x-amzn-ErrorType", code),))


def test_the_event_is_invoked_with_and_the_answer_is_the_functions() -> None:
    said = Said(
        b'{"state":{}}',
        headers=(
            ("X-Amz-Executed-Version", "3"),
            ("X-Amz-Log-Result", base64.b64encode(b"END").decode()),
        ),
    )
    with ScriptedServer(lambda asked: said) as server:
        outcome = call(server.url, f"{ARN}:live", tail=True, client_context=b'{"c":1}')
    assert outcome == Outcome(b'{"state":{}}', None, "3", 200, b"END")
    (asked,) = server.asked
    assert asked.path == "/2015-03-31/functions/there/invocations?Qualifier=live"
    assert asked.body == b'{"n":1}'
    assert asked.headers["x-amz-log-type"] == "Tail"
    assert json.loads(base64.b64decode(asked.headers["x-amz-client-context"])) == {"c": 1}


def test_what_the_url_says_is_asked_for() -> None:
    with ScriptedServer(lambda asked: Said(b"1")) as server:
        call(server.url, query="&region=eu-west-3&qualifier=blue")
    (asked,) = server.asked
    assert asked.path.endswith("?Qualifier=blue")
    assert "/eu-west-3/lambda/" in asked.headers["authorization"]


def test_an_error_of_the_function_is_its_outcome() -> None:
    body = b'{"errorMessage":"bad","errorType":"ValueError"}'
    headers = (("X-Amz-Function-Error", "Unhandled"),)
    with ScriptedServer(lambda asked: Said(body, headers=headers)) as server:
        assert call(server.url) == Outcome(body, "Unhandled")


@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [
        ("TooManyRequestsException", 429, "throttled"),
        ("ResourceNotFoundException", 404, "missing"),
        ("AccessDeniedException", 403, "unavailable"),
        ("ServiceException", 500, "unavailable"),
        ("EC2ThrottledException", 502, "unavailable"),
    ],
)
def test_a_refusal_of_the_service_is_no_error_of_the_function(
    code: str, status: int, reason: str
) -> None:
    with ScriptedServer(refusal(code, status)) as server:
        with pytest.raises(NotInvoked) as caught:
            call(server.url)
        assert caught.value.reason == reason
        assert caught.value.text == f"there at {server.url}: {code}: so it is"
    assert len(server.asked) == 1, "whoever invokes tries again, not the client"


def test_an_event_that_no_try_would_change_is_an_error() -> None:
    with ScriptedServer(refusal("RequestTooLargeException", 413)) as server:
        outcome = call(server.url)
    assert (outcome.error, outcome.status) == ("Unhandled", 413)
    assert json.loads(outcome.payload)["errorType"] == "RequestTooLargeException"


def test_an_endpoint_that_is_not_there_has_not_run_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(NotInvoked) as caught:
        call(f"http://127.0.0.1:{port}")
    assert caught.value.reason == "unavailable"
    assert "Could not connect" in caught.value.text


def test_an_endpoint_that_hangs_is_a_time_out() -> None:
    def script(asked: Asked) -> Said:
        return Said(str(server.released.wait(SECONDS_MAX)).encode())

    with ScriptedServer(script) as server:
        outcome = call(server.url, seconds_max=0.3)
    assert json.loads(outcome.payload) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"there at {server.url} did not answer within 0.3 s",
    }


def test_nothing_is_invoked_after_the_end() -> None:
    async def invoke() -> None:
        function = parse_remote_function("lambda://there?endpoint=http://127.0.0.1:9")
        invoker = RemoteInvoker({"elsewhere": function})
        invoker.close()
        await invoker.invoke(ARN, b"{}")

    with pytest.raises(NotInvoked, match="is not invoked any more: the process stops"):
        asyncio.run(invoke())


def test_an_answer_may_have_six_megabytes_and_no_more() -> None:
    with ScriptedServer(lambda asked: Said(b"1" * (limits.function_answer_bytes_max + 1))) as (
        server
    ):
        outcome = call(server.url)
    assert json.loads(outcome.payload)["errorType"] == "Function.ResponseSizeTooLarge"


def test_boto3_is_loaded_by_the_first_call_only() -> None:
    code = (
        "import sys; import penstock.functions.remote_invoker as r;"
        "r.RemoteInvoker({}); sys.exit('boto3' in sys.modules or 'botocore' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
