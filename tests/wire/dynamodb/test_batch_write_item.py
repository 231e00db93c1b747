"""BatchWriteItem: types of members, refusals with their texts and order, and what is written."""

from collections.abc import Callable
from typing import Any

import pytest

from wire import wrong_json
from wire.clients import stored

BATCH = "BatchWriteItem"
MISMATCH = "The provided key element does not match the schema"
DUPLICATES = "Provided list of item keys contains duplicates"
LENGTHS = (
    "Map value must satisfy constraint: [Member must have length less than or equal to 25, Member"
    " must have length greater than or equal to 1]"
)
ITEM_BYTES_MAX = 409_600
Item = dict[str, Any]


def put(item: Item) -> Item:
    """Return the element that puts an item."""
    return {"PutRequest": {"Item": item}}


def delete(key: Item) -> Item:
    """Return the element that deletes a key."""
    return {"DeleteRequest": {"Key": key}}


def batch(table: str, *elements: Item, **more: Any) -> Item:
    """Return a batch for one table."""
    return {"RequestItems": {table: list(elements)}, **more}


def named(prefix: Item, *names: object) -> list[Item]:
    """Return keys that begin with one's key."""
    return [{"pk": {"S": f"{prefix['pk']['S']}-{name}"}} for name in names]


# --- serialisation


@pytest.mark.parametrize(
    ("member", "wrong"),
    [
        (
            "RequestItems",
            wrong_json.map_of(f"java.util.List<{wrong_json.JAVA}WriteRequest>"),
        ),
        ("ReturnConsumedCapacity", wrong_json.STRING),
        ("ReturnItemCollectionMetrics", wrong_json.STRING),
    ],
)
def test_wrong_json_types_of_members(
    unreadable: Callable[..., str], member: str, wrong: wrong_json.Wrong
) -> None:
    """A member of a wrong JSON type is a SerializationException, each with its text."""
    for value, text in wrong:
        assert unreadable(BATCH, {member: value}) == text, value


def test_wrong_json_types_inside_requests(unreadable: Callable[..., str], plain: str) -> None:
    """So is what stands in the lists, in their elements, and in attribute values."""
    for value, text in wrong_json.LIST:
        assert unreadable(BATCH, {"RequestItems": {plain: value}}) == text, value
    for value, text in wrong_json.structure("WriteRequest"):
        assert unreadable(BATCH, batch(plain, value)) == text, value
    for value, text in wrong_json.structure("PutRequest"):
        assert unreadable(BATCH, batch(plain, {"PutRequest": value})) == text, value
    for value, text in wrong_json.structure("DeleteRequest"):
        assert unreadable(BATCH, batch(plain, {"DeleteRequest": value})) == text, value
    for value, text in wrong_json.ATTRIBUTE_MAP:
        assert unreadable(BATCH, batch(plain, put(value))) == text, value
        assert unreadable(BATCH, batch(plain, delete(value))) == text, value
    for value, text in wrong_json.ATTRIBUTE_VALUE:
        assert unreadable(BATCH, batch(plain, put({"a": value}))) == text, value
        assert unreadable(BATCH, batch(plain, delete({"pk": value}))) == text, value


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
        ({"RequestItems": {}}, "The requestItems parameter is required for BatchWriteItem"),
        (
            {"RequestItems": {"abc": []}},
            (
                "1 validation error detected: Value '{abc=[]}' at 'requestItems' failed to satisfy"
                f" constraint: {LENGTHS}"
            ),
        ),
        (
            {"RequestItems": {"abc": None}},
            (
                "1 validation error detected: Value '{abc=null}' at 'requestItems' failed to"
                " satisfy constraint: Map value must satisfy constraint: [Member must not be null]"
            ),
        ),
        (
            batch("abc", {"PutRequest": {}}),
            (
                "1 validation error detected: Value null at"
                " 'requestItems.abc.member.1.member.putRequest.item' failed to satisfy constraint:"
                " Member must not be null"
            ),
        ),
        (
            batch("abc", delete({}), {"DeleteRequest": {}}),
            (
                "1 validation error detected: Value null at"
                " 'requestItems.abc.member.2.member.deleteRequest.key' failed to satisfy"
                " constraint: Member must not be null"
            ),
        ),
        (
            batch("abc", delete({}), ReturnConsumedCapacity="x", ReturnItemCollectionMetrics="x"),
            (
                "2 validation errors detected: Value 'x' at 'returnConsumedCapacity' failed to"
                " satisfy constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE];"
                " Value 'x' at 'returnItemCollectionMetrics' failed to satisfy constraint: Member"
                " must satisfy enum value set: [SIZE, NONE]"
            ),
        ),
        (
            batch("abc", {}),
            "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
        ),
        (
            batch("abc", put({"a": {"S": "a"}}) | delete({"a": {"S": "a"}})),
            (
                "Supplied AttributeValue has more than one datatypes set, must contain exactly one"
                " of the supported datatypes"
            ),
        ),
        (
            batch("a;c", delete({"a": {"S": "a"}})),
            (
                "1 validation error detected: Value 'a;c' at 'tableName' failed to satisfy"
                " constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
            ),
        ),
    ],
)
def test_batches_that_are_none(invalid: Callable[..., str], body: Item, text: str) -> None:
    """A batch names tables, and for each of them puts and deletes."""
    assert invalid(BATCH, body) == text


