"""PutItem: types of members, refusals with their texts and order, and what is put and told."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from wire import wrong_json
from wire.clients import stored

PUT = "PutItem"
CONDITION_FAILED = "ConditionalCheckFailedException"
TOO_LARGE = "Item size has exceeded the maximum allowed size"
ITEM_BYTES_MAX = 409_600


def put(table: str, key: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a request that puts an item of nothing but its key."""
    return {"TableName": table, "Item": key, **more}


# --- serialisation


@pytest.mark.parametrize(
    ("member", "wrong"),
    [
        ("TableName", wrong_json.STRING),
        ("Item", wrong_json.ATTRIBUTE_MAP),
        ("ReturnValues", wrong_json.STRING),
        ("ReturnConsumedCapacity", wrong_json.STRING),
        ("ReturnItemCollectionMetrics", wrong_json.STRING),
        ("ReturnValuesOnConditionCheckFailure", wrong_json.STRING),
        ("ConditionExpression", wrong_json.STRING),
        ("ExpressionAttributeNames", wrong_json.NAME_MAP),
        ("ExpressionAttributeValues", wrong_json.ATTRIBUTE_MAP),
        ("ConditionalOperator", wrong_json.STRING),
        ("Expected", wrong_json.map_of(f"{wrong_json.JAVA}ExpectedAttributeValue")),
    ],
)
def test_wrong_json_types_of_members(
    unreadable: Callable[..., str], plain: str, member: str, wrong: wrong_json.Wrong
) -> None:
    """A member of a wrong JSON type is a SerializationException, each with its text."""
    for value, text in wrong:
        assert unreadable(PUT, put(plain, {}, **{member: value})) == text, value


def test_wrong_json_types_inside_attribute_values(
    unreadable: Callable[..., str], plain: str, key: dict[str, Any]
) -> None:
    """An attribute value of wrong JSON types is a SerializationException, however deep."""
    for value, text in wrong_json.ATTRIBUTE_VALUE:
        assert unreadable(PUT, put(plain, {**key, "a": value})) == text, value
        values = {":a": value}
        request = put(plain, key, ConditionExpression="a = :a", ExpressionAttributeValues=values)
        assert unreadable(PUT, request) == text, value


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"null", b"1", b'{"TableName": nul}'])
def test_a_body_that_is_no_json_object(unreadable: Callable[..., Any], body: bytes) -> None:
    """What is not a JSON object is a SerializationException without a text."""
    assert unreadable(PUT, body) is None


def test_a_wrong_type_comes_before_every_constraint(unreadable: Callable[..., str]) -> None:
    """The types of the whole body are judged before anything that may be missing."""
    assert unreadable(PUT, {"ReturnValues": "x", "ConditionExpression": 5}) == (
        "NUMBER_VALUE cannot be converted to String"
    )


# --- validation


def test_what_is_missing_is_listed(invalid: Callable[..., str], plain: str) -> None:
    """Required members are all told of, in one error."""
    assert invalid(PUT, {}) == (
        "2 validation errors detected: Value null at 'tableName' failed to satisfy constraint:"
        " Member must not be null; Value null at 'item' failed to satisfy constraint: Member must"
        " not be null"
    )
    assert invalid(PUT, {"TableName": plain, "Item": None}) == (
        "1 validation error detected: Value null at 'item' failed to satisfy constraint: Member"
        " must not be null"
    )


def test_every_broken_constraint_is_listed(invalid: Callable[..., str]) -> None:
    """What is missing and enumerations that are wrong are told of together, in the model's order.

    A table's name that is wrong is told alone, as some regions do (dynoxide 0.11.3, on AWS).
    """
    names = ["ReturnConsumedCapacity", "ReturnItemCollectionMetrics", "ReturnValues"]
    names.append("ReturnValuesOnConditionCheckFailure")
    broken = dict.fromkeys(names, "x")
    for name, constraint in (
        ("a;", "satisfy regular expression pattern: [a-zA-Z0-9_.-]+"),
        ("", "have length greater than or equal to 1"),
    ):
        assert invalid(PUT, {"TableName": name, **broken}) == (
            f"1 validation error detected: Value '{name}' at 'tableName' failed to satisfy"
            f" constraint: Member must {constraint}"
        )
    listed = invalid(PUT, {"TableName": "abc", **broken})
    assert listed == (
        "5 validation errors detected: Value null at 'item'"
        " failed to satisfy constraint: Member must not be null; Value 'x' at"
        " 'returnConsumedCapacity' failed to satisfy constraint: Member must satisfy enum value"
        " set: [INDEXES, TOTAL, NONE]; Value 'x' at 'returnItemCollectionMetrics' failed to"
        " satisfy constraint: Member must satisfy enum value set: [SIZE, NONE]; Value 'x' at"
        " 'returnValues' failed to satisfy constraint: Member must satisfy enum value set:"
        " [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]; Value 'x' at"
        " 'returnValuesOnConditionCheckFailure' failed to satisfy constraint: Member must satisfy"
        " enum value set: [ALL_OLD, NONE]"
    )


