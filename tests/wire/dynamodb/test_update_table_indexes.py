"""UpdateTable's GlobalSecondaryIndexUpdates: refusals with their texts, and the life of indexes."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from wire import wrong_json
from wire.dynamodb.tables_with_indexes import (
    INVALID,
    UNITS,
    create,
    definitions,
    index,
    index_of,
    keys,
    provisioned,
    wait_until_active,
)

UPDATE = "UpdateTable"
DEFINED = definitions(a="S", b="N")
PLAIN = definitions(pk="S", sk="S")
ONE_AT_A_TIME = (
    "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per"
    " table"
)


def making(**more: Any) -> dict[str, Any]:
    """Return the members of a request that makes an index."""
    return {
        "AttributeDefinitions": DEFINED,
        "GlobalSecondaryIndexUpdates": [{"Create": index(**more)}],
    }


def updates(**actions: Any) -> dict[str, Any]:
    """Return the members of a request with one update for each action."""
    listed = [{name: action} for name, action in actions.items()]
    return {"AttributeDefinitions": DEFINED, "GlobalSecondaryIndexUpdates": listed}


@pytest.fixture
def make(ddb: Any) -> Iterator[Callable[[dict[str, Any]], str]]:
    """Create tables that are deleted after the test, and return their names."""
    names: list[str] = []

    def made(request: dict[str, Any]) -> str:
        ddb.create_table(**request)
        names.append(request["TableName"])
        wait_until_active(ddb, names[-1])
        return names[-1]

    yield made
    for name in names:
        wait_until_active(ddb, name)
        ddb.delete_table(TableName=name)


@pytest.fixture
def table(make: Callable[[dict[str, Any]], str], table_name: str) -> str:
    """An on-demand table with the global index `idx`."""
    return make(create(table_name, GlobalSecondaryIndexes=[index()]))


# --- serialisation


def test_wrong_json_types(unreadable: Callable[..., str], table_name: str) -> None:
    """A member of a wrong JSON type is a SerializationException, each with its text."""
    for inside, wrong in (
        ("Create", wrong_json.structure("CreateGlobalSecondaryIndexAction")),
        ("Update", wrong_json.structure("UpdateGlobalSecondaryIndexAction")),
        ("Delete", wrong_json.structure("DeleteGlobalSecondaryIndexAction")),
    ):
        for value, text in wrong:
            request = {"TableName": table_name, **updates(**{inside: value})}
            assert unreadable(UPDATE, request) == text, (inside, value)
        for value, text in wrong_json.STRING:
            request = {"TableName": table_name, **updates(**{inside: {"IndexName": value}})}
            assert unreadable(UPDATE, request) == text, (inside, value)


# --- validation


def test_constraints(invalid: Callable[..., str], table_name: str) -> None:
    """What an action lacks is told with its path."""
    at = "globalSecondaryIndexUpdates.1.member"
    null = "failed to satisfy constraint: Member must not be null"
    for action in ("Delete", "Update"):
        assert invalid(UPDATE, {"TableName": table_name, **updates(**{action: {}})}) == (
            f"1 validation error detected: Value null at '{at}.{action.lower()}.indexName' {null}"
        )
    assert invalid(UPDATE, {"TableName": table_name, **updates(Create={})}) == (
        "3 validation errors detected: "
        + "; ".join(
            f"Value null at '{at}.create.{name}' {null}"
            for name in ("indexName", "keySchema", "projection")
        )
    )


@pytest.mark.parametrize(
    ("more", "text"),
    [
        (
            {"GlobalSecondaryIndexUpdates": [{}]},
            (
                f"{INVALID}One of GlobalSecondaryIndexUpdate.Update,"
                " GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete must not be"
                " null"
            ),
        ),
        (
            updates(
                Delete={"IndexName": "idx"},
                Update={"IndexName": "idx", "ProvisionedThroughput": UNITS},
            ),
            (
                f"{INVALID}Only one global secondary index update per index is allowed"
                " simultaneously. Index: idx"
            ),
        ),
        (
            updates(Update={"IndexName": "idx"}),
            f"{INVALID}ProvisionedThroughput must be specified for index: idx",
        ),
        (
            making(KeySchema=keys(("a", "RANGE"))),
            f"{INVALID}Invalid KeySchema: The first KeySchemaElement is not a HASH key type",
        ),
        (making(Projection={}), f"{INVALID}Unknown ProjectionType: null"),
        (
            {**making(), "AttributeDefinitions": definitions(a="S")},
            "Invalid KeySchema: Some index key attribute have no definition",
        ),
        (
            {**making(), "AttributeDefinitions": None},
            "Invalid KeySchema: Some index key attribute have no definition",
        ),
        (
            {**making(), "ProvisionedThroughput": UNITS},
            (
                "Only one of these can be changed in one UpdateTable: GlobalSecondaryIndexUpdates,"
                " ProvisionedThroughput"
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
    "listed",
    [
        [{"Create": index("one")}, {"Create": index("two")}],
        [{"Delete": {"IndexName": "one"}}, {"Delete": {"IndexName": "two"}}],
        [{"Create": index("one")}, {"Delete": {"IndexName": "two"}}],
    ],
)
def test_one_index_is_made_or_removed_at_a_time(
    refusal: Callable[..., tuple[str, str]], listed: list[dict[str, Any]]
) -> None:
    """Two in one call are too many."""
    request = {
        "TableName": "no-such-table",
        "AttributeDefinitions": DEFINED,
        "GlobalSecondaryIndexUpdates": listed,
    }
    assert refusal(UPDATE, request) == ("LimitExceededException", ONE_AT_A_TIME)


def test_an_index_that_is_there_already(
    invalid: Callable[..., str], make: Callable[[dict[str, Any]], str], table_name: str
) -> None:
    """A name is taken once, by whatever kind of index."""
    local = index("loc", "pk", "a")
    made = make(create(table_name, GlobalSecondaryIndexes=[index()], LocalSecondaryIndexes=[local]))
    for name in ("idx", "loc"):
        request = {"TableName": made, **making(IndexName=name)}
        assert invalid(UPDATE, request) == "Attempting to create an index which already exists"


def test_an_index_that_is_not_there(refusal: Callable[..., tuple[str, str]], table: str) -> None:
    """Only what is there can be changed or removed."""
    for action in (
        {"Delete": {"IndexName": "none"}},
        {"Update": {"IndexName": "none", "ProvisionedThroughput": UNITS}},
    ):
        assert refusal(UPDATE, {"TableName": table, **updates(**action)}) == (
            "ResourceNotFoundException",
            "Requested resource not found",
        )


def test_definitions_that_do_not_fit_the_table(invalid: Callable[..., str], table: str) -> None:
    """Nothing is defined twice, and the table's own keys are defined only as they are."""
    request = {"TableName": table, **making(IndexName="new")}
    request["AttributeDefinitions"] = [*DEFINED, *definitions(a="N")]
    assert invalid(UPDATE, request) == "Attribute Name is duplicated: a"
    request["AttributeDefinitions"] = definitions(a="S", b="S")
    assert invalid(UPDATE, request) == f"{INVALID}Attribute b is defined as N already, not as S"


