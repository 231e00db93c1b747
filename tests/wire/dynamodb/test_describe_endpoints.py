"""DescribeEndpoints: where the request came to, and for how long that may be remembered."""

from collections.abc import Callable
from typing import Any

# --- serialisation and validation


def test_members_are_not_read(raw: Callable[..., Any]) -> None:
    """The request has none, so whatever comes is dropped."""
    assert raw("DynamoDB_20120810.DescribeEndpoints", {"TableName": 5}).status == 200


# --- behaviour


def test_the_endpoint_is_the_host_of_the_request(ddb: Any, endpoint: str) -> None:
    """A client that asks where to go is sent where it is."""
    assert ddb.describe_endpoints()["Endpoints"] == [
        {"Address": endpoint.partition("://")[2], "CachePeriodInMinutes": 1440}
    ]


def test_each_host_is_told_its_own(raw: Callable[..., Any], endpoint: str, ddb: Any) -> None:
    """The name by which the server was reached is told, not one that it was reached by before."""
    ddb.describe_endpoints()
    answer = raw("DynamoDB_20120810.DescribeEndpoints", {}, Host="tables.example")
    assert answer.json["Endpoints"][0]["Address"] == "tables.example"
