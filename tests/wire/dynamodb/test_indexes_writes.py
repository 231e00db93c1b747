"""Writes to tables with indexes: what is refused because of them, what follows, and what it costs.

Where DynamoDB Local 2.6.1 answers otherwise, the tests follow AWS: Local takes updates that give an
index's key a wrong type or too many bytes, has shorter texts for puts, tells no item collections,
and charges transactions twice for indexes too (dynoxide 188, measured on AWS: for the table alone).
"""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from penstock.base import limits
from wire.dynamodb.tables_with_indexes import wait_until_active
from wire.indexed_tables import LOCAL, index, item, make_indexed, put_all

VALIDATION = "ValidationException"
INVALID = "One or more parameter values were invalid: "
NOT_VALID = "One or more parameter values are not valid. "
EMPTY = "The AttributeValue for a key attribute cannot contain an empty {} value."
PUT_EMPTY = f"{NOT_VALID}A value specified for a secondary index key is not supported. {EMPTY}"
UPDATE_EMPTY = (
    f"{NOT_VALID}The update expression attempted to update a secondary index key to a value that is"
    f" not supported. {EMPTY}"
)
NewTable = Callable[..., str]
Refused = Callable[..., str]
KEY = {"pk": {"S": "p"}, "sk": {"N": "1"}}


def scanned(ddb: Any, table: str, name: str | None = None) -> list[dict[str, Any]]:
    """Return all items of a table or entries of an index."""
    named = {} if name is None else {"IndexName": name}
    items: list[dict[str, Any]] = ddb.scan(TableName=table, **named)["Items"]
    return items


def update(ddb: Any, table: str, expression: str, **more: Any) -> dict[str, Any]:
    """Update the item of KEY; further values are those of placeholders."""
    values = {f":{name}": more.pop(name) for name in [*more] if len(name) == 1}
    if values:
        more["ExpressionAttributeValues"] = values
    answer: dict[str, Any] = ddb.update_item(
        TableName=table, Key=KEY, UpdateExpression=expression, **more
    )
    return answer


# --- validation: puts

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"g": 1}, INVALID + "Type mismatch for Index Key g Expected: S Actual: N IndexName: all"),
    (
        {"h": {"NULL": True}},
        INVALID + "Type mismatch for Index Key h Expected: N Actual: NULL IndexName: keys",
    ),
    (
        {"l": {"L": []}},
        INVALID + "Type mismatch for Index Key l Expected: S Actual: L IndexName: local-keys",
    ),
    ({"g": ""}, PUT_EMPTY.format("string") + " IndexName: all, IndexKey: g"),
    ({"b": b""}, PUT_EMPTY.format("binary") + " IndexName: some, IndexKey: b"),
    (
        {"b": b"b" * 2049},
        INVALID + "Size limit exceeded for Index Key b Actual Size: 2049 bytes Max Size: 2048 bytes"
        " IndexName: some",
    ),
    (
        {"l": "l" * 1025},
        INVALID + "Size limit exceeded for Index Key l Actual Size: 1025 bytes Max Size: 1024 bytes"
        " IndexName: local-keys",
    ),
    (
        {"h": 1, "x": "x" * 210_000},
        "Item size has exceeded the maximum allowed size",
    ),
]


def test_a_put_is_judged_by_the_keys_of_all_indexes(
    ddb: Any, refused: Refused, new_table: NewTable
) -> None:
    """Before its condition, alone and in a batch; nothing of a refused batch is written."""
    table = make_indexed(new_table)
    for attributes, text in WRONG:
        wrong = item("p", 1, **attributes)
        condition = {"ConditionExpression": "attribute_exists(pk)"}
        assert refused(VALIDATION, ddb.put_item, TableName=table, Item=wrong) == text
        assert refused(VALIDATION, ddb.put_item, TableName=table, Item=wrong, **condition) == text
        batch = {table: [{"PutRequest": {"Item": each}} for each in (item("q", 1), wrong)]}
        assert refused(VALIDATION, ddb.batch_write_item, RequestItems=batch) == text
    assert scanned(ddb, table) == []


def test_the_key_of_the_table_comes_before_those_of_its_indexes(
    ddb: Any, refused: Refused, new_table: NewTable
) -> None:
    table = make_indexed(new_table)
    message = refused(
        VALIDATION, ddb.put_item, TableName=table, Item={"pk": {"S": "p"}, "g": {"N": "1"}}
    )
    assert message == INVALID + "Missing the key sk in the item"


