"""GetItem: types of members, refusals with their texts and order, and what is got and charged."""

from collections.abc import Callable
from typing import Any

import pytest

from wire import wrong_json

GET = "GetItem"
MISMATCH = "The provided key element does not match the schema"
ITEM: dict[str, Any] = {
    "a": {"S": "text"},
    "parts": {"L": [{"N": str(n)} for n in range(5)]},
    "doc": {"M": {"x": {"N": "1"}, "y": {"M": {"z": {"SS": ["a", "b"]}}}}},
    "size": {"N": "3"},
}


def get(table: str, key: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a request for one item."""
    return {"TableName": table, "Key": key, **more}


# --- serialisation


@pytest.mark.parametrize(
    ("member", "wrong"),
    [
        ("TableName", wrong_json.STRING),
        ("Key", wrong_json.ATTRIBUTE_MAP),
        ("ConsistentRead", wrong_json.BOOLEAN),
        ("ReturnConsumedCapacity", wrong_json.STRING),
        ("ProjectionExpression", wrong_json.STRING),
        ("ExpressionAttributeNames", wrong_json.NAME_MAP),
        ("AttributesToGet", wrong_json.LIST),
    ],
)
def test_wrong_json_types_of_members(
    unreadable: Callable[..., str], plain: str, member: str, wrong: wrong_json.Wrong
) -> None:
    """A member of a wrong JSON type is a SerializationException, each with its text."""
    for value, text in wrong:
        assert unreadable(GET, get(plain, {}, **{member: value})) == text, value


def test_wrong_json_types_inside_members(unreadable: Callable[..., str], plain: str) -> None:
    """So is what stands inside a key, the names of an expression, and a legacy list."""
    for value, text in wrong_json.ATTRIBUTE_VALUE:
        assert unreadable(GET, get(plain, {"pk": value})) == text, value
    for value, text in wrong_json.STRING:
        names = {"#a": value}
        assert unreadable(GET, get(plain, {}, ExpressionAttributeNames=names)) == text, value
        assert unreadable(GET, get(plain, {}, AttributesToGet=[value])) == text, value


# --- validation


def test_every_broken_constraint_is_listed(invalid: Callable[..., str]) -> None:
    """What is missing and what is wrong is told in one error."""
    assert invalid(GET, {"ReturnConsumedCapacity": "ALL"}) == (
        "3 validation errors detected: Value null at 'tableName' failed to satisfy constraint:"
        " Member must not be null; Value null at 'key' failed to satisfy constraint: Member must"
        " not be null; Value 'ALL' at 'returnConsumedCapacity' failed to satisfy constraint:"
        " Member must satisfy enum value set: [INDEXES, TOTAL, NONE]"
    )


@pytest.mark.parametrize(
    "key",
    [
        {},
        {"pk": {"S": "a"}},
        {"sk": {"N": "1"}},
        {"pk": {"S": "a"}, "sk": {"N": "1"}, "more": {"S": "a"}},
        {"pk": {"S": "a"}, "SK": {"N": "1"}},
        {"pk": {"N": "1"}, "sk": {"N": "1"}},
        {"pk": {"S": "a"}, "sk": {"S": "1"}},
        {"pk": {"S": "a"}, "sk": {"NS": ["1"]}},
        {"pk": {"M": {"S": {"S": "a"}}}, "sk": {"N": "1"}},
    ],
)
def test_keys_that_do_not_match_the_schema(
    invalid: Callable[..., str], sorted_table: str, key: dict[str, Any]
) -> None:
    """A key has exactly the attributes of the table's, each of its type."""
    assert invalid(GET, get(sorted_table, key)) == MISMATCH


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (
            {"S": ""},
            (
                "One or more parameter values are not valid. The AttributeValue for a key attribute"
                " cannot contain an empty string value. Key: pk"
            ),
        ),
        (
            {"S": "a" * 2049},
            (
                "One or more parameter values were invalid: Size of hashkey has exceeded the"
                " maximum size limit of2048 bytes"
            ),
        ),
        *wrong_json.NOT_VALUES,
    ],
)
def test_values_that_no_key_can_have(
    invalid: Callable[..., str], plain: str, value: Any, text: str
) -> None:
    """Values of keys that are empty, too large, or no values at all."""
    assert invalid(GET, get(plain, {"pk": value})) == text


