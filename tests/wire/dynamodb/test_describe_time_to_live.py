"""DescribeTimeToLive: types of members, refusals with their texts, and the states."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from penstock.testing.clock import FakeClock
from penstock.testing.server import RunningServer
from wire import wrong_json
from wire.clients import connect

DESCRIBE = "DescribeTimeToLive"
ON = {"Enabled": True, "AttributeName": "ends"}
OFF = {"Enabled": False, "AttributeName": "ends"}
DELAY_MS = 1000


def shown(ddb: Any, table: str) -> dict[str, str]:
    """Return what is shown of a table's time to live."""
    description: dict[str, str] = ddb.describe_time_to_live(TableName=table)[
        "TimeToLiveDescription"
    ]
    return description


# --- serialisation


def test_wrong_json_types(unreadable: Callable[..., str]) -> None:
    """The name is a text."""
    for value, text in wrong_json.STRING:
        assert unreadable(DESCRIBE, {"TableName": value}) == text, value


# --- validation


@pytest.mark.parametrize("body", [{}, {"TableName": None}, {"tableName": "abc"}])
def test_the_name_is_missed(invalid: Callable[..., str], body: dict[str, Any]) -> None:
    """There is no table without a name."""
    assert invalid(DESCRIBE, body) == (
        "The parameter 'TableName' is required but was not present in the request"
    )


@pytest.mark.parametrize("name", ["", "ab", "a" * 256])
def test_names_of_a_wrong_length(invalid: Callable[..., str], name: str) -> None:
    """A name has 3 to 255 characters."""
    assert invalid(DESCRIBE, {"TableName": name}) == (
        "TableName must be at least 3 characters long and at most 255 characters long"
    )


def test_an_unknown_table(refusal: Callable[..., tuple[str, str]]) -> None:
    """The control plane names the table that it does not find."""
    assert refusal(DESCRIBE, {"TableName": "no-such-table"}) == (
        "ResourceNotFoundException",
        "Requested resource not found: Table: no-such-table not found",
    )


def test_a_table_that_is_being_made_or_deleted() -> None:
    """Its time to live is not shown, in words that name the state."""
    text = "Cannot describe time to live while table is in {0} state: Current table state is {0}"
    clock = FakeClock()
    with RunningServer(clock=clock, table_delay_ms=DELAY_MS) as server:
        ddb = connect(server.url, "dynamodb")
        ddb.create_table(
            TableName="abc",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        with pytest.raises(ClientError, match=text.format("CREATING")):
            shown(ddb, "abc")
        clock.advance(DELAY_MS)
        assert shown(ddb, "abc") == {"TimeToLiveStatus": "DISABLED"}
        ddb.delete_table(TableName="abc")
        with pytest.raises(ClientError, match=text.format("DELETING")) as caught:
            shown(ddb, "abc")
    assert caught.value.response["Error"]["Code"] == "ValidationException"


# --- behaviour


def test_a_table_without_a_time_to_live(ddb: Any, new_table: Callable[..., str]) -> None:
    """It is DISABLED and no attribute is named, before and after it had one."""
    table = new_table()
    assert shown(ddb, table) == {"TimeToLiveStatus": "DISABLED"}
    ddb.update_time_to_live(TableName=table, TimeToLiveSpecification=ON)
    assert shown(ddb, table)["AttributeName"] == "ends"
    ddb.update_time_to_live(TableName=table, TimeToLiveSpecification=OFF)
    assert shown(ddb, table) == {"TimeToLiveStatus": "DISABLED"}


def test_a_table_named_by_its_arn(ddb: Any, new_table: Callable[..., str]) -> None:
    """An ARN serves as a name."""
    arn = ddb.describe_table(TableName=new_table())["Table"]["TableArn"]
    assert shown(ddb, arn) == {"TimeToLiveStatus": "DISABLED"}


def test_the_states_that_pass() -> None:
    """ENABLING and DISABLING last as long as tables take; the attribute is named until the end."""
    clock = FakeClock()
    with RunningServer(clock=clock, table_delay_ms=DELAY_MS) as server:
        ddb = connect(server.url, "dynamodb")
        ddb.create_table(
            TableName="abc",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        clock.advance(DELAY_MS)
        seen = []
        for specification in (ON, OFF):
            ddb.update_time_to_live(TableName="abc", TimeToLiveSpecification=specification)
            server.catch_up()
            seen.append(shown(ddb, "abc"))
            clock.advance(DELAY_MS)
            seen.append(shown(ddb, "abc"))
    named = {"AttributeName": "ends"}
    assert seen == [
        {"TimeToLiveStatus": "ENABLING", **named},
        {"TimeToLiveStatus": "ENABLED", **named},
        {"TimeToLiveStatus": "DISABLING", **named},
        {"TimeToLiveStatus": "DISABLED"},
    ]
