"""ListFaults: what it takes, and what it tells of the faults that were made."""

from wire.control.conftest import Controlled
from wire.control.consumers import Consumer

# --- validation


def test_it_has_no_members(server: Controlled) -> None:
    assert server.refused("ListFaults", {"TableName": "abc"}) == (
        "ValidationException",
        "Unknown members: TableName; there are: none",
    )


# --- behaviour


def test_faults_are_told_in_the_order_of_their_making_with_their_hits(server: Controlled) -> None:
    """Those that are spent stay, so that a test can see what has happened."""
    server.call("ClearFaults")
    assert server.call("ListFaults") == {"Faults": []}
    table = server.table()
    consumer = Consumer(server, table)
    asked = [
        {"Kind": "throttle", "Consumer": consumer.name, "Calls": 1},
        {"Kind": "fewer", "TableName": table, "Probability": 0.5, "Seed": 3, "Records": 1},
    ]
    ids = [server.call("PutFault", **each)["FaultId"] for each in asked]
    assert consumer.fails() == "LimitExceededException"
    assert consumer.read() == []
    assert server.call("ListFaults")["Faults"] == [
        {"FaultId": ids[0], **asked[0], "Hits": 1},
        {"FaultId": ids[1], **asked[1], "Region": "us-east-1", "Hits": 0},
    ]
    server.call("ClearFaults")
