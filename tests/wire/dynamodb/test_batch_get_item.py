"""BatchGetItem: types of members, refusals with their texts and order, and what is got."""

from collections.abc import Callable
from typing import Any

import pytest

from wire import wrong_json

BATCH = "BatchGetItem"
MISMATCH = "The provided key element does not match the schema"
DUPLICATES = "Provided list of item keys contains duplicates"
KEY: dict[str, Any] = {"pk": {"S": "a"}}
Item = dict[str, Any]


def batch(table: str, *keys: Any, **more: Any) -> Item:
    """Return a batch for one table; `more` is asked of that table."""
    return {"RequestItems": {table: {"Keys": list(keys), **more}}}


def named(prefix: Item, *names: object) -> list[Item]:
    """Return keys that begin with one's key."""
    return [{"pk": {"S": f"{prefix['pk']['S']}-{name}"}} for name in names]


def by_key(items: list[Item]) -> list[Item]:
    """Return items in the order of their partition keys: a batch promises none."""
    return sorted(items, key=lambda item: str(item["pk"]["S"]))


# --- serialisation


@pytest.mark.parametrize(
    ("member", "wrong"),
    [
        ("RequestItems", wrong_json.map_of(f"{wrong_json.JAVA}KeysAndAttributes")),
        ("ReturnConsumedCapacity", wrong_json.STRING),
    ],
)
def test_wrong_json_types_of_members(
    unreadable: Callable[..., str], member: str, wrong: wrong_json.Wrong
) -> None:
    """A member of a wrong JSON type is a SerializationException, each with its text."""
    for value, text in wrong:
        assert unreadable(BATCH, {member: value}) == text, value


@pytest.mark.parametrize(
    ("member", "wrong"),
    [
        ("Keys", wrong_json.LIST),
        ("ConsistentRead", wrong_json.BOOLEAN),
        ("ProjectionExpression", wrong_json.STRING),
        ("ExpressionAttributeNames", wrong_json.NAME_MAP),
        ("AttributesToGet", wrong_json.LIST),
    ],
)
def test_wrong_json_types_of_a_table(
    unreadable: Callable[..., str], plain: str, member: str, wrong: wrong_json.Wrong
) -> None:
    """So is what is asked of a table."""
    for value, text in wrong:
        assert unreadable(BATCH, {"RequestItems": {plain: {member: value}}}) == text, value


def test_wrong_json_types_further_in(unreadable: Callable[..., str], plain: str) -> None:
    """So is a table's part, a key, and an attribute value."""
    for value, text in wrong_json.structure("KeysAndAttributes"):
        assert unreadable(BATCH, {"RequestItems": {plain: value}}) == text, value
    for value, text in wrong_json.ATTRIBUTE_MAP:
        assert unreadable(BATCH, batch(plain, value)) == text, value
    for value, text in wrong_json.ATTRIBUTE_VALUE:
        assert unreadable(BATCH, batch(plain, {"pk": value})) == text, value


