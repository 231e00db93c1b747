"""CreateLogGroup: names, what is refused by name, and the group that is then there."""

import json
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from wire.refusal_texts import constraint

PATTERN = r"[\.\-_/#A-Za-z0-9]+"


# --- serialisation


def test_wrong_json_types(logs: Any, refused: Callable[..., str]) -> None:
    text = refused("SerializationException", logs.create_log_group, logGroupName=5)
    assert text == "NUMBER_VALUE cannot be converted to String"


@pytest.mark.parametrize(
    ("target", "body", "signed_for", "code"),
    [
        ("CreateLogGroup", b"{", "logs", "SerializationException"),
        ("CreateLogGroup", b"[]", "logs", "SerializationException"),
        ("StartLiveTail", b"{}", "logs", "UnknownOperationException"),
        ("CreateLogGroup", b"{}", None, "MissingAuthenticationTokenException"),
        ("CreateLogGroup", b"{}", "dynamodb", "InvalidSignatureException"),
    ],
)
def test_what_is_no_request_is_refused_in_json_1_1(
    endpoint: str, target: str, body: bytes, signed_for: str | None, code: str
) -> None:
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": f"Logs_20140328.{target}",
        "X-Amz-Date": "20261001T120000Z",
    }
    if signed_for is not None:
        headers["Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261001/us-east-1/{signed_for}/aws4_request,"
            " SignedHeaders=host;x-amz-date, Signature=0a1b2c"
        )
    request = urllib.request.Request(endpoint + "/", body, headers, method="POST")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=60)
    with caught.value as error:
        told = json.loads(error.read())
        assert error.code == 400
        assert error.headers["Content-Type"] == "application/x-amz-json-1.1"
    assert told["__type"].rpartition("#")[2] == code


def test_in_json_1_0_there_is_no_such_action(rejected: Callable[..., Any]) -> None:
    code, _ = rejected("Logs_20140328.CreateLogGroup", {"logGroupName": "g"})
    assert code == "UnknownOperationException"


# --- validation


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("", "have length greater than or equal to 1"),
        ("g" * 513, "have length less than or equal to 512"),
        ("a b", f"satisfy regular expression pattern: {PATTERN}"),
        (None, "not be null"),
    ],
)
def test_names_that_are_none(
    logs: Any, refused: Callable[..., str], name: str | None, rule: str
) -> None:
    given = {} if name is None else {"logGroupName": name}
    text = refused("InvalidParameterException", logs.create_log_group, **given)
    assert text == constraint(name, "logGroupName", rule)


@pytest.mark.parametrize(
    "more",
    [
        {"kmsKeyId": "key"},
        {"tags": {"a": "b"}},
        {"deletionProtectionEnabled": True},
        {"logGroupClass": "INFREQUENT_ACCESS"},
    ],
)
def test_what_is_not_there_is_refused_by_its_name(
    logs: Any, refused: Callable[..., str], more: dict[str, Any]
) -> None:
    text = refused("InvalidParameterException", logs.create_log_group, logGroupName="g", **more)
    (member,) = more
    assert member in text


# --- behaviour


def test_a_group_is_made_once(logs: Any, refused: Callable[..., str]) -> None:
    name = f"{uuid.uuid4().hex[:12]}/A.b-c_d#1"
    logs.create_log_group(logGroupName=name, logGroupClass="STANDARD")
    (found,) = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    assert found["logGroupName"] == name
    text = refused("ResourceAlreadyExistsException", logs.create_log_group, logGroupName=name)
    assert text == "The specified log group already exists"
    logs.delete_log_group(logGroupName=name)
