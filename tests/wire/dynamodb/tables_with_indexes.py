"""Requests that make tables with indexes, and what is told of them."""

import time
from typing import Any

UNITS = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
ALL = {"ProjectionType": "ALL"}
INVALID = "One or more parameter values were invalid: "
_SECONDS_MAX = 30.0


def keys(*names_and_kinds: tuple[str, str]) -> list[dict[str, str]]:
    """Return a KeySchema of names and kinds."""
    return [{"AttributeName": name, "KeyType": kind} for name, kind in names_and_kinds]


def definitions(**types: str) -> list[dict[str, str]]:
    """Return AttributeDefinitions of names and types."""
    return [{"AttributeName": name, "AttributeType": kind} for name, kind in types.items()]


def index(name: str = "idx", partition: str = "a", sort: str | None = "b", **more: Any) -> Any:
    """Return an index over all attributes, whose key are `a` and `b`."""
    schema = [(partition, "HASH")] + ([(sort, "RANGE")] if sort else [])
    return {"IndexName": name, "KeySchema": keys(*schema), "Projection": ALL, **more}


def create(name: str, **more: Any) -> dict[str, Any]:
    """Return a request for an on-demand table of `pk` and `sk` that defines `a` and `b` as well."""
    request = {
        "TableName": name,
        "KeySchema": keys(("pk", "HASH"), ("sk", "RANGE")),
        "AttributeDefinitions": definitions(pk="S", sk="S", a="S", b="N"),
        "BillingMode": "PAY_PER_REQUEST",
        **more,
    }
    return {member: value for member, value in request.items() if value is not None}


def provisioned(name: str, **more: Any) -> dict[str, Any]:
    """Return a request for the same table with throughput."""
    return create(name, **{"BillingMode": None, "ProvisionedThroughput": UNITS, **more})


def described(ddb: Any, table: str) -> dict[str, Any]:
    """Return a table's description."""
    description: dict[str, Any] = ddb.describe_table(TableName=table)["Table"]
    return description


def index_of(description: dict[str, Any], name: str = "idx") -> dict[str, Any]:
    """Return the description of a table's global index."""
    (found,) = [i for i in description["GlobalSecondaryIndexes"] if i["IndexName"] == name]
    return dict(found)


def wait_until_active(ddb: Any, table: str) -> dict[str, Any]:
    """Wait until a table and all of its global indexes are ACTIVE, and return its description."""
    deadline = time.monotonic() + _SECONDS_MAX
    while True:
        shown = described(ddb, table)
        states = {i["IndexStatus"] for i in shown.get("GlobalSecondaryIndexes", ())}
        if {shown["TableStatus"], *states} == {"ACTIVE"}:
            return shown
        assert time.monotonic() < deadline, shown
        time.sleep(0.01)