# --- validation


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            {},
            (
                "1 validation error detected: Value null at 'requestItems' failed to satisfy"
                " constraint: Member must not be null"
            ),
        ),
        (
            {"RequestItems": {}},
            (
                "1 validation error detected: Value at 'RequestItems' failed to satisfy constraint:"
                " Member must have length greater than or equal to 1"
            ),
        ),
        (
            {"RequestItems": {"abc": {}}},
            (
                "1 validation error detected: Value null at 'requestItems.abc.member.keys' failed"
                " to satisfy constraint: Member must not be null"
            ),
        ),
        (
            {"RequestItems": {"abc": {"Keys": []}}, "ReturnConsumedCapacity": "x"},
            (
                "2 validation errors detected: Value '[]' at 'requestItems.abc.member.keys' failed"
                " to satisfy constraint: Member must have length greater than or equal to 1; Value"
                " 'x' at 'returnConsumedCapacity' failed to satisfy constraint: Member must satisfy"
                " enum value set: [INDEXES, TOTAL, NONE]"
            ),
        ),
        (
            batch("abc", None),
            (
                "1 validation error detected: Value '[null]' at 'requestItems.abc.member.keys'"
                " failed to satisfy constraint: Member must satisfy constraint: [Member must not be"
                " null]"
            ),
        ),
        (
            batch("a;c", KEY),
            (
                "1 validation error detected: Value 'a;c' at 'tableName' failed to satisfy"
                " constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
            ),
        ),
        (
            batch("abc", KEY, AttributesToGet=["a", "b", "a"]),
            "One or more parameter values were invalid: Duplicate value in attribute name: a",
        ),
        (
            batch("abc", KEY, ProjectionExpression=""),
            "Invalid ProjectionExpression: The expression can not be empty;",
        ),
        (
            batch("abc", KEY, ProjectionExpression="#a"),
            (
                "Invalid ProjectionExpression: An expression attribute name used in the document"
                " path is not defined; attribute name: #a"
            ),
        ),
        (
            batch("abc", KEY, ExpressionAttributeNames={"#a": "a"}),
            "ExpressionAttributeNames can only be specified when using expressions",
        ),
        (
            batch("abc", KEY, ProjectionExpression="a", ExpressionAttributeNames={"#a": "a"}),
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a}",
        ),
    ],
)
def test_batches_that_are_none(invalid: Callable[..., str], body: Item, text: str) -> None:
    """A batch names tables, and keys and perhaps a projection for each of them."""
    assert invalid(BATCH, body) == text


def test_how_many_keys(invalid: Callable[..., str], ddb: Any, plain: str, key: Item) -> None:
    """100 keys are a batch; 101 are too many, of one table or of several."""
    keys = named(key, *range(101))
    answer = ddb.batch_get_item(**batch(plain, *keys[:100]))
    assert answer["Responses"] == {plain: []}
    assert answer["UnprocessedKeys"] == {}
    assert invalid(BATCH, batch(plain, *keys)) == (
        f"1 validation error detected: Value at 'RequestItems.{plain}.member.Keys' failed to"
        " satisfy constraint: Member must have length less than or equal to 100"
    )
    apart = {plain: {"Keys": keys[:50]}, "another": {"Keys": keys[50:]}}
    assert invalid(BATCH, {"RequestItems": apart}) == (
        "Too many items requested for the BatchGetItem call"
    )


@pytest.mark.parametrize(
    "key", [{}, {"pk": {"N": "1"}}, {"a": {"S": "a"}}, {"pk": {"S": "a"}, "a": {"S": "a"}}]
)
def test_keys_that_do_not_match_the_schema(
    invalid: Callable[..., str], plain: str, key: Item
) -> None:
    """A key has exactly the attributes of its table's, each of its type."""
    assert invalid(BATCH, batch(plain, KEY, key)) == MISMATCH


def test_values_that_no_key_can_have(invalid: Callable[..., str], plain: str) -> None:
    """Values of keys that are empty, or no values at all."""
    assert invalid(BATCH, batch(plain, {"pk": {"S": ""}})) == (
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot"
        " contain an empty string value. Key: pk"
    )
    for value, text in wrong_json.NOT_VALUES:
        assert invalid(BATCH, batch(plain, KEY, {"pk": value})) == text, value


def test_the_same_key_twice(invalid: Callable[..., str], sorted_table: str) -> None:
    """A key may be asked for once, and numbers are the same by value."""
    one, other, same = ({**KEY, "sk": {"N": number}} for number in ("1", "2", "1.0"))
    assert invalid(BATCH, batch(sorted_table, one, other, one)) == DUPLICATES
    assert invalid(BATCH, batch(sorted_table, one, other, same)) == DUPLICATES