# --- validation: updates


def test_an_update_is_judged_by_the_item_that_it_makes(
    ddb: Any, refused: Refused, new_table: NewTable
) -> None:
    """After its condition; also where a function or ADD gives the value."""
    table = make_indexed(new_table)
    number, empty = {"N": "1"}, {"S": ""}
    mismatch = INVALID + "Type mismatch for Index Key g Expected: S Actual: {} IndexName: all"
    cases: list[tuple[str, dict[str, Any], str]] = [
        ("SET g = :v", {"v": number}, mismatch.format("N")),
        ("SET g = if_not_exists(n, :v)", {"v": number}, mismatch.format("N")),
        ("ADD g :v", {"v": {"SS": ["a"]}}, mismatch.format("SS")),
        ("SET g = :v", {"v": empty}, UPDATE_EMPTY.format("string")),
        ("SET g = if_not_exists(n, :v)", {"v": empty}, UPDATE_EMPTY.format("string")),
        ("SET b = :v", {"v": {"B": b""}}, UPDATE_EMPTY.format("binary")),
        (
            "SET g = :v",
            {"v": {"S": "x" * 2049}},
            INVALID + "Size limit exceeded for Index Key g Actual Size: 2049 bytes Max Size: 2048"
            " bytes IndexName: all",
        ),
        (
            "SET h = :n, x = :x",
            {"n": number, "x": {"S": "x" * 210_000}},
            "Item size to update has exceeded the maximum allowed size",
        ),
    ]
    for expression, values, text in cases:
        asked: dict[str, Any] = {"ddb": ddb, "table": table, "expression": expression, **values}
        assert refused(VALIDATION, update, **asked) == text, expression
        failed = "ConditionalCheckFailedException"
        refused(failed, update, **asked, ConditionExpression="attribute_exists(pk)")
    assert scanned(ddb, table) == []


def test_no_expression_names_a_part_of_an_index_key(
    ddb: Any, refused: Refused, new_table: NewTable
) -> None:
    """As of a key of the table, whose error comes first."""
    table = make_indexed(new_table)
    text = (
        "Key attributes must be scalars; list random access '[]' and map lookup '.' are not"
        " allowed: IndexKey: g"
    )
    value = {"S": "x"}
    asked: dict[str, Any] = {"ddb": ddb, "table": table}
    assert refused(VALIDATION, update, **asked, expression="SET g.x = :v", v=value) == text
    assert refused(VALIDATION, update, **asked, expression="SET y = g[0]") == text
    assert refused(VALIDATION, update, **asked, expression="REMOVE g.x") == text
    condition = {"ConditionExpression": "attribute_exists(g.x)"}
    assert refused(VALIDATION, update, **asked, expression="REMOVE y", **condition) == text
    for call, more in ((ddb.put_item, {"Item": KEY}), (ddb.delete_item, {"Key": KEY})):
        assert refused(VALIDATION, call, TableName=table, **more, **condition) == text
    projected = {"TableName": table, "Key": KEY, "ProjectionExpression": "g.x"}
    assert refused(VALIDATION, ddb.get_item, **projected) == text
    mixed = refused(VALIDATION, ddb.get_item, **{**projected, "ProjectionExpression": "g.x, pk.y"})
    assert mixed.endswith(" Key: pk")


# --- validation: transactions


def reasons(ddb: Any, *actions: dict[str, Any]) -> Any:
    """Return the cancellation reasons of a transaction, or the text of another refusal."""
    with pytest.raises(ClientError) as caught:
        ddb.transact_write_items(TransactItems=list(actions))
    response = caught.value.response
    if response["Error"]["Code"] == "TransactionCanceledException":
        return [reason["Code"] for reason in response["CancellationReasons"]]
    assert response["Error"]["Code"] == VALIDATION
    return response["Error"]["Message"]