def test_how_many_requests(invalid: Callable[..., str], ddb: Any, plain: str, key: Item) -> None:
    """25 requests are a batch; 26 are too many, of one table or of several."""
    keys = named(key, *range(26))
    ddb.batch_write_item(**batch(plain, *map(put, keys[:25])))
    assert [stored(ddb, plain, each) for each in keys] == [*keys[:25], None]
    message = invalid(BATCH, batch(plain, *map(put, keys)))
    assert message.startswith(
        f"1 validation error detected: Value '{{{plain}=[WriteRequest(putRequest=PutRequest(item="
    )
    assert message.endswith(f"' at 'requestItems' failed to satisfy constraint: {LENGTHS}")
    apart = {plain: list(map(put, keys[:13])), "another": list(map(put, keys[13:]))}
    assert invalid(BATCH, {"RequestItems": apart}) == (
        "Too many items requested for the BatchWriteItem call"
    )


def test_values_that_are_none(invalid: Callable[..., str], ddb: Any, plain: str, key: Item) -> None:
    """One bad value refuses the whole batch."""
    good = named(key, "good")[0]
    for value, text in wrong_json.NOT_VALUES:
        request = batch(plain, put(good), put({**key, "a": value}))
        assert invalid(BATCH, request) == text, value
        assert invalid(BATCH, batch(plain, put(good), delete({"pk": value}))) == text, value
    too_deep = {**key, "a": wrong_json.nested(32)}
    assert "Nesting Levels" in invalid(BATCH, batch(plain, put(good), put(too_deep)))
    assert stored(ddb, plain, good) is None


@pytest.mark.parametrize(
    ("item", "text"),
    [
        ({"a": {"S": "a"}}, MISMATCH),
        ({"pk": {"N": "1"}}, MISMATCH),
        ({"pk": {"M": {}}}, MISMATCH),
        (
            {"pk": {"S": ""}},
            (
                "One or more parameter values are not valid. The AttributeValue for a key attribute"
                " cannot contain an empty string value. Key: pk"
            ),
        ),
        (
            {"pk": {"S": "a" * 2049}},
            (
                "One or more parameter values were invalid: Size of hashkey has exceeded the"
                " maximum size limit of2048 bytes"
            ),
        ),
    ],
)
def test_keys_that_do_not_fit(
    invalid: Callable[..., str], ddb: Any, plain: str, key: Item, item: Item, text: str
) -> None:
    """The keys of puts and of deletes are judged alike, and one refuses the whole batch."""
    for element in (put({**item, "more": {"S": "a"}}), delete(item)):
        assert invalid(BATCH, batch(plain, put(key), element)) == text
    assert invalid(BATCH, batch(plain, delete({**key, "more": {"S": "a"}}))) == MISMATCH
    assert stored(ddb, plain, key) is None


