"""Invoke: functions run on real workers, and answer as on AWS."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from wire.aws_lambda.code import zip_of

HANDLER = """
import json, os, sys

def handler(event, context):
    what = event.get("what") if isinstance(event, dict) else None
    if what == "raise":
        raise ValueError("on purpose")
    if what == "exit":
        sys.exit(3)
    if what == "print":
        print("a line of the log")
    if what == "context":
        client = context.client_context
        return {
            "arn": context.invoked_function_arn,
            "version": context.function_version,
            "id": context.aws_request_id,
            "group": context.log_group_name,
            "memory": context.memory_limit_in_mb,
            "custom": None if client is None else client.custom,
            "variable": os.environ.get("VARIABLE"),
        }
    return {"got": event}
"""


@pytest.fixture
def code() -> dict[str, Any]:
    return {"ZipFile": zip_of({"app.py": HANDLER})}


@pytest.fixture
def invoke(functions: Any) -> Callable[..., Any]:
    """Invoke a function; returns the whole answer, with the payload read."""

    def call(name: str, event: Any = None, **more: Any) -> dict[str, Any]:
        answer = functions.invoke(FunctionName=name, Payload=json.dumps(event), **more)
        text = answer["Payload"].read()
        return {**answer, "Payload": json.loads(text) if text else None}

    return call


# --- what runs


def test_a_function_answers(invoke: Any, new_function: Any, code: Any) -> None:
    answer = invoke(new_function(Code=code), {"a": [1, None, "ü"]})
    assert answer["StatusCode"] == 200
    assert answer["ExecutedVersion"] == "$LATEST"
    assert "FunctionError" not in answer
    assert "LogResult" not in answer
    assert answer["Payload"] == {"got": {"a": [1, None, "ü"]}}


def test_without_a_payload_the_event_is_an_empty_object(
    functions: Any, new_function: Any, code: Any
) -> None:
    answer = functions.invoke(FunctionName=new_function(Code=code))
    assert json.loads(answer["Payload"].read()) == {"got": {}}


def test_an_error_is_told(invoke: Any, new_function: Any, code: Any) -> None:
    answer = invoke(new_function(Code=code), {"what": "raise"})
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert answer["Payload"]["errorType"] == "ValueError"
    assert answer["Payload"]["errorMessage"] == "on purpose"


def test_a_function_that_exits_is_an_error_and_the_next_runs(
    invoke: Any, new_function: Any, code: Any
) -> None:
    name = new_function(Code=code)
    answer = invoke(name, {"what": "exit"})
    assert answer["FunctionError"] == "Unhandled"
    assert answer["Payload"]["errorType"] == "Runtime.ExitError"
    assert invoke(name, 1)["Payload"] == {"got": 1}


def test_the_tail_of_the_log_is_given(invoke: Any, new_function: Any, code: Any) -> None:
    answer = invoke(new_function(Code=code), {"what": "print"}, LogType="Tail")
    lines = base64.b64decode(answer["LogResult"]).decode()
    assert "a line of the log" in lines
    assert answer["ResponseMetadata"]["RequestId"] in lines


def test_the_context_tells_what_was_asked(invoke: Any, new_function: Any, code: Any) -> None:
    name = new_function(Code=code, MemorySize=200, Environment={"Variables": {"VARIABLE": "value"}})
    client = base64.b64encode(b'{"custom": {"a": "b"}}').decode()
    answer = invoke(name, {"what": "context"}, ClientContext=client)
    told = answer["Payload"]
    assert told["arn"] == f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    assert told["version"] == "$LATEST"
    assert told["id"] == answer["ResponseMetadata"]["RequestId"]
    assert told["group"] == f"/aws/lambda/{name}"
    assert str(told["memory"]) == "200"
    assert told["custom"] == {"a": "b"}
    assert told["variable"] == "value"


def test_versions_and_aliases_run_what_they_name(
    functions: Any, invoke: Any, new_function: Any
) -> None:
    def returning(text: str) -> bytes:
        return zip_of({"app.py": f"def handler(event, context): return {text!r}"})

    name = new_function(Code={"ZipFile": returning("one")}, Publish=True)
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    functions.update_function_code(FunctionName=name, ZipFile=returning("two"))
    assert invoke(name)["Payload"] == "two"
    for qualifier in ("1", "live"):
        answer = invoke(name, Qualifier=qualifier)
        assert (answer["Payload"], answer["ExecutedVersion"]) == ("one", "1")
    assert invoke(f"{name}:live")["Payload"] == "one"
    functions.update_alias(FunctionName=name, Name="live", FunctionVersion="$LATEST")
    answer = invoke(name, Qualifier="live")
    assert (answer["Payload"], answer["ExecutedVersion"]) == ("two", "$LATEST")


def test_new_settings_hold_for_the_next_invocation(
    functions: Any, invoke: Any, new_function: Any, code: Any
) -> None:
    name = new_function(Code=code)
    assert invoke(name, {"what": "context"})["Payload"]["variable"] is None
    functions.update_function_configuration(
        FunctionName=name, Environment={"Variables": {"VARIABLE": "new"}}
    )
    assert invoke(name, {"what": "context"})["Payload"]["variable"] == "new"


def test_a_local_directory_runs_as_it_is_now(
    invoke: Any, new_function: Any, tmp_path: Path
) -> None:
    source = tmp_path / "app.py"
    source.write_text("def handler(event, context): return 'before'")
    name = new_function(Code={"S3Bucket": "local-directory", "S3Key": str(tmp_path)})
    assert invoke(name)["Payload"] == "before"
    source.write_text("def handler(event, context): return 'after the change'")
    for _ in until(seconds=30):
        if invoke(name)["Payload"] == "after the change":
            return
    pytest.fail("the change was not seen")


def test_a_dry_run_runs_nothing(functions: Any, new_function: Any, code: Any) -> None:
    answer = functions.invoke(FunctionName=new_function(Code=code), InvocationType="DryRun")
    assert answer["StatusCode"] == 204
    assert answer["Payload"].read() == b""


# --- what is refused


def test_a_function_that_is_not_there(functions: Any, function_name: str, refused: Any) -> None:
    for kind in ("RequestResponse", "Event", "DryRun"):
        text = refused(
            "ResourceNotFoundException",
            functions.invoke,
            FunctionName=function_name,
            InvocationType=kind,
        )
        assert text.startswith("Function not found: arn:aws:lambda:")


@pytest.mark.parametrize("payload", [b"{", b"no json", b'"\xff"', b"[1,]"])
def test_a_payload_that_is_no_json_is_refused(
    functions: Any, new_function: Any, code: Any, refused: Any, payload: bytes
) -> None:
    text = refused(
        "InvalidRequestContentException",
        functions.invoke,
        FunctionName=new_function(Code=code),
        Payload=payload,
    )
    assert text.startswith("Could not parse request body into json: ")


@pytest.mark.parametrize(
    ("kind", "most"), [("RequestResponse", 6_291_456), ("Event", 1_048_576), ("DryRun", 6_291_456)]
)
def test_a_payload_that_is_too_large_is_refused(
    functions: Any, new_function: Any, code: Any, refused: Any, kind: str, most: int
) -> None:
    text = refused(
        "RequestTooLargeException",
        functions.invoke,
        FunctionName=new_function(Code=code),
        InvocationType=kind,
        Payload=b'"' + b"x" * (most - 1) + b'"',
    )
    assert text == f"Request must be smaller than {most} bytes for the InvokeFunction operation"


def test_no_reserved_concurrency_is_a_throttle(
    functions: Any, new_function: Any, code: Any
) -> None:
    name = new_function(Code=code)
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    with pytest.raises(functions.exceptions.TooManyRequestsException) as caught:
        functions.invoke(FunctionName=name)
    response = caught.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert response["Error"]["Message"] == "Rate Exceeded."


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"InvocationType": "Perhaps"}, "ValidationException"),
        ({"LogType": "Head"}, "ValidationException"),
        ({"ClientContext": "no base64!"}, "InvalidRequestContentException"),
        ({"ClientContext": "bm8ganNvbg=="}, "InvalidRequestContentException"),
        ({"ClientContext": "IiI=" * 1000}, "InvalidRequestContentException"),
        ({"TenantId": "tenant"}, "InvalidParameterValueException"),
        ({"DurableExecutionName": "name"}, "InvalidParameterValueException"),
        ({"Qualifier": "7"}, "ResourceNotFoundException"),
    ],
)
def test_bad_parameters(
    functions: Any, new_function: Any, refused: Any, changed: dict[str, Any], code: str
) -> None:
    refused(code, functions.invoke, FunctionName=new_function(), **changed)


def test_code_that_cannot_be_loaded_is_an_error_of_the_function(
    invoke: Any, new_function: Any
) -> None:
    answer = invoke(new_function(Code={"ZipFile": zip_of({"other.py": ""})}))
    assert answer["FunctionError"] == "Unhandled"
    assert answer["Payload"]["errorType"] == "Runtime.ImportModuleError"


def test_a_local_directory_that_has_gone_is_told(
    functions: Any, new_function: Any, tmp_path: Path, refused: Any
) -> None:
    place = tmp_path / "gone"
    place.mkdir()
    name = new_function(Code={"S3Bucket": "local-directory", "S3Key": str(place)})
    place.rmdir()
    assert "cannot be read" in refused("ServiceException", functions.invoke, FunctionName=name)


def until(seconds: float) -> Iterator[None]:
    """Yield again and again, for so long at most."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
