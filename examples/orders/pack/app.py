"""Packs orders. It stops at the first that cannot be packed, and reports that one as failed."""

from typing import Any


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take a batch of records of the table's stream, in the order of its changes."""
    for record in event["Records"]:
        order = record["dynamodb"]["NewImage"]
        name = f"{order['customer']['S']}/{order['number']['N']}"
        try:
            print(f"packed {name}: {parcels(order)} parcels")
        except ValueError as error:
            print(f"cannot pack {name}: {error}")
            return {"batchItemFailures": [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]}]}
    return {"batchItemFailures": []}


def parcels(order: dict[str, Any]) -> int:
    """Return how many parcels an order makes; ten pieces go into one."""
    pieces = int(order["pieces"]["N"])
    if pieces < 1:
        raise ValueError(f"{pieces} pieces")
    return -(-pieces // 10)