@pytest.mark.parametrize(
    ("name", "constraint"),
    [
        ("", "Member must have length greater than or equal to 1"),
        ("a" * 1025, "Member must have length less than or equal to 1024"),
        ("a;b", "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"),
        ("arn:aws:dynamodb:x", "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"),
    ],
)
def test_table_names_that_are_none(invalid: Callable[..., str], name: str, constraint: str) -> None:
    """A table's name has from 1 to 1,024 characters of a few kinds."""
    assert invalid(PUT, put(name, {})) == (
        f"1 validation error detected: Value '{name}' at 'tableName' failed to satisfy"
        f" constraint: {constraint}"
    )


def test_values_that_are_none(
    invalid: Callable[..., str], ddb: Any, plain: str, key: dict[str, Any]
) -> None:
    """Values that break a rule are refused with its text, and nothing is stored."""
    for value, text in wrong_json.NOT_VALUES:
        assert invalid(PUT, put(plain, {**key, "a": value})) == text, value
        values = {":a": value}
        request = put(plain, key, ConditionExpression="a = :a", ExpressionAttributeValues=values)
        assert invalid(PUT, request) == (
            f"ExpressionAttributeValues contains invalid value: {text} for key :a"
        ), value
    assert stored(ddb, plain, key) is None


@pytest.mark.parametrize("kind", ["M", "L"])
def test_nesting(
    invalid: Callable[..., str], ddb: Any, plain: str, key: dict[str, Any], kind: str
) -> None:
    """A value may stand in 31 maps or lists, and not in 32."""
    ddb.put_item(**put(plain, {**key, "a": wrong_json.nested(31, kind)}))
    assert stored(ddb, plain, key)["a"] == wrong_json.nested(31, kind)
    assert invalid(PUT, put(plain, {**key, "a": wrong_json.nested(32, kind)})) == (
        "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels"
        " beyond supported limit"
    )


@pytest.mark.parametrize(
    ("item", "text"),
    [
        ({}, "One or more parameter values were invalid: Missing the key pk in the item"),
        (
            {"pk": {"S": "a"}},
            "One or more parameter values were invalid: Missing the key sk in the item",
        ),
        (
            {"pk": {"N": "1"}, "sk": {"N": "1"}},
            (
                "One or more parameter values were invalid: Type mismatch for key pk expected: S"
                " actual: N"
            ),
        ),
        (
            {"pk": {"S": "a"}, "sk": {"NS": ["1"]}},
            (
                "One or more parameter values were invalid: Type mismatch for key sk expected: N"
                " actual: NS"
            ),
        ),
        (
            {"pk": {"S": ""}, "sk": {"N": "1"}},
            (
                "One or more parameter values are not valid. The AttributeValue for a key attribute"
                " cannot contain an empty string value. Key: pk"
            ),
        ),
        (
            {"pk": {"S": "a" * 2049}, "sk": {"N": "1"}},
            (
                "One or more parameter values were invalid: Size of hashkey has exceeded the"
                " maximum size limit of2048 bytes"
            ),
        ),
    ],
)
def test_items_without_a_proper_key(
    invalid: Callable[..., str], sorted_table: str, item: dict[str, Any], text: str
) -> None:
    """The key attributes are there, of the table's types, not empty and not too large."""
    assert invalid(PUT, put(sorted_table, item)) == text


def test_return_values_that_put_does_not_have(
    invalid: Callable[..., str], plain: str, key: dict[str, Any]
) -> None:
    """Put knows two ReturnValues of the five."""
    for asked in ("ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"):
        assert invalid(PUT, put(plain, key, ReturnValues=asked)) == (
            "ReturnValues can only be ALL_OLD or NONE"
        )