def test_unknown_tables(refusal: Callable[..., tuple[str, str]], plain: str) -> None:
    """One table that is not there refuses the whole batch."""
    asked = {plain: {"Keys": [KEY]}, "no-such-table": {"Keys": [KEY]}}
    assert refusal(BATCH, {"RequestItems": asked}) == (
        "ResourceNotFoundException",
        "Requested resource not found",
    )


def test_the_order_of_refusals(refusal: Callable[..., tuple[str, str]], plain: str) -> None:
    """Of several mistakes the first is told: put right one by one, they come in this order."""
    bad, mismatch = {"pk": {"N": "x"}}, {"pk": {"N": "1"}}
    steps: list[Item] = [
        {**batch("no-such-table", *[bad] * 101), "ReturnConsumedCapacity": "x"},
        batch("no-such-table", *[bad] * 101),
        batch("no-such-table", bad, ProjectionExpression="a,"),
        batch("no-such-table", mismatch, mismatch, ProjectionExpression="a,"),
        batch("no-such-table", mismatch, ProjectionExpression="a,"),
        batch("no-such-table", mismatch),
        batch(plain, mismatch, KEY),
    ]
    told = [refusal(BATCH, body)[1] for body in steps]
    assert [text.split(":")[0] for text in told] == [
        "1 validation error detected",
        "1 validation error detected",
        "The parameter cannot be converted to a numeric value",
        DUPLICATES,
        "Invalid ProjectionExpression",
        "Requested resource not found",
        MISMATCH,
    ]


# --- behaviour


def test_items_of_several_tables(ddb: Any, plain: str, sorted_table: str, key: Item) -> None:
    """Every item that there is comes back under its table; what is not there is left out."""
    keys = named(key, *range(3))
    items = [{**each, "n": {"N": "1.50"}} for each in keys[:2]]
    for item in items:
        ddb.put_item(TableName=plain, Item=item)
    ddb.put_item(TableName=sorted_table, Item={**key, "sk": {"N": "5"}})
    answer = ddb.batch_get_item(
        RequestItems={
            plain: {"Keys": keys, "ConsistentRead": True},
            sorted_table: {"Keys": [{**key, "sk": {"N": "5.0"}}, {**key, "sk": {"N": "6"}}]},
        }
    )
    assert by_key(answer["Responses"][plain]) == [{**each, "n": {"N": "1.5"}} for each in keys[:2]]
    assert answer["Responses"][sorted_table] == [{**key, "sk": {"N": "5"}}]
    assert answer["UnprocessedKeys"] == {}
    assert "ConsumedCapacity" not in answer


def test_projections(ddb: Any, plain: str, sorted_table: str, key: Item) -> None:
    """Each table has a projection and names of its own."""
    item = {**key, "a": {"S": "a"}, "doc": {"M": {"x": {"N": "1"}, "y": {"N": "2"}}}}
    sorted_key = {**key, "sk": {"N": "1"}}
    ddb.put_item(TableName=plain, Item=item)
    ddb.put_item(TableName=sorted_table, Item={**item, **sorted_key})
    answer = ddb.batch_get_item(
        RequestItems={
            plain: {
                "Keys": [key],
                "ProjectionExpression": "#d.x",
                "ExpressionAttributeNames": {"#d": "doc"},
            },
            sorted_table: {
                "Keys": [sorted_key],
                "ProjectionExpression": "#d",
                "ExpressionAttributeNames": {"#d": "a"},
            },
        }
    )
    assert answer["Responses"] == {
        plain: [{"doc": {"M": {"x": {"N": "1"}}}}],
        sorted_table: [{"a": {"S": "a"}}],
    }


