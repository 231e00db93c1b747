"""UpdateTable's billing mode, throughput and class: refusals with their texts, and what changes."""

from collections.abc import Callable
from typing import Any

import pytest

from wire import wrong_json
from wire.dynamodb.tables_with_indexes import (
    INVALID,
    UNITS,
    definitions,
    described,
    index,
    index_of,
    wait_until_active,
)
from wire.refusal_texts import constraint

UPDATE = "UpdateTable"
ZEROS = {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0}
WITH_INDEX = {
    "AttributeDefinitions": definitions(pk="S", a="S", b="N"),
    "GlobalSecondaryIndexes": [index()],
}


@pytest.fixture
def provisioned(new_table: Callable[..., str]) -> str:
    """A table with one read and one write unit."""
    return new_table(BillingMode="PROVISIONED", ProvisionedThroughput=UNITS)


def units(read: int, write: int) -> dict[str, int]:
    """Return a ProvisionedThroughput."""
    return {"ReadCapacityUnits": read, "WriteCapacityUnits": write}


# --- serialisation


@pytest.mark.parametrize(
    ("member", "inside", "wrong"),
    [
        ("ProvisionedThroughput", "ReadCapacityUnits", wrong_json.LONG),
        ("ProvisionedThroughput", "WriteCapacityUnits", wrong_json.LONG),
        ("OnDemandThroughput", "MaxReadRequestUnits", wrong_json.LONG),
        ("WarmThroughput", "ReadUnitsPerSecond", wrong_json.LONG),
        ("AttributeDefinitions", "AttributeName", wrong_json.STRING),
    ],
)
def test_wrong_json_types(
    unreadable: Callable[..., str], member: str, inside: str, wrong: wrong_json.Wrong
) -> None:
    """A wrong type inside a member is a SerializationException."""
    for value, text in wrong:
        content = {inside: value}
        request = {
            "TableName": "abc",
            member: [content] if member == "AttributeDefinitions" else content,
        }
        assert unreadable(UPDATE, request) == text, value


# --- validation


@pytest.mark.parametrize(
    ("more", "text"),
    [
        (
            {"ProvisionedThroughput": units(0, 1)},
            constraint(
                "0",
                "provisionedThroughput.readCapacityUnits",
                "have value greater than or equal to 1",
            ),
        ),
        (
            {"ProvisionedThroughput": {"ReadCapacityUnits": 1}},
            constraint(None, "provisionedThroughput.writeCapacityUnits", "not be null"),
        ),
        (
            {"BillingMode": "FREE"},
            constraint(
                "FREE", "billingMode", "satisfy enum value set: [PROVISIONED, PAY_PER_REQUEST]"
            ),
        ),
        (
            {"TableClass": "CHEAP"},
            constraint(
                "CHEAP",
                "tableClass",
                "satisfy enum value set: [STANDARD, STANDARD_INFREQUENT_ACCESS]",
            ),
        ),
        (
            {"ProvisionedThroughput": units(1, 10**12 + 1)},
            f"Given value {10**12 + 1} for WriteCapacityUnits is out of bounds",
        ),
        (
            {"ProvisionedThroughput": UNITS, "BillingMode": "PAY_PER_REQUEST"},
            (
                f"{INVALID}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when"
                " BillingMode is PAY_PER_REQUEST"
            ),
        ),
        (
            {"TableClass": "STANDARD", "BillingMode": "PROVISIONED"},
            "Only one of these can be changed in one UpdateTable: TableClass, BillingMode",
        ),
        (
            {"OnDemandThroughput": {"MaxReadRequestUnits": 1}, "WarmThroughput": {}},
            (
                "Only one of these can be changed in one UpdateTable: OnDemandThroughput,"
                " WarmThroughput"
            ),
        ),
    ],
)
def test_what_no_table_could_take(
    invalid: Callable[..., str], more: dict[str, Any], text: str
) -> None:
    """A request that cannot be right is judged before the table."""
    assert invalid(UPDATE, {"TableName": "no-such-table", **more}) == text


