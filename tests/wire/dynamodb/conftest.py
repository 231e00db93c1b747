"""What the tests of DynamoDB's actions share: refusals checked whole, and tables that are kept."""

import re
import uuid
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

TARGET = "DynamoDB_20120810."
PREFIXES = {
    "ValidationException": "com.amazon.coral.validate#",
    "SerializationException": "com.amazon.coral.service#",
    "UnknownOperationException": "com.amazon.coral.service#",
}
CAPITAL_MESSAGE = {"SerializationException", "IdempotentParameterMismatchException"}
Refusal = tuple[str, str | None]


@pytest.fixture(scope="session")
def refusal(raw: Callable[..., Any]) -> Callable[..., Refusal]:
    """Send an action that must be refused, and return code and text: `refusal('PutItem', {})`.

    What every error has is checked on the way: status, headers, CRC, prefix and member names.
    """

    def send(action: str, body: bytes | dict[str, Any]) -> Refusal:
        answer = raw(TARGET + action, body)
        assert answer.status == 400, answer.body
        assert answer.headers["content-type"] == "application/x-amz-json-1.0"
        assert int(answer.headers["x-amz-crc32"]) == zlib.crc32(answer.body)
        assert re.fullmatch("[A-Z0-9]{52}", answer.headers["x-amzn-requestid"])
        prefix, hash_sign, code = answer.json["__type"].rpartition("#")
        assert prefix + hash_sign == PREFIXES.get(code, "com.amazonaws.dynamodb.v20120810#")
        member = "Message" if code in CAPITAL_MESSAGE else "message"
        assert answer.json.keys() <= {"__type", member, "Item"}
        return code, answer.json.get(member)

    return send


@pytest.fixture(scope="session")
def invalid(refusal: Callable[..., Refusal]) -> Callable[..., str | None]:
    """Send an action that must end in a ValidationException, and return its text."""

    def send(action: str, body: dict[str, Any]) -> str | None:
        code, message = refusal(action, body)
        assert code == "ValidationException", message
        return message

    return send


@pytest.fixture(scope="session")
def unreadable(refusal: Callable[..., Refusal]) -> Callable[..., str | None]:
    """Send an action that must end in a SerializationException, and return its text."""

    def send(action: str, body: bytes | dict[str, Any]) -> str | None:
        code, message = refusal(action, body)
        assert code == "SerializationException", message
        return message

    return send


def _kept_table(ddb: Any, **attributes: str) -> Iterator[str]:
    name = f"test-{uuid.uuid4().hex[:12]}"
    kinds = zip(attributes.items(), ("HASH", "RANGE"), strict=False)
    ddb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": kind} for (key, _), kind in kinds],
        AttributeDefinitions=[
            {"AttributeName": key, "AttributeType": type_} for key, type_ in attributes.items()
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    ddb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
    yield name
    ddb.delete_table(TableName=name)


@pytest.fixture(scope="session")
def plain(ddb: Any) -> Iterator[str]:
    """A table with the partition key `pk`, a text; tests share it, each with keys of its own."""
    yield from _kept_table(ddb, pk="S")


@pytest.fixture(scope="session")
def sorted_table(ddb: Any) -> Iterator[str]:
    """A table with the keys `pk`, a text, and `sk`, a number; tests share it."""
    yield from _kept_table(ddb, pk="S", sk="N")


@pytest.fixture
def key() -> dict[str, Any]:
    """The key of an item of `plain` that no other test has."""
    return {"pk": {"S": uuid.uuid4().hex}}