@pytest.mark.parametrize(
    ("more", "text"),
    [
        (
            {"ConditionExpression": ""},
            "Invalid ConditionExpression: The expression can not be empty;",
        ),
        (
            {"ConditionExpression": "a = = b"},
            'Invalid ConditionExpression: Syntax error; token: "=", near: "= = b"',
        ),
        (
            {"ConditionExpression": "status = a"},
            (
                "Invalid ConditionExpression: Attribute name is a reserved keyword; reserved"
                " keyword: status"
            ),
        ),
        (
            {"ConditionExpression": "#a = a"},
            (
                "Invalid ConditionExpression: An expression attribute name used in the document"
                " path is not defined; attribute name: #a"
            ),
        ),
        (
            {"ConditionExpression": "a = :a"},
            (
                "Invalid ConditionExpression: An expression attribute value used in expression is"
                " not defined; attribute value: :a"
            ),
        ),
        (
            {"ExpressionAttributeNames": {"#a": "a"}},
            "ExpressionAttributeNames can only be specified when using expressions",
        ),
        (
            {"ExpressionAttributeValues": {":a": {"S": "a"}}},
            (
                "ExpressionAttributeValues can only be specified when using expressions:"
                " ConditionExpression is null"
            ),
        ),
        (
            {"ConditionExpression": "a = b", "ExpressionAttributeNames": {}},
            "ExpressionAttributeNames must not be empty",
        ),
        (
            {"ConditionExpression": "a = b", "ExpressionAttributeValues": {}},
            "ExpressionAttributeValues must not be empty",
        ),
        (
            {"ConditionExpression": "a = b", "ExpressionAttributeNames": {"#u": "u"}},
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#u}",
        ),
        (
            {"ConditionExpression": "a = b", "ExpressionAttributeValues": {":u": {"S": "u"}}},
            "Value provided in ExpressionAttributeValues unused in expressions: keys: {:u}",
        ),
    ],
)
def test_conditions_that_are_none(
    invalid: Callable[..., str], plain: str, key: dict[str, Any], more: dict[str, Any], text: str
) -> None:
    """A condition is read and its placeholders are judged before anything is looked up."""
    assert invalid(PUT, put(plain, key, **more)) == text
    assert invalid(PUT, put("no-such-table", key, **more)) == text


def test_a_condition_cannot_reach_into_a_key(
    invalid: Callable[..., str], ddb: Any, plain: str, key: dict[str, Any]
) -> None:
    """A key attribute is a scalar: a path below it is refused by every write, before it is read."""
    rest = {"TableName": plain, "ConditionExpression": "attribute_not_exists(pk.x)"}
    for action, more in (
        ("PutItem", {"Item": key}),
        ("UpdateItem", {"Key": key}),
        ("DeleteItem", {"Key": key}),
    ):
        assert invalid(action, {**rest, **more}) == (
            "Key attributes must be scalars; list random access '[]' and map lookup '.' are not"
            " allowed: Key: pk"
        )
    assert stored(ddb, plain, key) is None


def test_the_order_of_refusals(
    refusal: Callable[..., tuple[str, str]], plain: str, key: dict[str, Any]
) -> None:
    """Of several mistakes the first is told: put right one by one, they come in this order."""
    request = put("no-such-table", {"a": {"N": "x"}}, ReturnValues="x", ConditionExpression="=")
    padding = {"S": "x" * ITEM_BYTES_MAX}
    told = [refusal(PUT, request)[1]]
    for put_right in (
        {"ReturnValues": "ALL_NEW"},
        {"Item": {"a": padding}},
        {"ReturnValues": "ALL_OLD"},
        {"Item": {"a": {"S": "x"}}},
        {"ConditionExpression": "attribute_exists(pk)"},
        {"TableName": plain},
        {"Item": key},
    ):
        request |= put_right
        told.append(refusal(PUT, request)[1])
    assert [text.split(":")[0] for text in told] == [
        "1 validation error detected",
        "The parameter cannot be converted to a numeric value",
        "ReturnValues can only be ALL_OLD or NONE",
        TOO_LARGE,
        "Invalid ConditionExpression",
        "Requested resource not found",
        "One or more parameter values were invalid",
        "The conditional request failed",
    ]