def test_a_put_is_told_all_of_its_partition_key_before_its_sort_key(
    invalid: Callable[..., str], sorted_table: str
) -> None:
    """An empty partition key is told whether there is a sort key or not, as DynamoDB Local does."""
    for more in ({}, {"sk": {"S": "x"}}):
        assert invalid(BATCH, batch(sorted_table, put({"pk": {"S": ""}, **more}))) == (
            "One or more parameter values are not valid. The AttributeValue for a key attribute"
            " cannot contain an empty string value. Key: pk"
        )


def test_the_same_key_twice(
    invalid: Callable[..., str], ddb: Any, sorted_table: str, key: Item
) -> None:
    """An item may be written once in a batch, and numbers are the same by value."""
    one, other = {**key, "sk": {"N": "1"}}, {**key, "sk": {"N": "2"}}
    same = {**key, "sk": {"N": "1.0"}}
    arn = ddb.describe_table(TableName=sorted_table)["Table"]["TableArn"]
    for first, second in ((put(one), put(one)), (put(one), delete(same)), (delete(one), put(same))):
        assert invalid(BATCH, batch(sorted_table, first, put(other), second)) == DUPLICATES
        by_two_names = {sorted_table: [first], arn: [second]}
        assert invalid(BATCH, {"RequestItems": by_two_names}) == DUPLICATES
    assert stored(ddb, sorted_table, other) is None


def test_unknown_tables(
    refusal: Callable[..., tuple[str, str]], ddb: Any, plain: str, key: Item
) -> None:
    """One table that is not there refuses the whole batch."""
    requests = {plain: [put(key)], "no-such-table": [put(key)]}
    assert refusal(BATCH, {"RequestItems": requests}) == (
        "ResourceNotFoundException",
        "Requested resource not found",
    )
    assert stored(ddb, plain, key) is None


def test_the_size_of_an_item_to_the_byte(
    invalid: Callable[..., str], ddb: Any, plain: str, key: Item
) -> None:
    """409,600 bytes are an item; one more refuses the batch."""
    room = ITEM_BYTES_MAX - len("pk") - len(key["pk"]["S"]) - len("a")
    ddb.batch_write_item(**batch(plain, put({**key, "a": {"S": "x" * room}})))
    assert len(stored(ddb, plain, key)["a"]["S"]) == room
    too_large = put({**key, "a": {"S": "x" * (room + 1)}})
    assert invalid(BATCH, batch(plain, too_large)) == (
        "Item size has exceeded the maximum allowed size"
    )


def test_the_order_of_refusals(
    refusal: Callable[..., tuple[str, str]], plain: str, key: Item
) -> None:
    """Of several mistakes the first is told: put right one by one, they come in this order."""
    many = [put({"pk": {"N": "x"}}) for _ in range(13)]
    steps: list[Item] = [
        {"RequestItems": {"a;c": many * 2}, "ReturnConsumedCapacity": "x"},
        {"RequestItems": {"a;c": many, "abc": many}},
        {"RequestItems": {"a;c": many}},
        {"RequestItems": {"a;c": [put({"pk": {"N": "1"}})]}},
        {"RequestItems": {"abc": [put({"pk": {"N": "1"}})]}},
        {"RequestItems": {plain: [put({"pk": {"N": "1"}})]}},
        {"RequestItems": {plain: [put(key), delete(key)]}},
    ]
    told = [refusal(BATCH, body)[1] for body in steps]
    assert [text.split(":")[0] for text in told] == [
        "2 validation errors detected",
        "Too many items requested for the BatchWriteItem call",
        "The parameter cannot be converted to a numeric value",
        "1 validation error detected",
        "Requested resource not found",
        MISMATCH,
        DUPLICATES,
    ]


