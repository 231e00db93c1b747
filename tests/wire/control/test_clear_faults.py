"""ClearFaults: types of members, refusals with their texts, and what goes right again."""

from typing import Any

import pytest

from wire.control.conftest import Controlled
from wire.control.consumers import Consumer
from wire.refusal_texts import constraint

# --- serialisation


def test_wrong_json_types(server: Controlled) -> None:
    text = "NUMBER_VALUE cannot be converted to String"
    assert server.refused("ClearFaults", {"FaultId": 5}) == ("SerializationException", text)


# --- validation


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            {"FaultId": ""},
            constraint("", "faultId", "have length greater than or equal to 1"),
        ),
        ({"Fault": "fault-1"}, "Unknown members: Fault; there are: FaultId"),
    ],
)
def test_what_is_refused(server: Controlled, body: dict[str, Any], text: str) -> None:
    assert server.refused("ClearFaults", body) == ("ValidationException", text)


def test_a_fault_that_is_not_there(server: Controlled) -> None:
    assert server.refused("ClearFaults", {"FaultId": "fault-0"}) == (
        "ResourceNotFoundException",
        "No such fault: fault-0",
    )


# --- behaviour


def test_one_fault_or_all_are_taken_back(server: Controlled) -> None:
    table = server.table()
    consumer = Consumer(server, table)
    first = server.call("PutFault", Kind="throttle", TableName=table, Calls=9)["FaultId"]
    server.call("PutFault", Kind="expired", TableName=table, Calls=9)
    assert consumer.fails() == "LimitExceededException"
    assert server.call("ClearFaults", FaultId=first) == {}
    assert consumer.fails() == "ExpiredIteratorException"
    assert server.call("ClearFaults") == {}
    assert consumer.read() == []
    assert server.call("ListFaults") == {"Faults": []}