@pytest.mark.parametrize(
    ("member", "value"),
    [("ExpressionAttributeNames", "a"), ("ExpressionAttributeValues", {"N": "x"})],
)
def test_placeholders_without_an_expression_come_before_the_item(
    invalid: Callable[..., str], member: str, value: Any
) -> None:
    """What no expression could use is told before values, the item's or its own."""
    broken = {"a": {"N": "x"}, "b": {"S": "x" * ITEM_BYTES_MAX}}
    told = invalid(PUT, put("no-such-table", broken, **{member: {"#a": value}}))
    assert told.startswith(f"{member} can only be specified when using expressions")


def test_a_partition_key_is_judged_before_a_sort_key(
    invalid: Callable[..., str], sorted_table: str
) -> None:
    """An empty partition key is told whether there is a sort key or not, as DynamoDB Local does."""
    for more in ({}, {"sk": {"S": "x"}}):
        assert invalid(PUT, put(sorted_table, {"pk": {"S": ""}, **more})) == (
            "One or more parameter values are not valid. The AttributeValue for a key attribute"
            " cannot contain an empty string value. Key: pk"
        )


def test_an_unknown_table(refusal: Callable[..., tuple[str, str]], key: dict[str, Any]) -> None:
    """The data plane does not name the table that it does not find; one letter is a name."""
    for name in ("no-such-table", "a"):
        assert refusal(PUT, put(name, key)) == (
            "ResourceNotFoundException",
            "Requested resource not found",
        )


# --- behaviour


def test_values_of_every_type_come_back(ddb: Any, plain: str, key: dict[str, Any]) -> None:
    """What was put is what is got: every type, empty values, any names, nested."""
    item = {
        **key,
        "text": {"S": 'a\u0000\U0001f600\u202e"\\\n'},
        "empty": {"S": ""},
        "number": {"N": "-1.5"},
        "bytes": {"B": bytes(range(256))},
        "no bytes": {"B": b""},
        "yes": {"BOOL": True},
        "no": {"BOOL": False},
        "null": {"NULL": True},
        "texts": {"SS": ["", "a", "b"]},
        "numbers": {"NS": ["-1", "2"]},
        "blobs": {"BS": [b"", b"\x00", b"\xff"]},
        "list": {"L": [{"S": "a"}, {"L": []}, {"M": {}}]},
        "map": {"M": {"ü.#:[0]": {"N": "1"}, "deep": {"M": {"er": {"L": [{"NULL": True}]}}}}},
        "\U0001f600 naïve": {"S": "name"},
        "n" * 65_535: {"S": "a long name"},
    }
    assert ddb.put_item(**put(plain, item)).keys() == {"ResponseMetadata"}
    assert stored(ddb, plain, key) == item


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("007", "7"),
        ("+3", "3"),
        ("1.0", "1"),
        ("1e3", "1000"),
        (".5", "0.5"),
        ("5.", "5"),
        ("-0", "0"),
        ("0e5", "0"),
        ("-0.00", "0"),
        ("1E-5", "0.00001"),
        ("12300e-2", "123"),
        ("9" * 38, "9" * 38),
        ("1e125", "1" + "0" * 125),
        ("1e-130", "0." + "0" * 129 + "1"),
        ("-9.9999999999999999999999999999999999999E+125", "-" + "9" * 38 + "0" * 88),
    ],
)
def test_numbers_come_back_canonical(
    ddb: Any, plain: str, key: dict[str, Any], given: str, canonical: str
) -> None:
    """A number comes back in plain decimals, alone, in a set and nested."""
    values = {"n": {"N": given}, "s": {"NS": [given]}, "l": {"L": [{"N": given}]}}
    ddb.put_item(**put(plain, {**key, **values}))
    assert stored(ddb, plain, key) == {
        **key,
        "n": {"N": canonical},
        "s": {"NS": [canonical]},
        "l": {"L": [{"N": canonical}]},
    }


def test_put_replaces_the_whole_item(ddb: Any, plain: str, key: dict[str, Any]) -> None:
    """Nothing of the old item stays."""
    ddb.put_item(**put(plain, {**key, "a": {"S": "old"}, "b": {"S": "old"}}))
    ddb.put_item(**put(plain, {**key, "a": {"S": "new"}}))
    assert stored(ddb, plain, key) == {**key, "a": {"S": "new"}}