def test_a_wrong_type_cancels_a_transaction_and_an_empty_key_refuses_it(
    ddb: Any, new_table: NewTable
) -> None:
    table = make_indexed(new_table)
    good = {"Put": {"TableName": table, "Item": item("q", 1)}}
    of_wrong_type = {"Put": {"TableName": table, "Item": item("p", 1, g=1)}}
    empty = {"Put": {"TableName": table, "Item": item("p", 2, g="")}}

    def updating(value: dict[str, Any]) -> dict[str, Any]:
        values = {":v": value}
        return {
            "Update": {
                "TableName": table,
                "Key": KEY,
                "UpdateExpression": "SET g = :v",
                "ExpressionAttributeValues": values,
            }
        }

    assert reasons(ddb, good, of_wrong_type) == ["None", "ValidationError"]
    assert reasons(ddb, good, updating({"N": "1"})) == ["None", "ValidationError"]
    assert reasons(ddb, of_wrong_type, empty).startswith(PUT_EMPTY.format("string"))
    assert reasons(ddb, good, updating({"S": ""})) == UPDATE_EMPTY.format("string")
    assert scanned(ddb, table) == []


# --- behaviour: what follows


def test_every_index_follows_every_way_of_writing(ddb: Any, new_table: NewTable) -> None:
    """An item comes, moves, changes, and goes; each index shows it as it is after each write."""
    table = make_indexed(new_table)

    def held() -> dict[str, list[dict[str, Any]]]:
        names = ("keys", "all", "some", "local-keys", "local-some")
        return {name: entries for name in names if (entries := scanned(ddb, table, name))}

    one = item("p", 1, y="y")
    ddb.put_item(TableName=table, Item=one)
    assert held() == {}
    one |= {"g": {"S": "a"}}
    update(ddb, table, "SET g = :v", v=one["g"])
    assert held() == {"all": [one]}
    one |= {"h": {"N": "5"}, "x": {"S": "x"}}
    ddb.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": one}}]})
    names = {"keys": ["g", "h"], "local-some": ["h", "x"]}
    projected = {n: [KEY | {each: one[each] for each in more}] for n, more in names.items()}
    assert held() == {"all": [one], **projected}
    one["g"] = {"S": "b"}
    ddb.transact_write_items(
        TransactItems=[
            {
                "Update": {
                    "TableName": table,
                    "Key": KEY,
                    "UpdateExpression": "SET g = :v REMOVE x",
                    "ExpressionAttributeValues": {":v": one["g"]},
                }
            }
        ]
    )
    del one["x"]
    assert held() == {
        "all": [one],
        "keys": [KEY | {"g": one["g"], "h": one["h"]}],
        "local-some": [KEY | {"h": one["h"]}],
    }
    update(ddb, table, "REMOVE g")
    assert held().keys() == {"local-some"}
    ddb.delete_item(TableName=table, Key=KEY)
    assert held() == {}


def test_a_refused_write_leaves_the_indexes_as_they_are(
    ddb: Any, refused: Refused, new_table: NewTable
) -> None:
    table = make_indexed(new_table)
    ddb.put_item(TableName=table, Item=item("p", 1, g="a", h=1))
    before = scanned(ddb, table, "keys")
    failing: dict[str, Any] = {"ConditionExpression": "attribute_exists(absent)"}
    failed = "ConditionalCheckFailedException"
    refused(failed, ddb.put_item, TableName=table, Item=item("p", 1, g="b", h=2), **failing)
    refused(failed, ddb.delete_item, TableName=table, Key=KEY, **failing)
    assert scanned(ddb, table, "keys") == before


def test_an_item_from_before_that_an_index_cannot_take(
    ddb: Any, refused: Refused, new_table: NewTable
) -> None:
    """It stays outside, and as it is until it is mended or deleted (tecRacer, 2024-09, on AWS)."""
    table = make_indexed(new_table, [], [])
    put_all(ddb, table, [item("p", 1, g=5), item("p", 2, g="a"), item("p", 3, g=6)])
    late = index("late", ["g"], [], "ALL")
    ddb.update_table(
        TableName=table,
        AttributeDefinitions=[{"AttributeName": "g", "AttributeType": "S"}],
        GlobalSecondaryIndexUpdates=[{"Create": late}],
    )
    wait_until_active(ddb, table)
    assert scanned(ddb, table, "late") == [item("p", 2, g="a")]
    text = INVALID + "Type mismatch for Index Key g Expected: S Actual: N IndexName: late"
    asked: dict[str, Any] = {
        "ddb": ddb,
        "table": table,
        "expression": "SET y = :v",
        "v": {"S": "y"},
    }
    assert refused(VALIDATION, update, **asked) == text
    update(ddb, table, "SET g = :v", v={"S": "a"})
    ddb.delete_item(TableName=table, Key=KEY | {"sk": {"N": "3"}})
    assert len(scanned(ddb, table, "late")) == len(scanned(ddb, table)) == 2