@pytest.mark.parametrize(
    "more",
    [
        {"AttributeDefinitions": definitions(pk="S")},
        {"GlobalSecondaryIndexUpdates": []},
        {"OnDemandThroughput": {}},
        {"WarmThroughput": {}},
    ],
)
def test_what_asks_for_nothing(invalid: Callable[..., str], more: dict[str, Any]) -> None:
    """Definitions alone change nothing, nor does what is empty."""
    assert invalid(UPDATE, {"TableName": "no-such-table", **more}).startswith(
        "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled,"
    )


def test_throughput_that_stays(invalid: Callable[..., str], provisioned: str) -> None:
    """To ask for what there is is an error, with all the numbers."""
    assert invalid(UPDATE, {"TableName": provisioned, "ProvisionedThroughput": UNITS}) == (
        "The provisioned throughput for the table will not change. The requested value equals the"
        " current value. Current ReadCapacityUnits provisioned for the table: 1. Requested"
        " ReadCapacityUnits: 1. Current WriteCapacityUnits provisioned for the table: 1. Requested"
        " WriteCapacityUnits: 1. Refer to the Amazon DynamoDB Developer Guide for current limits"
        " and how to request higher limits."
    )


def test_throughput_of_an_on_demand_table(
    invalid: Callable[..., str], new_table: Callable[..., str]
) -> None:
    """An on-demand table takes units only together with the mode that has some."""
    request = {"TableName": new_table(), "ProvisionedThroughput": UNITS}
    assert invalid(UPDATE, request) == (
        f"{INVALID}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when"
        " BillingMode is PAY_PER_REQUEST"
    )


def test_what_provisioned_mode_needs(
    invalid: Callable[..., str], new_table: Callable[..., str]
) -> None:
    """The table needs throughput, and so does every global index of it."""
    table = new_table(**WITH_INDEX)
    request: dict[str, Any] = {"TableName": table, "BillingMode": "PROVISIONED"}
    assert invalid(UPDATE, request) == (
        f"{INVALID}ProvisionedThroughput must be specified when BillingMode is PROVISIONED"
    )
    request["ProvisionedThroughput"] = UNITS
    assert invalid(UPDATE, request) == (
        f"{INVALID}ProvisionedThroughput must be specified for index: idx"
    )


def test_maxima_that_are_none(
    invalid: Callable[..., str], new_table: Callable[..., str], provisioned: str
) -> None:
    """Maxima are for on-demand tables, and at least 1 or, to remove one, -1."""
    request = {"TableName": provisioned, "OnDemandThroughput": {"MaxWriteRequestUnits": 0}}
    assert invalid(UPDATE, request) == (
        f"{INVALID}MaxWriteRequestUnits for OnDemandThroughput cannot be specified when the table"
        " BillingMode is PROVISIONED"
    )
    table = new_table()
    for wrong in (0, -2, 10**12 + 1):
        request = {"TableName": table, "OnDemandThroughput": {"MaxReadRequestUnits": wrong}}
        assert invalid(UPDATE, request) == (
            f"{INVALID}Requested MaxReadRequestUnits for OnDemandThroughput for table is outside of"
            " valid range"
        )


def test_warmth_only_grows(invalid: Callable[..., str], new_table: Callable[..., str]) -> None:
    """Less than there is cannot be asked for."""
    request = {"TableName": new_table(), "WarmThroughput": {"WriteUnitsPerSecond": 3_999}}
    assert invalid(UPDATE, request) == (
        f"{INVALID}Requested WriteUnitsPerSecond for WarmThroughput for table is lower than current"
        " WarmThroughput, decreasing WarmThroughput is not supported"
    )


# --- behaviour


def test_throughput_goes_up_and_down(ddb: Any, provisioned: str) -> None:
    """The answer says UPDATING; decreases are counted and the times of both are told."""
    answer = ddb.update_table(TableName=provisioned, ProvisionedThroughput=units(5, 1))
    assert answer["TableDescription"]["TableStatus"] == "UPDATING"
    shown = wait_until_active(ddb, provisioned)["ProvisionedThroughput"]
    assert (shown["ReadCapacityUnits"], shown["WriteCapacityUnits"]) == (5, 1)
    assert shown["NumberOfDecreasesToday"] == 0
    assert "LastDecreaseDateTime" not in shown
    ddb.update_table(TableName=provisioned, ProvisionedThroughput=units(2, 3))
    later = wait_until_active(ddb, provisioned)["ProvisionedThroughput"]
    assert later["LastDecreaseDateTime"] == later["LastIncreaseDateTime"]
    assert later["LastIncreaseDateTime"] >= shown["LastIncreaseDateTime"]
    assert later["NumberOfDecreasesToday"] in {0, 1}, "0 at midnight"