def test_return_values(ddb: Any, plain: str, key: dict[str, Any]) -> None:
    """ALL_OLD shows the item that was replaced, if there was one; NONE shows nothing."""
    old, new = {**key, "a": {"N": "1"}}, {**key, "a": {"N": "2.0"}}
    assert "Attributes" not in ddb.put_item(**put(plain, old, ReturnValues="ALL_OLD"))
    assert ddb.put_item(**put(plain, new, ReturnValues="ALL_OLD"))["Attributes"] == old
    assert ddb.put_item(**put(plain, old, ReturnValues="ALL_OLD"))["Attributes"] == {
        **key,
        "a": {"N": "2"},
    }
    assert "Attributes" not in ddb.put_item(**put(plain, new, ReturnValues="NONE"))
    assert "Attributes" not in ddb.put_item(**put(plain, new))


def test_a_condition_is_judged_by_the_old_item(
    refused: Callable[..., str], ddb: Any, plain: str, key: dict[str, Any]
) -> None:
    """The new item does not count; an item that is not there has no attributes."""
    new_only = put(plain, key, ConditionExpression="attribute_not_exists(pk)")
    old_only = put(plain, {**key, "a": {"S": "2"}}, ConditionExpression="attribute_exists(pk)")
    assert refused(CONDITION_FAILED, ddb.put_item, **old_only) == "The conditional request failed"
    ddb.put_item(**new_only)
    assert refused(CONDITION_FAILED, ddb.put_item, **new_only) == "The conditional request failed"
    ddb.put_item(**old_only)
    assert stored(ddb, plain, key) == {**key, "a": {"S": "2"}}