# --- behaviour: what it costs


def units(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the units told of the table, of each index, and in all."""
    told = answer["ConsumedCapacity"]
    by_index = {
        name: arm["CapacityUnits"]
        for kind in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes")
        for name, arm in told.get(kind, {}).items()
    }
    return {"table": told["Table"]["CapacityUnits"], **by_index, "all": told["CapacityUnits"]}


BIG = item("p", 1, g="a", h=1, l="l", b=b"b", x="x" * 1500, y="y" * 3000)
TOLD = {"ReturnConsumedCapacity": "INDEXES"}


@pytest.fixture
def costly(new_table: NewTable) -> str:
    """A table whose global index of all attributes does not have the name of the total."""
    whole = index("whole", ["g"], [], "ALL")
    keys, some = index("keys", ["g"], ["h"], "KEYS_ONLY"), index("some", ["b"], ["g"], ["x"])
    return make_indexed(new_table, LOCAL, [whole, keys, some])


def test_a_write_costs_what_it_changes_in_each_index(ddb: Any, costly: str) -> None:
    """By the size of the entries; twice where one moves; nothing where one stays as it is.

    AWS developer guide and dynoxide 176, measured on AWS, 2026-08.
    """

    def put(**changed: Any) -> dict[str, Any]:
        values = {name: {"S": text} for name, text in changed.items()}
        return units(ddb.put_item(TableName=costly, Item={**BIG, **values}, **TOLD))

    new = {"table": 5, "whole": 5, "keys": 1, "some": 2, "local-keys": 1, "local-some": 2}
    assert put() == {**new, "all": 16}
    assert put() == {"table": 5, "all": 5}
    assert put(y="z" * 3000) == {"table": 5, "whole": 5, "all": 10}
    assert put(x="z" * 1500) == {"table": 5, "whole": 5, "some": 2, "local-some": 2, "all": 14}
    moved = put(g="b", x="z" * 1500)
    assert moved == {"table": 5, "whole": 10, "keys": 2, "some": 4, "all": 21}
    gone = units(update(ddb, costly, "REMOVE h", **TOLD))
    assert gone == {"table": 5, "whole": 5, "keys": 1, "local-some": 2, "all": 13}
    deleted = units(ddb.delete_item(TableName=costly, Key=KEY, **TOLD))
    assert deleted == {"table": 5, "whole": 5, "some": 2, "local-keys": 1, "all": 13}
    absent = units(ddb.delete_item(TableName=costly, Key=KEY, **TOLD))
    assert absent == {"table": 1, "all": 1}


def test_total_and_indexes_tell_the_same_sum(ddb: Any, costly: str) -> None:
    answer = ddb.put_item(TableName=costly, Item=BIG, ReturnConsumedCapacity="TOTAL")
    assert answer["ConsumedCapacity"] == {"TableName": costly, "CapacityUnits": 16.0}
    answer = ddb.delete_item(TableName=costly, Key=KEY, **TOLD)
    assert answer["ConsumedCapacity"] == {
        "TableName": costly,
        "CapacityUnits": 16.0,
        "Table": {"CapacityUnits": 5.0},
        "LocalSecondaryIndexes": {
            "local-keys": {"CapacityUnits": 1.0},
            "local-some": {"CapacityUnits": 2.0},
        },
        "GlobalSecondaryIndexes": {
            "whole": {"CapacityUnits": 5.0},
            "keys": {"CapacityUnits": 1.0},
            "some": {"CapacityUnits": 2.0},
        },
    }


def test_a_batch_and_a_transaction_sum_what_each_index_took(ddb: Any, costly: str) -> None:
    """A transaction doubles the table's units and not those of indexes."""
    puts = [{"PutRequest": {"Item": {**BIG, "sk": {"N": str(n)}}}} for n in range(2)]
    (told,) = ddb.batch_write_item(RequestItems={costly: puts}, **TOLD)["ConsumedCapacity"]
    summed = {"whole": 10, "keys": 2, "some": 4, "local-keys": 2, "local-some": 4}
    assert units({"ConsumedCapacity": told}) == {"table": 10, **summed, "all": 32}
    actions = [
        {"Put": {"TableName": costly, "Item": {**BIG, "sk": {"N": str(n)}}}} for n in range(2, 4)
    ]
    (told,) = ddb.transact_write_items(TransactItems=actions, **TOLD)["ConsumedCapacity"]
    assert units({"ConsumedCapacity": told}) == {"table": 20, **summed, "all": 42}
    assert told["GlobalSecondaryIndexes"]["whole"]["WriteCapacityUnits"] == 10
    assert told["WriteCapacityUnits"] == 42


# --- behaviour: item collections

SIZE = {"ReturnItemCollectionMetrics": "SIZE"}


def metrics(pk: str) -> dict[str, Any]:
    return {"ItemCollectionKey": {"pk": {"S": pk}}, "SizeEstimateRangeGB": [0.0, 1.0]}


def test_item_collections_are_told_where_there_are_local_indexes(
    ddb: Any, new_table: NewTable
) -> None:
    table = make_indexed(new_table, LOCAL, [])
    answers = [
        ddb.put_item(TableName=table, Item=item("p", 1, l="l"), **SIZE),
        update(ddb, table, "SET y = :v", v={"S": "y"}, **SIZE),
        ddb.delete_item(TableName=table, Key=KEY, **SIZE),
    ]
    assert [answer["ItemCollectionMetrics"] for answer in answers] == [metrics("p")] * 3
    puts = [{"PutRequest": {"Item": item(pk, n)}} for n, pk in enumerate("ppq")]
    answer = ddb.batch_write_item(RequestItems={table: puts}, **SIZE)
    assert answer["ItemCollectionMetrics"] == {table: [metrics("p"), metrics("q")]}
    actions = [{"Put": {"TableName": table, "Item": item("r", 1)}}]
    answer = ddb.transact_write_items(TransactItems=actions, **SIZE)
    assert answer["ItemCollectionMetrics"] == {table: [metrics("r")]}
    for more in ({}, {"ReturnItemCollectionMetrics": "NONE"}):
        answer = ddb.put_item(TableName=table, Item=item("p", 1), **more)
        assert "ItemCollectionMetrics" not in answer


def test_other_tables_have_no_item_collections(ddb: Any, new_table: NewTable) -> None:
    table = make_indexed(new_table, [])
    answers = [
        ddb.put_item(TableName=table, Item=item("p", 1), **SIZE),
        ddb.batch_write_item(RequestItems={table: [{"DeleteRequest": {"Key": KEY}}]}, **SIZE),
        ddb.transact_write_items(
            TransactItems=[{"Put": {"TableName": table, "Item": item("p", 1)}}], **SIZE
        ),
    ]
    assert all("ItemCollectionMetrics" not in answer for answer in answers)


@pytest.fixture
def small_collections(server_kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an item collection have few bytes: a server in this process looks at that limit."""
    if server_kind != "memory":
        pytest.skip("only a server in the test's own process can be given another limit")
    monkeypatch.setattr(limits, "item_collection_bytes_max", 300)


@pytest.mark.usefixtures("small_collections")
def test_an_item_collection_has_its_limit(ddb: Any, refused: Refused, new_table: NewTable) -> None:
    """What would take it over the limit is refused, alone and as an action of a transaction."""
    table = make_indexed(new_table, LOCAL, [])
    put_all(ddb, table, [item("p", 1, y="y" * 200), item("q", 1)])
    code, large = "ItemCollectionSizeLimitExceededException", item("p", 2, y="y" * 200)
    assert refused(code, ddb.put_item, TableName=table, Item=large) == "Collection size exceeded."
    batch = {table: [{"PutRequest": {"Item": large}}]}
    refused(code, ddb.batch_write_item, RequestItems=batch)
    bigger = {"ddb": ddb, "table": table, "expression": "SET z = :v", "v": {"S": "z" * 100}}
    refused(code, update, **bigger)
    actions = [{"Put": {"TableName": table, "Item": each}} for each in (item("q", 2), large)]
    assert reasons(ddb, *actions) == ["None", "ItemCollectionSizeLimitExceeded"]
    update(ddb, table, "SET y = :v", v={"S": "y"})
    ddb.put_item(TableName=table, Item=large)
    assert len(scanned(ddb, table)) == 3