@pytest.mark.parametrize(
    ("more", "text"),
    [
        (
            {"ProjectionExpression": ""},
            "Invalid ProjectionExpression: The expression can not be empty;",
        ),
        (
            {"ProjectionExpression": "a, b["},
            'Invalid ProjectionExpression: Syntax error; token: "<EOF>", near: "["',
        ),
        (
            {"ProjectionExpression": "a, size"},
            (
                "Invalid ProjectionExpression: Attribute name is a reserved keyword; reserved"
                " keyword: size"
            ),
        ),
        (
            {"ProjectionExpression": "a, #b"},
            (
                "Invalid ProjectionExpression: An expression attribute name used in the document"
                " path is not defined; attribute name: #b"
            ),
        ),
        (
            {"ProjectionExpression": "a, a.b"},
            (
                "Invalid ProjectionExpression: Two document paths overlap with each other; must"
                " remove or rewrite one of these paths; path one: [a], path two: [a, b]"
            ),
        ),
        (
            {"ProjectionExpression": "a", "ExpressionAttributeNames": {"#b": "b"}},
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#b}",
        ),
        (
            {"ExpressionAttributeNames": {"#b": "b"}},
            "ExpressionAttributeNames can only be specified when using expressions",
        ),
        (
            {"AttributesToGet": ["a", "b", "a"]},
            "One or more parameter values were invalid: Duplicate value in attribute name: a",
        ),
        (
            {"AttributesToGet": []},
            (
                "1 validation error detected: Value '[]' at 'attributesToGet' failed to satisfy"
                " constraint: Member must have length greater than or equal to 1"
            ),
        ),
    ],
)
def test_projections_that_are_none(
    invalid: Callable[..., str], plain: str, key: dict[str, Any], more: dict[str, Any], text: str
) -> None:
    """A projection is judged before anything is looked up."""
    assert invalid(GET, get(plain, key, **more)) == text
    assert invalid(GET, get("no-such-table", key, **more)) == text


def test_the_order_of_refusals(refusal: Callable[..., tuple[str, str]], plain: str) -> None:
    """Of several mistakes the first is told: put right one by one, they come in this order."""
    request = get("no;table", {"pk": {"N": "x"}}, ProjectionExpression="a,")
    told = [refusal(GET, request)]
    for put_right in (
        {"TableName": "no-such-table"},
        {"Key": {"pk": {"N": "1"}}},
        {"ProjectionExpression": "a"},
        {"TableName": plain},
    ):
        request |= put_right
        told.append(refusal(GET, request))
    assert [text.split(":")[0] for _, text in told] == [
        "1 validation error detected",
        "The parameter cannot be converted to a numeric value",
        "Invalid ProjectionExpression",
        "Requested resource not found",
        MISMATCH,
    ]
    assert told[3] == ("ResourceNotFoundException", "Requested resource not found")


# --- behaviour


@pytest.mark.parametrize("consistent", [True, False])
def test_the_item_of_a_key(ddb: Any, plain: str, key: dict[str, Any], *, consistent: bool) -> None:
    """The whole item is got at once after its write; where there is none, no member is there."""
    request = get(plain, key, ConsistentRead=consistent)
    assert ddb.get_item(**request).keys() == {"ResponseMetadata"}
    ddb.put_item(TableName=plain, Item={**key, **ITEM})
    assert ddb.get_item(**request)["Item"] == {**key, **ITEM}
    ddb.delete_item(TableName=plain, Key=key)
    assert "Item" not in ddb.get_item(**request)


@pytest.mark.parametrize(
    ("projection", "expected"),
    [
        ("a", {"a": ITEM["a"]}),
        ("pk, a", {"pk": None, "a": ITEM["a"]}),
        ("#s", {"size": ITEM["size"]}),
        ("parts[1]", {"parts": {"L": [{"N": "1"}]}}),
        ("parts[3], parts[0]", {"parts": {"L": [{"N": "0"}, {"N": "3"}]}}),
        ("parts[9]", {}),
        ("doc.x", {"doc": {"M": {"x": {"N": "1"}}}}),
        ("doc.y.z", {"doc": {"M": {"y": {"M": {"z": {"SS": ["a", "b"]}}}}}}),
        ("doc.y.z, doc.x", {"doc": ITEM["doc"]}),
        ("doc.nowhere", {}),
        ("a.b", {}),
        ("a[0]", {}),
        ("doc[0]", {}),
        ("nowhere", {}),
    ],
)
def test_projections(
    ddb: Any, plain: str, key: dict[str, Any], projection: str, expected: dict[str, Any]
) -> None:
    """A projection shows what its paths lead to, in the maps and lists around it."""
    ddb.put_item(TableName=plain, Item={**key, **ITEM})
    names = {"ExpressionAttributeNames": {"#s": "size"}} if "#s" in projection else {}
    answer = ddb.get_item(**get(plain, key, ProjectionExpression=projection, **names))
    whole = expected | (key if "pk" in expected else {})
    assert answer["Item"] == whole