def test_return_values_on_condition_check_failure(
    raw: Callable[..., Any], ddb: Any, plain: str, key: dict[str, Any]
) -> None:
    """ALL_OLD adds the item that failed the condition, where there is one; else no member."""
    item = {**key, "n": {"N": "1"}}
    request = put(plain, key, ConditionExpression="attribute_not_exists(pk)")
    ddb.put_item(**put(plain, item))
    bodies = {
        asked: raw(
            "DynamoDB_20120810.PutItem",
            request | ({"ReturnValuesOnConditionCheckFailure": asked} if asked else {}),
        ).json
        for asked in ("ALL_OLD", "NONE", "")
    }
    error = {
        "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
        "message": "The conditional request failed",
    }
    assert bodies == {"ALL_OLD": error | {"Item": item}, "NONE": error, "": error}
    ddb.delete_item(TableName=plain, Key=key)
    request |= {
        "ConditionExpression": "attribute_exists(pk)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    assert raw("DynamoDB_20120810.PutItem", request).json == error


def test_the_size_of_an_item_to_the_byte(
    refused: Callable[..., str], ddb: Any, plain: str, key: dict[str, Any]
) -> None:
    """409,600 bytes of names and values are an item; one more is none."""
    room = ITEM_BYTES_MAX - len("pk") - len(key["pk"]["S"])
    value = {"S": "ä" * ((room - 1) // 2)}
    name = "a" * (room - len(value["S"].encode()))
    ddb.put_item(**put(plain, {**key, name: value}))
    assert stored(ddb, plain, key) == {**key, name: value}
    too_large = put(plain, {**key, name + "a": value})
    assert refused("ValidationException", ddb.put_item, **too_large) == TOO_LARGE
    assert stored(ddb, plain, key) == {**key, name: value}


def test_the_sizes_of_keys_to_the_byte(
    invalid: Callable[..., str], ddb: Any, new_table: Callable[..., str]
) -> None:
    """A partition key has up to 2,048 bytes, a sort key 1,024."""
    table = new_table("S", "B")
    largest = {"pk": {"S": "ä" * 1024}, "sk": {"B": b"b" * 1024}}
    ddb.put_item(**put(table, largest))
    assert stored(ddb, table, largest) == largest
    raw_largest = {"pk": {"S": "a"}, "sk": {"B": "YWFh" * 341 + "YWE="}}
    assert invalid(PUT, put(table, raw_largest)) == (
        "One or more parameter values were invalid: Aggregated size of all range keys has exceeded"
        " the size limit of 1024 bytes"
    )
    assert invalid(PUT, put(table, {"pk": {"S": "a"}, "sk": {"B": ""}})) == (
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot"
        " contain an empty binary value. Key: sk"
    )


def test_number_keys_are_equal_by_value(ddb: Any, sorted_table: str, key: dict[str, Any]) -> None:
    """However a number is spelt, it names one item, and the item shows its canonical form."""
    for spelling in ("1000", "1e3", "+1000.0"):
        item = {**key, "sk": {"N": spelling}, "a": {"S": spelling}}
        ddb.put_item(**put(sorted_table, item))
    found = ddb.query(
        TableName=sorted_table,
        KeyConditionExpression="pk = :p",
        ExpressionAttributeValues={":p": key["pk"]},
    )["Items"]
    assert found == [{**key, "sk": {"N": "1000"}, "a": {"S": "+1000.0"}}]


def test_binary_keys(ddb: Any, new_table: Callable[..., str]) -> None:
    """A binary key is its bytes, and no text with the same bytes."""
    table = new_table("B")
    keys = [{"pk": {"B": value}} for value in (b"\x00", b"\x00\x00", b"a", b"\xff")]
    for at, key in enumerate(keys):
        ddb.put_item(**put(table, {**key, "at": {"N": str(at)}}))
    assert [stored(ddb, table, key)["at"]["N"] for key in keys] == ["0", "1", "2", "3"]


def test_two_regions_are_two_tables(make_client: Callable[..., Any], table_name: str) -> None:
    """A table lives in the region that a request is signed for, and its ARN says so."""
    regions = ["eu-west-1", "ap-southeast-2"]
    clients = [make_client("dynamodb", region) for region in regions]
    arns = []
    for client, region in zip(clients, regions, strict=True):
        made = client.create_table(
            TableName=table_name,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )["TableDescription"]
        arns.append(made["TableArn"])
        client.get_waiter("table_exists").wait(TableName=table_name)
        client.put_item(TableName=table_name, Item={"pk": {"S": "a"}, "region": {"S": region}})
    for client, region, arn in zip(clients, regions, arns, strict=True):
        assert arn.split(":")[3] == region
        assert stored(client, table_name, {"pk": {"S": "a"}})["region"] == {"S": region}
        assert stored(client, arn, {"pk": {"S": "a"}})["region"] == {"S": region}
        client.delete_table(TableName=table_name)
    assert arns[0].split(":")[4] == arns[1].split(":")[4]


def test_a_table_is_found_by_its_arn(
    refused: Callable[..., str], ddb: Any, plain: str, key: dict[str, Any]
) -> None:
    """The ARN stands for the name; one of another account or region names no table here."""
    arn = ddb.describe_table(TableName=plain)["Table"]["TableArn"]
    answer = ddb.put_item(**put(arn, key, ReturnConsumedCapacity="TOTAL"))
    assert answer["ConsumedCapacity"]["TableName"] == plain
    assert stored(ddb, plain, key) == key
    region, account = arn.split(":")[3:5]
    for other in (arn.replace(region, "sa-east-1"), arn.replace(account, "999999999999")):
        assert refused("ResourceNotFoundException", ddb.put_item, **put(other, key)) == (
            "Requested resource not found"
        )


def test_consumed_capacity(ddb: Any, plain: str, key: dict[str, Any]) -> None:
    """A put costs whole KB of the larger of the old and the new item, at least 1."""
    fixed = len("pk") + len(key["pk"]["S"]) + len("a")
    sizes = [1, 1024, 1025, 1024, 2048, 2049, 10, 10, 10]
    costs = []
    for size in sizes:
        item = {**key, "a": {"S": "x" * max(0, size - fixed)}}
        answer = ddb.put_item(**put(plain, item, ReturnConsumedCapacity="TOTAL"))
        costs.append(answer["ConsumedCapacity"])
    units = [float(-(-max(pair) // 1024)) for pair in itertools.pairwise([1, *sizes])]
    assert units == [1, 1, 2, 2, 2, 3, 3, 1, 1]
    assert costs == [{"TableName": plain, "CapacityUnits": each} for each in units]


def test_how_consumed_capacity_is_told(ddb: Any, plain: str, key: dict[str, Any]) -> None:
    """INDEXES adds the table's part, NONE and nothing tell nothing, metrics are for indexes."""
    told = [
        ddb.put_item(**put(plain, key, **more)).get("ConsumedCapacity")
        for more in (
            {"ReturnConsumedCapacity": "INDEXES"},
            {"ReturnConsumedCapacity": "NONE"},
            {},
        )
    ]
    table = {"TableName": plain, "CapacityUnits": 1.0, "Table": {"CapacityUnits": 1.0}}
    assert told == [table, None, None]
    answer = ddb.put_item(**put(plain, key, ReturnItemCollectionMetrics="SIZE"))
    assert "ItemCollectionMetrics" not in answer