def test_throughput_of_the_billing_mode(
    invalid: Callable[..., str], make: Callable[[dict[str, Any]], str], table: str
) -> None:
    """A provisioned table's index has throughput, an on-demand one's has none."""
    text = (
        f"{INVALID}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index:"
        " {} when BillingMode is PAY_PER_REQUEST"
    )
    units = {"ProvisionedThroughput": UNITS}
    new = {"TableName": table, **making(IndexName="new", **units)}
    assert invalid(UPDATE, new) == text.format("new")
    old = {"TableName": table, **updates(Update={"IndexName": "idx", **units})}
    assert invalid(UPDATE, old) == text.format("idx")
    other = make(provisioned(f"{table}.2", AttributeDefinitions=PLAIN))
    assert invalid(UPDATE, {"TableName": other, **making()}) == (
        f"{INVALID}ProvisionedThroughput is not specified for index: idx"
    )


def test_no_more_than_20(
    refusal: Callable[..., tuple[str, str]],
    make: Callable[[dict[str, Any]], str],
    table_name: str,
) -> None:
    """The 21st index is beyond the quota."""
    many = [index(f"ix{number}") for number in range(20)]
    made = make(create(table_name, GlobalSecondaryIndexes=many))
    assert refusal(UPDATE, {"TableName": made, **making()}) == (
        "LimitExceededException",
        (
            "Subscriber limit exceeded: Number of global secondary indexes exceeds per-table limit"
            " of 20"
        ),
    )


