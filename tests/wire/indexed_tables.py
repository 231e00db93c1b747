"""A table with indexes of every kind, for the tests of what reads and writes them."""

from collections.abc import Callable
from typing import Any

ATTRIBUTES = {"pk": "S", "sk": "N", "g": "S", "h": "N", "b": "B", "l": "S"}


def projection(given: Any) -> dict[str, Any]:
    """Return the Projection of a name, or of the attributes to be included."""
    if isinstance(given, str):
        return {"ProjectionType": given}
    return {"ProjectionType": "INCLUDE", "NonKeyAttributes": given}


def index(name: str, partition: list[str], sort: list[str], projected: Any) -> dict[str, Any]:
    """Return a secondary index as CreateTable takes it."""
    keys = [(each, "HASH") for each in partition] + [(each, "RANGE") for each in sort]
    return {
        "IndexName": name,
        "KeySchema": [{"AttributeName": each, "KeyType": kind} for each, kind in keys],
        "Projection": projection(projected),
    }


LOCAL = [
    index("local-keys", ["pk"], ["l"], "KEYS_ONLY"),
    index("local-some", ["pk"], ["h"], ["x"]),
]
GLOBAL = [
    index("keys", ["g"], ["h"], "KEYS_ONLY"),
    index("all", ["g"], [], "ALL"),
    index("some", ["b"], ["g"], ["x"]),
]
MANY = index("many", ["g", "b"], ["h", "l"], "ALL")


def make_indexed(
    new_table: Callable[..., str],
    local: list[dict[str, Any]] | None = None,
    globally: list[dict[str, Any]] | None = None,
) -> str:
    """Make a table with the keys pk (S) and sk (N) and these indexes, by default all of them.

    The global index on two attributes and two more is only in a list that names it.
    """
    local, globally = LOCAL if local is None else local, GLOBAL if globally is None else globally
    keys = [key["AttributeName"] for each in local + globally for key in each["KeySchema"]]
    more: dict[str, Any] = {
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": kind}
            for name, kind in ATTRIBUTES.items()
            if name in {"pk", "sk", *keys}
        ]
    }
    if local:
        more["LocalSecondaryIndexes"] = local
    if globally:
        more["GlobalSecondaryIndexes"] = globally
    return new_table(sort="N", **more)


def item(pk: str, sk: int, **attributes: Any) -> dict[str, Any]:
    """Return an item: its other attributes are texts, numbers or bytes."""
    values = {"pk": pk, "sk": sk, **attributes}
    return {name: value_of(value) for name, value in values.items()}


def value_of(value: Any) -> dict[str, Any]:
    """Return a text, a whole number, bytes, or what is an attribute value already."""
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, bytes):
        return {"B": value}
    return {"N": str(value)} if isinstance(value, int) else value


def put_all(ddb: Any, table: str, items: list[dict[str, Any]]) -> None:
    """Write items in batches."""
    for start in range(0, len(items), 25):
        puts = [{"PutRequest": {"Item": each}} for each in items[start : start + 25]]
        assert ddb.batch_write_item(RequestItems={table: puts})["UnprocessedItems"] == {}
