"""Places seven orders, of which one cannot be packed and another cannot be billed."""

from typing import Any

import boto3

ORDERS: list[dict[str, Any]] = [
    {"customer": "ada", "number": 1, "pieces": 2, "total": 40, "currency": "EUR"},
    {"customer": "ada", "number": 2, "pieces": 0, "total": 10, "currency": "EUR"},
    {"customer": "ada", "number": 3, "pieces": 25, "total": 99, "currency": "USD"},
    {"customer": "bob", "number": 1, "pieces": 1, "total": 0, "currency": "EUR"},
    {"customer": "bob", "number": 2, "pieces": 3, "total": 15, "currency": "doubloons"},
    {"customer": "bob", "number": 3, "pieces": 4, "total": 20, "currency": "GBP"},
    {"customer": "eve", "number": 1, "pieces": 11, "total": 5, "currency": "EUR"},
]


def main() -> None:
    """Write the orders, and change one of them."""
    table = boto3.resource("dynamodb").Table("orders")
    with table.batch_writer() as batch:
        for order in ORDERS:
            batch.put_item(Item=order)
    table.update_item(
        Key={"customer": "eve", "number": 1},
        UpdateExpression="SET note = :note",
        ExpressionAttributeValues={":note": "ring twice"},
    )


if __name__ == "__main__":
    main()