# --- behaviour


def test_puts_and_deletes_in_several_tables(
    ddb: Any, plain: str, sorted_table: str, key: Item
) -> None:
    """Each element does what PutItem and DeleteItem do, absent items included."""
    old, gone, new, never = named(key, "old", "gone", "new", "never")
    ddb.put_item(TableName=plain, Item={**old, "a": {"S": "1"}})
    ddb.put_item(TableName=plain, Item=gone)
    sorted_item = {**key, "sk": {"N": "1e1"}, "n": {"NS": ["2.0", "1"]}}
    answer = ddb.batch_write_item(
        RequestItems={
            plain: [put({**old, "b": {"S": "2"}}), delete(gone), put(new), delete(never)],
            sorted_table: [put(sorted_item)],
        }
    )
    assert answer["UnprocessedItems"] == {}
    assert answer.keys() == {"UnprocessedItems", "ResponseMetadata"}
    found = [stored(ddb, plain, each) for each in (old, gone, new, never)]
    assert found == [{**old, "b": {"S": "2"}}, None, new, None]
    assert stored(ddb, sorted_table, {**key, "sk": {"N": "10"}}) == {
        **key,
        "sk": {"N": "10"},
        "n": {"NS": ["1", "2"]},
    }


def test_the_largest_batch(ddb: Any, plain: str, key: Item) -> None:
    """25 items of 400 KB are written at once."""
    room = ITEM_BYTES_MAX - len("pk") - len("a")
    keys = named(key, *range(25))
    items = [{**each, "a": {"S": "x" * (room - len(each["pk"]["S"]))}} for each in keys]
    assert ddb.batch_write_item(**batch(plain, *map(put, items)))["UnprocessedItems"] == {}
    assert stored(ddb, plain, keys[-1]) == items[-1]
    ddb.batch_write_item(**batch(plain, *map(delete, keys)))
    assert stored(ddb, plain, keys[-1]) is None


def test_consumed_capacity(ddb: Any, plain: str, sorted_table: str, key: Item) -> None:
    """Each element costs as alone, rounded up by itself; each table is told once."""
    large, small = named(key, "large", "small")
    fixed = len("pk") + len(large["pk"]["S"]) + len("a")
    large_item = {**large, "a": {"S": "x" * (1025 - fixed)}}
    answer = ddb.batch_write_item(
        RequestItems={
            plain: [put(large_item), put(small)],
            sorted_table: [delete({**key, "sk": {"N": "1"}})],
        },
        ReturnConsumedCapacity="INDEXES",
    )
    told = {each["TableName"]: each for each in answer["ConsumedCapacity"]}
    assert told == {
        plain: {"TableName": plain, "CapacityUnits": 3.0, "Table": {"CapacityUnits": 3.0}},
        sorted_table: {
            "TableName": sorted_table,
            "CapacityUnits": 1.0,
            "Table": {"CapacityUnits": 1.0},
        },
    }
    answer = ddb.batch_write_item(**batch(plain, delete(large), ReturnConsumedCapacity="TOTAL"))
    assert answer["ConsumedCapacity"] == [{"TableName": plain, "CapacityUnits": 2.0}]
    answer = ddb.batch_write_item(**batch(plain, delete(large), ReturnConsumedCapacity="NONE"))
    assert "ConsumedCapacity" not in answer


def test_a_table_is_found_by_its_arn(ddb: Any, plain: str, key: Item) -> None:
    """The ARN stands for the name, and is what the answer calls the table."""
    arn = ddb.describe_table(TableName=plain)["Table"]["TableArn"]
    answer = ddb.batch_write_item(**batch(arn, put(key), ReturnConsumedCapacity="TOTAL"))
    assert answer["ConsumedCapacity"] == [{"TableName": plain, "CapacityUnits": 1.0}]
    assert stored(ddb, plain, key) == key