def test_an_answer_of_16_mb(ddb: Any, new_table: Callable[..., str]) -> None:
    """Keys whose items do not fit come back as they were asked, and are got by asking again."""
    table = new_table()
    keys = [{"pk": {"S": f"{n:02}"}} for n in range(50)]
    value = {"S": "x" * (400 * 1024 - len("pk") - 2 - len("a"))}
    for start in range(0, 50, 25):
        puts = [{"PutRequest": {"Item": {**key, "a": value}}} for key in keys[start : start + 25]]
        ddb.batch_write_item(RequestItems={table: puts})
    asked = {
        "Keys": keys,
        "ConsistentRead": True,
        "ProjectionExpression": "#k",
        "ExpressionAttributeNames": {"#k": "pk"},
    }
    first = ddb.batch_get_item(RequestItems={table: asked}, ReturnConsumedCapacity="TOTAL")
    fitting = 16 * 1024 // 400
    assert len(first["Responses"][table]) == fitting
    assert first["ConsumedCapacity"] == [{"TableName": table, "CapacityUnits": 100.0 * fitting}]
    left = first["UnprocessedKeys"][table]
    assert {**left, "Keys": []} == {**asked, "Keys": []}
    second = ddb.batch_get_item(RequestItems=first["UnprocessedKeys"])
    assert second["UnprocessedKeys"] == {}
    assert by_key(first["Responses"][table] + second["Responses"][table]) == keys
    assert len(left["Keys"]) == len(second["Responses"][table]) == 50 - fitting


def test_consumed_capacity(ddb: Any, plain: str, sorted_table: str, key: Item) -> None:
    """Each item costs as alone, rounded up by itself; each table is told once."""
    large, small, never = named(key, "large", "small", "never")
    fixed = len("pk") + len(large["pk"]["S"]) + len("a")
    ddb.put_item(TableName=plain, Item={**large, "a": {"S": "x" * (4097 - fixed)}})
    ddb.put_item(TableName=plain, Item=small)
    asked = {
        plain: {"Keys": [large, small, never], "ConsistentRead": True},
        sorted_table: {"Keys": [{**key, "sk": {"N": "1"}}]},
    }
    answer = ddb.batch_get_item(RequestItems=asked, ReturnConsumedCapacity="INDEXES")
    told = {each["TableName"]: each for each in answer["ConsumedCapacity"]}
    assert told == {
        plain: {"TableName": plain, "CapacityUnits": 4.0, "Table": {"CapacityUnits": 4.0}},
        sorted_table: {
            "TableName": sorted_table,
            "CapacityUnits": 0.5,
            "Table": {"CapacityUnits": 0.5},
        },
    }
    answer = ddb.batch_get_item(**batch(plain, large, small, never), ReturnConsumedCapacity="TOTAL")
    assert answer["ConsumedCapacity"] == [{"TableName": plain, "CapacityUnits": 2.0}]


def test_a_table_is_found_by_its_arn(ddb: Any, plain: str, key: Item) -> None:
    """The ARN stands for the name: items come under it, capacity under the name."""
    arn = ddb.describe_table(TableName=plain)["Table"]["TableArn"]
    ddb.put_item(TableName=plain, Item=key)
    answer = ddb.batch_get_item(**batch(arn, key), ReturnConsumedCapacity="TOTAL")
    assert answer["Responses"] == {arn: [key]}
    assert answer["ConsumedCapacity"] == [{"TableName": plain, "CapacityUnits": 0.5}]


def test_one_table_by_name_and_by_arn_is_one_table(
    invalid: Callable[..., str], ddb: Any, plain: str, key: Item
) -> None:
    """The same key under both is a duplicate; other keys come under the name they were asked by."""
    arn = ddb.describe_table(TableName=plain)["Table"]["TableArn"]
    both = {plain: {"Keys": [key]}, arn: {"Keys": [key]}}
    assert invalid("BatchGetItem", {"RequestItems": both}) == DUPLICATES
    ddb.put_item(TableName=plain, Item=key)
    absent = {**key, "pk": {"S": "absent"}}
    answer = ddb.batch_get_item(RequestItems={plain: {"Keys": [key]}, arn: {"Keys": [absent]}})
    assert answer["Responses"] == {plain: [key], arn: []}