def test_billing_there_and_back(ddb: Any, new_table: Callable[..., str]) -> None:
    """A new mode clears the throughput of the old one, of the table and of its indexes."""
    table = new_table(**WITH_INDEX, OnDemandThroughput={"MaxReadRequestUnits": 5})
    update = {"Update": {"IndexName": "idx", "ProvisionedThroughput": units(3, 4)}}
    ddb.update_table(
        TableName=table,
        BillingMode="PROVISIONED",
        ProvisionedThroughput=units(1, 2),
        GlobalSecondaryIndexUpdates=[update],
    )
    shown = wait_until_active(ddb, table)
    assert shown["BillingModeSummary"]["BillingMode"] == "PROVISIONED"
    assert "LastUpdateToPayPerRequestDateTime" in shown["BillingModeSummary"]
    assert "OnDemandThroughput" not in shown
    assert shown["ProvisionedThroughput"].items() >= units(1, 2).items()
    assert index_of(shown)["ProvisionedThroughput"].items() >= units(3, 4).items()
    assert shown["WarmThroughput"]["WriteUnitsPerSecond"] == 2
    ddb.update_table(TableName=table, BillingMode="PAY_PER_REQUEST")
    shown = wait_until_active(ddb, table)
    assert shown["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert shown["ProvisionedThroughput"].items() >= ZEROS.items()
    assert index_of(shown)["ProvisionedThroughput"].items() >= ZEROS.items()
    assert "OnDemandThroughput" not in shown, "what was cleared does not come back"
    assert shown["WarmThroughput"]["WriteUnitsPerSecond"] == 4_000


def test_the_mode_that_is(ddb: Any, new_table: Callable[..., str]) -> None:
    """The mode of a table may be asked for again, which changes nothing."""
    table = new_table()
    before = described(ddb, table)
    answer = ddb.update_table(TableName=table, BillingMode="PAY_PER_REQUEST")
    assert answer["TableDescription"] == before


def test_the_class_of_a_table(
    ddb: Any, refused: Callable[..., str], new_table: Callable[..., str]
) -> None:
    """It changes twice in 30 days; the one that is may be asked for at any time."""
    table = new_table()
    for table_class in ("STANDARD_INFREQUENT_ACCESS", "STANDARD", "STANDARD"):
        ddb.update_table(TableName=table, TableClass=table_class)
        shown = wait_until_active(ddb, table)["TableClassSummary"]
        assert shown["TableClass"] == table_class
        assert "LastUpdateDateTime" in shown
    request = {"TableName": table, "TableClass": "STANDARD_INFREQUENT_ACCESS"}
    assert refused("LimitExceededException", ddb.update_table, **request) == (
        "Subscriber limit exceeded: Updates of the table class are limited to 2 times in 30 day(s)."
    )


def test_maxima_of_a_table(ddb: Any, new_table: Callable[..., str]) -> None:
    """Each is set alone; the answer tells a removed one as -1, and after it there is none."""
    table = new_table()
    read, write = {"MaxReadRequestUnits": 5}, {"MaxWriteRequestUnits": 6}
    for given, answered, told in (
        (read, read, read),
        (write, read | write, read | write),
        ({"MaxReadRequestUnits": -1}, {"MaxReadRequestUnits": -1} | write, write),
    ):
        answer = ddb.update_table(TableName=table, OnDemandThroughput=given)
        assert answer["TableDescription"]["OnDemandThroughput"] == answered
        assert wait_until_active(ddb, table)["OnDemandThroughput"] == told


def test_warmth_of_a_table(ddb: Any, new_table: Callable[..., str]) -> None:
    """One side of it may be asked for alone."""
    table = new_table()
    ddb.update_table(TableName=table, WarmThroughput={"ReadUnitsPerSecond": 20_000})
    assert wait_until_active(ddb, table)["WarmThroughput"] == {
        "ReadUnitsPerSecond": 20_000,
        "WriteUnitsPerSecond": 4_000,
        "Status": "ACTIVE",
    }