# --- behaviour


def test_a_new_index_has_the_items_that_were_there(
    ddb: Any, make: Callable[[dict[str, Any]], str], table_name: str
) -> None:
    """It is CREATING at first, takes in what it finds, and follows every write from then on."""
    made = make(create(table_name, AttributeDefinitions=PLAIN))
    for number in range(30):
        item = {"pk": {"S": str(number)}, "sk": {"S": "s"}, "a": {"S": "x"}}
        ddb.put_item(TableName=made, Item=item | ({"b": {"N": "1"}} if number % 2 else {}))
    answer = ddb.update_table(TableName=made, **making())["TableDescription"]
    assert answer["TableStatus"] == "UPDATING"
    assert answer["AttributeDefinitions"] == definitions(a="S", b="N", pk="S", sk="S")
    first = index_of(answer)
    assert (first["IndexStatus"], first["Backfilling"]) == ("CREATING", False)
    assert first["IndexArn"] == f"{answer['TableArn']}/index/idx"
    last = {"pk": {"S": "last"}, "sk": {"S": "s"}, "a": {"S": "x"}, "b": {"N": "2"}}
    ddb.put_item(TableName=made, Item=last)
    ddb.delete_item(TableName=made, Key={"pk": {"S": "1"}, "sk": {"S": "s"}})
    shown = index_of(wait_until_active(ddb, made))
    assert "Backfilling" not in shown
    assert shown["ItemCount"] == 15
    assert shown["WarmThroughput"]["Status"] == "ACTIVE"


def test_definitions_that_no_key_uses_are_dropped(
    ddb: Any, make: Callable[[dict[str, Any]], str], table_name: str
) -> None:
    """A new index takes of AttributeDefinitions what it needs; the rest is not told again."""
    made = make(create(table_name, AttributeDefinitions=PLAIN))
    request = making() | {"AttributeDefinitions": [*DEFINED, *definitions(zz="S")]}
    answer = ddb.update_table(TableName=made, **request)["TableDescription"]
    for shown in (answer, wait_until_active(ddb, made)):
        assert shown["AttributeDefinitions"] == definitions(a="S", b="N", pk="S", sk="S")


def test_an_index_is_removed(ddb: Any, table: str) -> None:
    """The answer says DELETING; then the index is gone with its definitions, and may come again."""
    item = {"pk": {"S": "1"}, "sk": {"S": "s"}, "a": {"S": "x"}, "b": {"N": "1"}}
    ddb.put_item(TableName=table, Item=item)
    request = {"GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": "idx"}}]}
    answer = ddb.update_table(TableName=table, **request)["TableDescription"]
    assert answer["TableStatus"] == "UPDATING"
    removed = index_of(answer)
    assert removed["IndexStatus"] == "DELETING"
    assert "Projection" not in removed
    shown = wait_until_active(ddb, table)
    assert "GlobalSecondaryIndexes" not in shown
    assert shown["AttributeDefinitions"] == PLAIN
    ddb.put_item(TableName=table, Item={**item, "a": {"S": "y"}})
    projection = {"ProjectionType": "KEYS_ONLY"}
    ddb.update_table(TableName=table, **making(Projection=projection))
    found = index_of(wait_until_active(ddb, table))
    assert (found["ItemCount"], found["Projection"]) == (1, projection)


