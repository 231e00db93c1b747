"""DescribeLimits: the quotas that AWS gives a new account."""

from collections.abc import Callable
from typing import Any

# --- serialisation and validation


def test_members_are_not_read(raw: Callable[..., Any]) -> None:
    """The request has none, so whatever comes is dropped."""
    assert raw("DynamoDB_20120810.DescribeLimits", {"TableName": 5}).status == 200


# --- behaviour


def test_the_quotas(ddb: Any) -> None:
    """Those of an account and those of a table."""
    limits = ddb.describe_limits()
    assert {name: value for name, value in limits.items() if name != "ResponseMetadata"} == {
        "AccountMaxReadCapacityUnits": 80_000,
        "AccountMaxWriteCapacityUnits": 80_000,
        "TableMaxReadCapacityUnits": 40_000,
        "TableMaxWriteCapacityUnits": 40_000,
    }