def test_a_name_with_a_dot_is_one_attribute(ddb: Any, plain: str, key: dict[str, Any]) -> None:
    """A placeholder stands for a whole name, whatever characters it has."""
    ddb.put_item(TableName=plain, Item={**key, "a.b": {"S": "dot"}, "a": {"M": {"b": {"S": "m"}}}})
    names = {"#n": "a.b"}
    shown = ddb.get_item(
        **get(plain, key, ProjectionExpression="#n", ExpressionAttributeNames=names)
    )
    assert shown["Item"] == {"a.b": {"S": "dot"}}


def test_keys_are_found_by_value(ddb: Any, sorted_table: str, key: dict[str, Any]) -> None:
    """A number finds its item however it is spelt."""
    ddb.put_item(TableName=sorted_table, Item={**key, "sk": {"N": "0.1"}})
    for spelling in ("0.1", "1e-1", "00.10", ".1"):
        found = ddb.get_item(**get(sorted_table, {**key, "sk": {"N": spelling}}))
        assert found["Item"] == {**key, "sk": {"N": "0.1"}}


def test_consumed_capacity(ddb: Any, plain: str, key: dict[str, Any]) -> None:
    """A read costs whole 4 KB of the item, at least 1, half of that if eventually consistent.

    An item that is not there costs the least, and a projection makes nothing cheaper.
    """
    fixed = len("pk") + len(key["pk"]["S"]) + len("a")
    for size, units in ((0, 1.0), (4096, 1.0), (4097, 2.0), (8192, 2.0), (8193, 3.0)):
        if size:
            item = {**key, "a": {"S": "x" * (size - fixed)}}
            ddb.put_item(TableName=plain, Item=item)
        for consistent, share in ((True, 1.0), (False, 0.5)):
            answer = ddb.get_item(
                **get(plain, key, ConsistentRead=consistent, ProjectionExpression="pk"),
                ReturnConsumedCapacity="TOTAL",
            )
            assert answer["ConsumedCapacity"] == {
                "TableName": plain,
                "CapacityUnits": units * share,
            }, size


def test_how_consumed_capacity_is_told(ddb: Any, plain: str, key: dict[str, Any]) -> None:
    """INDEXES adds the table's part; NONE and nothing tell nothing."""
    table = {"TableName": plain, "CapacityUnits": 0.5, "Table": {"CapacityUnits": 0.5}}
    for asked, told in ((("INDEXES"), table), ("NONE", None)):
        answer = ddb.get_item(**get(plain, key, ReturnConsumedCapacity=asked))
        assert answer.get("ConsumedCapacity") == told
    assert "ConsumedCapacity" not in ddb.get_item(**get(plain, key))


def test_a_table_is_found_by_its_arn(ddb: Any, plain: str, key: dict[str, Any]) -> None:
    """The ARN stands for the name, by which the answer calls the table."""
    ddb.put_item(TableName=plain, Item=key)
    arn = ddb.describe_table(TableName=plain)["Table"]["TableArn"]
    answer = ddb.get_item(**get(arn, key, ReturnConsumedCapacity="TOTAL"))
    assert (answer["Item"], answer["ConsumedCapacity"]["TableName"]) == (key, plain)


def test_a_projection_cannot_reach_into_a_key(
    refused: Callable[..., str], ddb: Any, plain: str, key: dict[str, Any]
) -> None:
    """A key attribute is a scalar: a path below it is refused, not answered with nothing."""
    for path in ("pk.x", "pk[0]"):
        message = refused(
            "ValidationException", ddb.get_item, **get(plain, key, ProjectionExpression=path)
        )
        assert message.startswith("Key attributes must be scalars")