def test_throughput_of_an_index(
    ddb: Any,
    invalid: Callable[..., str],
    make: Callable[[dict[str, Any]], str],
    table_name: str,
) -> None:
    """It changes alone, is told with its times, and cannot be changed to what it is."""
    made = make(
        provisioned(table_name, GlobalSecondaryIndexes=[index(ProvisionedThroughput=UNITS)])
    )
    update = {
        "IndexName": "idx",
        "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 1},
    }
    request = {"TableName": made, "GlobalSecondaryIndexUpdates": [{"Update": update}]}
    answer = ddb.update_table(**request)["TableDescription"]
    assert (answer["TableStatus"], index_of(answer)["IndexStatus"]) == ("UPDATING", "UPDATING")
    shown = wait_until_active(ddb, made)
    found = index_of(shown)["ProvisionedThroughput"]
    assert found.pop("LastIncreaseDateTime") >= shown["CreationDateTime"]
    assert found == {
        "ReadCapacityUnits": 5,
        "WriteCapacityUnits": 1,
        "NumberOfDecreasesToday": 0,
    }
    assert shown["ProvisionedThroughput"] == {"NumberOfDecreasesToday": 0, **UNITS}
    assert invalid(UPDATE, request) == (
        "The provisioned throughput for the index idx will not change. The requested value equals"
        " the current value. Current ReadCapacityUnits provisioned for the index: 5. Requested"
        " ReadCapacityUnits: 5. Current WriteCapacityUnits provisioned for the index: 1. Requested"
        " WriteCapacityUnits: 1. Refer to the Amazon DynamoDB Developer Guide for current limits"
        " and how to request higher limits."
    )


def test_maxima_and_warmth_of_an_index(ddb: Any, table: str) -> None:
    """Both change with an Update, and a maximum of -1 is none."""
    update: dict[str, Any] = {"IndexName": "idx"}
    both = {"MaxReadRequestUnits": 5, "MaxWriteRequestUnits": 6}
    for maxima, told in (
        (both, both),
        ({"MaxReadRequestUnits": -1}, {"MaxWriteRequestUnits": 6}),
    ):
        action = {"Update": {**update, "OnDemandThroughput": maxima}}
        ddb.update_table(TableName=table, GlobalSecondaryIndexUpdates=[action])
        assert index_of(wait_until_active(ddb, table))["OnDemandThroughput"] == told
    action = {"Update": {**update, "WarmThroughput": {"ReadUnitsPerSecond": 15_000}}}
    ddb.update_table(TableName=table, GlobalSecondaryIndexUpdates=[action])
    warm = index_of(wait_until_active(ddb, table))["WarmThroughput"]
    assert (warm["ReadUnitsPerSecond"], warm["WriteUnitsPerSecond"]) == (15_000, 4_000)


def test_an_index_with_all_its_options(
    ddb: Any, make: Callable[[dict[str, Any]], str], table_name: str
) -> None:
    """Key, projection and throughput of a new index are those that it was asked for."""
    made = make(provisioned(table_name, AttributeDefinitions=PLAIN))
    schema = keys(("a", "HASH"), ("pk", "HASH"), ("b", "RANGE"))
    projection = {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["x", "y"]}
    request = making(KeySchema=schema, Projection=projection, ProvisionedThroughput=UNITS)
    request["AttributeDefinitions"] = [*DEFINED, *PLAIN]
    ddb.update_table(TableName=made, **request)
    found = index_of(wait_until_active(ddb, made))
    assert (found["KeySchema"], found["Projection"]) == (schema, projection)
    assert found["ProvisionedThroughput"] == {"NumberOfDecreasesToday": 0, **UNITS}
