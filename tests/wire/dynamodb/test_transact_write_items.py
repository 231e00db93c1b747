"""TransactWriteItems: types of members, refusals and cancellations with their texts, and writes."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from wire import wrong_json
from wire.clients import stored
from wire.refusal_texts import constraint

TRANSACT = "TransactWriteItems"
MISMATCH = "The provided key element does not match the schema"
CONDITION = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}
NONE = {"Code": "None"}
ABSENT, PRESENT = "attribute_not_exists(pk)", "attribute_exists(pk)"
EMPTY_KEY = (
    "One or more parameter values are not valid. The AttributeValue for a key attribute cannot"
    " contain an empty string value. Key: pk"
)
Item = dict[str, Any]


def name_of(key: Item | str) -> Item:
    return {"pk": {"S": key}} if isinstance(key, str) else key


def put(table: str, key: Item | str, **more: Any) -> Item:
    """Return a Put; `more` in small letters are attributes, the others members of the action."""
    attributes = {name: value for name, value in more.items() if name.islower()}
    members = {name: value for name, value in more.items() if not name.islower()}
    return {"Put": {"TableName": table, "Item": {**name_of(key), **attributes}, **members}}


def update(table: str, key: Item | str, expression: str = "SET n = :v", **more: Any) -> Item:
    values = {":v": {"N": "1"}}
    return {
        "Update": {
            "TableName": table,
            "Key": name_of(key),
            "UpdateExpression": expression,
            "ExpressionAttributeValues": values,
            **more,
        }
    }


def delete(table: str, key: Item | str, **more: Any) -> Item:
    return {"Delete": {"TableName": table, "Key": name_of(key), **more}}


def check(table: str, key: Item | str, condition: str = PRESENT, **more: Any) -> Item:
    return {
        "ConditionCheck": {
            "TableName": table,
            "Key": name_of(key),
            "ConditionExpression": condition,
            **more,
        }
    }


def transaction(*actions: Item, **more: Any) -> Item:
    return {"TransactItems": list(actions), **more}


@pytest.fixture(scope="session")
def reasons(ddb: Any) -> Callable[..., list[Item]]:
    """Send actions that must be cancelled, and return their reasons."""

    def send(*actions: Item, **more: Any) -> list[Item]:
        with pytest.raises(ClientError) as caught:
            ddb.transact_write_items(**transaction(*actions, **more))
        answer: Any = caught.value.response
        assert answer["Error"]["Code"] == "TransactionCanceledException", answer
        found: list[Item] = answer["CancellationReasons"]
        codes = ", ".join(reason["Code"] for reason in found)
        assert answer["Error"]["Message"] == (
            "Transaction cancelled, please refer cancellation reasons for specific reasons"
            f" [{codes}]"
        )
        return found

    return send


@pytest.fixture
def names() -> Callable[[int], list[str]]:
    """Make keys that no other test has."""
    return lambda count: [uuid.uuid4().hex for _ in range(count)]


# --- serialisation


@pytest.mark.parametrize(
    ("member", "wrong"),
    [
        ("TransactItems", wrong_json.LIST),
        ("ReturnConsumedCapacity", wrong_json.STRING),
        ("ReturnItemCollectionMetrics", wrong_json.STRING),
        ("ClientRequestToken", wrong_json.STRING),
    ],
)
def test_wrong_json_types_of_members(
    unreadable: Callable[..., str], member: str, wrong: wrong_json.Wrong
) -> None:
    """A member of a wrong JSON type is a SerializationException, each with its text."""
    for value, text in wrong:
        assert unreadable(TRANSACT, {member: value}) == text, value


@pytest.mark.parametrize("action", ["ConditionCheck", "Put", "Delete", "Update"])
def test_wrong_json_types_of_actions(unreadable: Callable[..., str], action: str) -> None:
    """So is an action, or a member of one."""
    wrong_members = {
        "TableName": wrong_json.STRING,
        "Item" if action == "Put" else "Key": wrong_json.ATTRIBUTE_MAP,
        "ConditionExpression": wrong_json.STRING,
        "ExpressionAttributeNames": wrong_json.NAME_MAP,
        "ExpressionAttributeValues": wrong_json.ATTRIBUTE_MAP,
        "ReturnValuesOnConditionCheckFailure": wrong_json.STRING,
    }
    for value, text in wrong_json.structure(action):
        assert unreadable(TRANSACT, transaction({action: value})) == text, value
    for member, wrong in wrong_members.items():
        for value, text in wrong:
            assert unreadable(TRANSACT, transaction({action: {member: value}})) == text, value


# --- validation: the request


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, constraint(None, "transactItems", "not be null")),
        (
            transaction(),
            constraint("[]", "transactItems", "have length greater than or equal to 1"),
        ),
        (
            transaction({"Update": {"TableName": "abc", "Key": {"pk": {"S": "a"}}}}),
            constraint(None, "transactItems.1.member.update.updateExpression", "not be null"),
        ),
        (
            transaction({"ConditionCheck": {"TableName": "abc", "Key": {"pk": {"S": "a"}}}}),
            constraint(
                None, "transactItems.1.member.conditionCheck.conditionExpression", "not be null"
            ),
        ),
        (
            transaction(delete("abc", "a"), put("a b", "a")),
            constraint(
                "a b",
                "transactItems.2.member.put.tableName",
                "satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
            ),
        ),
        (
            transaction(delete("abc", "a", ReturnValuesOnConditionCheckFailure="ALL_NEW")),
            constraint(
                "ALL_NEW",
                "transactItems.1.member.delete.returnValuesOnConditionCheckFailure",
                "satisfy enum value set: [ALL_OLD, NONE]",
            ),
        ),
        (
            transaction(delete("abc", "a"), ClientRequestToken=""),
            constraint("", "clientRequestToken", "have length greater than or equal to 1"),
        ),
        (
            transaction(delete("abc", "a"), ClientRequestToken="x" * 37),
            constraint("x" * 37, "clientRequestToken", "have length less than or equal to 36"),
        ),
        (
            transaction(delete("abc", "a"), {}),
            "Invalid Request: TransactWriteRequest should contain Delete or Put or Update request",
        ),
        (
            transaction({**delete("abc", "a"), **put("abc", "b")}),
            "TransactItems can only contain one of Check, Put, Update or Delete",
        ),
        (
            transaction(put("none", "a"), update("none", "a", "SET SET")),
            'Invalid UpdateExpression: Syntax error; token: "SET", near: "SET SET"',
        ),
        (
            transaction(check("none", "a", "")),
            "Invalid ConditionExpression: The expression can not be empty;",
        ),
        (
            transaction(put("none", "a", v={"N": "x"})),
            "The parameter cannot be converted to a numeric value: x",
        ),
        (
            transaction(put("none", "a", v={"S": "x" * 409_600})),
            "Item size has exceeded the maximum allowed size",
        ),
    ],
)
def test_requests_that_no_table_could_take(
    invalid: Callable[..., str], body: Item, text: str
) -> None:
    """What is wrong without a table refuses the whole request, whether or not there is a table."""
    assert invalid(TRANSACT, body) == text


def test_more_than_100_actions(invalid: Callable[..., str]) -> None:
    """A hundred actions are the most."""
    text = invalid(TRANSACT, transaction(*(delete("abc", str(n)) for n in range(101))))
    assert text.startswith("1 validation error detected: Value '[TransactWriteItem(")
    assert text.endswith(
        "' at 'transactItems' failed to satisfy constraint: Member must have length less than or"
        " equal to 100"
    )


def test_more_than_4_mb(invalid: Callable[..., str], ddb: Any, plain: str) -> None:
    """What is sent counts: items and keys, expressions, names and values; not what is stored."""
    large = {"S": "x" * 400_000}
    puts = [put("none", f"{n:02}", v=large) for n in range(11)]
    updates = [
        update("none", f"{n:02}", "SET v = :v", ExpressionAttributeValues={":v": large})
        for n in range(11)
    ]
    for actions, size in ((puts, 400_005), (updates, 400_014)):
        assert invalid(TRANSACT, transaction(*actions)) == (
            f"Transaction payload size cannot exceed 4MB. Payload Size: {11 * size}"
        )
    keys = [f"large {n} {uuid.uuid4().hex}" for n in range(12)]
    for few in (keys[:6], keys[6:]):
        ddb.transact_write_items(**transaction(*(put(plain, name, v=large) for name in few)))
    ddb.transact_write_items(**transaction(*(update(plain, name) for name in keys)))
    ddb.transact_write_items(**transaction(*(delete(plain, name) for name in keys)))


# --- validation: the tables


def test_tables_that_are_not_there(refused: Callable[..., str], ddb: Any, plain: str) -> None:
    """One is enough, and comes before what its keys are, and before two actions on one item."""
    foreign = "arn:aws:dynamodb:eu-west-1:000000000000:table/abc"
    wrong = put(plain, {"pk": {"N": "1"}})
    for last in (put("none", "a"), put(foreign, "a")):
        actions = [put(plain, "a"), put(plain, "a"), wrong, last]
        text = refused("ResourceNotFoundException", ddb.transact_write_items, TransactItems=actions)
        assert text == "Requested resource not found"


def test_two_actions_on_one_item(
    invalid: Callable[..., str], plain: str, sorted_table: str, ddb: Any
) -> None:
    """Whatever they are, however the key is spelt and the table is named; before wrong keys."""
    text = "Transaction request cannot include multiple operations on one item"
    arn = ddb.describe_table(TableName=plain)["Table"]["TableArn"]
    wrong = put(plain, {"pk": {"N": "1"}})
    assert invalid(TRANSACT, transaction(check(plain, "a"), put(plain, "a"))) == text
    assert invalid(TRANSACT, transaction(delete(plain, "a"), wrong, put(arn, "a"))) == text
    same = [{"pk": {"S": "a"}, "sk": {"N": number}} for number in ("1", "1.0")]
    assert invalid(TRANSACT, transaction(*(delete(sorted_table, k) for k in same))) == text


def test_empty_keys_refuse_the_request(invalid: Callable[..., str], plain: str) -> None:
    """AWS, 2026-06, four regions: an empty key is an error of the request, whatever the action."""
    wrong = put(plain, {"pk": {"N": "1"}})
    for make in (put, update, delete, check):
        assert invalid(TRANSACT, transaction(wrong, make(plain, ""))) == EMPTY_KEY


def test_conditions_on_a_part_of_a_key(invalid: Callable[..., str], plain: str) -> None:
    """They are errors of the expression, and so of the request."""
    assert invalid(TRANSACT, transaction(check(plain, "a", "attribute_exists(pk.x)"))) == (
        "Key attributes must be scalars; list random access '[]' and map lookup '.' are not"
        " allowed: Key: pk"
    )


@pytest.mark.parametrize(
    ("key", "put_text", "key_text"),
    [
        ({"pk": {"N": "1"}}, "Type mismatch for key pk expected: S actual: N", MISMATCH),
        ({"pk": {"L": []}}, "Type mismatch for key pk expected: S actual: L", MISMATCH),
        ({"a": {"S": "1"}}, "Missing the key pk in the item", MISMATCH),
        (
            {"pk": {"S": "x" * 2049}},
            "Size of hashkey has exceeded the maximum size limit of2048 bytes",
            (
                "One or more parameter values were invalid: Size of hashkey has exceeded the"
                " maximum size limit of2048 bytes"
            ),
        ),
    ],
)
def test_keys_that_do_not_fit_cancel(
    reasons: Callable[..., list[Item]], plain: str, key: Item, put_text: str, key_text: str
) -> None:
    """The first such key is the one reason, and no condition is judged (AWS, 2026-06)."""
    invalid = "One or more parameter values were invalid: "
    texts = {put: invalid + put_text, update: key_text, delete: key_text, check: key_text}
    failing = check(plain, "none")
    for make, text in texts.items():
        assert reasons(failing, make(plain, key), delete(plain, {"a": {"S": "b"}})) == [
            NONE,
            {"Code": "ValidationError", "Message": text},
            NONE,
        ]


def test_updates_of_a_key_cancel(reasons: Callable[..., list[Item]], plain: str) -> None:
    assert reasons(check(plain, "none"), update(plain, "a", "SET pk = :v")) == [
        NONE,
        {
            "Code": "ValidationError",
            "Message": (
                "One or more parameter values were invalid: Cannot update attribute pk. This"
                " attribute is part of the key"
            ),
        },
    ]


# --- behaviour


def test_all_actions_are_made(
    ddb: Any, plain: str, sorted_table: str, names: Callable[[int], list[str]]
) -> None:
    """A put, an update and a delete, of two tables, one by its ARN, where two checks hold."""
    new, old, gone, none = names(4)
    for name in (old, gone):
        ddb.put_item(TableName=plain, Item={**name_of(name), "n": {"N": "5"}})
    arn = ddb.describe_table(TableName=sorted_table)["Table"]["TableArn"]
    sorted_key = {"pk": {"S": new}, "sk": {"N": "1"}}
    answer = ddb.transact_write_items(
        **transaction(
            put(plain, new, ConditionExpression=ABSENT, a={"S": "x"}),
            update(plain, old, "ADD n :v", ConditionExpression="n > :v"),
            delete(plain, gone, ConditionExpression=PRESENT),
            check(plain, none, ABSENT),
            put(arn, sorted_key),
        )
    )
    assert answer.keys() == {"ResponseMetadata"}
    assert stored(ddb, plain, name_of(new)) == {**name_of(new), "a": {"S": "x"}}
    assert stored(ddb, plain, name_of(old)) == {**name_of(old), "n": {"N": "6"}}
    assert stored(ddb, plain, name_of(gone)) is None
    assert stored(ddb, plain, name_of(none)) is None
    assert stored(ddb, sorted_table, sorted_key) == sorted_key


def test_placeholders_that_no_expression_could_use_are_taken(
    invalid: Callable[..., str], ddb: Any, plain: str, names: Callable[[int], list[str]]
) -> None:
    """Of a transaction, other than of PutItem (ExtendDB pull request 169, on AWS)."""
    one, other = names(2)
    idle = {
        "ExpressionAttributeNames": {"#a": "a"},
        "ExpressionAttributeValues": {":a": {"S": "x"}},
    }
    ddb.transact_write_items(**transaction(put(plain, one, **idle), delete(plain, other, **idle)))
    assert ddb.get_item(TableName=plain, Key={"pk": {"S": one}})["Item"]
    used = put(plain, one, ConditionExpression="attribute_exists(pk)", **idle)
    assert invalid(TRANSACT, transaction(used)) == (
        "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a}"
    )


def test_a_hundred_actions(ddb: Any, plain: str, names: Callable[[int], list[str]]) -> None:
    hundred = names(100)
    ddb.transact_write_items(**transaction(*(put(plain, name) for name in hundred)))
    assert all(stored(ddb, plain, name_of(name)) for name in hundred)


def test_every_failed_condition_is_told(
    ddb: Any,
    plain: str,
    reasons: Callable[..., list[Item]],
    names: Callable[[int], list[str]],
) -> None:
    """With its item where that was asked for and is there; and nothing is written."""
    there, new, none, other = names(4)
    item = {**name_of(there), "n": {"N": "5"}}
    ddb.put_item(TableName=plain, Item=item)
    shown = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    assert reasons(
        check(plain, there, ABSENT, **shown),
        put(plain, new),
        update(plain, none, ConditionExpression=PRESENT, **shown),
        delete(plain, other, ConditionExpression=PRESENT),
    ) == [{**CONDITION, "Item": item}, NONE, CONDITION, CONDITION]
    assert reasons(check(plain, there, ABSENT)) == [CONDITION]
    for name in (new, none, other):
        assert stored(ddb, plain, name_of(name)) is None


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("SET s = s + :v", "An operand in the update expression has an incorrect data type"),
        (
            "SET a = nowhere",
            "The provided expression refers to an attribute that does not exist in the item",
        ),
        (
            "SET nowhere.a = :v",
            "The document path provided in the update expression is invalid for update",
        ),
        (
            "SET a = n + :v",
            (
                "Number overflow. Attempting to store a number with magnitude larger than"
                " supported range"
            ),
        ),
        ("SET a = big, b = big", "Item size to update has exceeded the maximum allowed size"),
    ],
)
def test_updates_that_the_item_does_not_allow_cancel(
    ddb: Any,
    plain: str,
    reasons: Callable[..., list[Item]],
    names: Callable[[int], list[str]],
    expression: str,
    text: str,
) -> None:
    """They are reasons, beside the conditions that fail (texts: AWS's API reference).

    DynamoDB Local refuses the whole request for most of them, AWS does not (aws-sdk-net issue
    1292).
    """
    name, none = names(2)
    highest = {"N": "9" * 38 + "0" * 88}
    ddb.put_item(
        TableName=plain,
        Item={
            **name_of(name),
            "s": {"S": "x"},
            "n": highest,
            "big": {"S": "x" * 150_000},
        },
    )
    values = {":v": highest if "n +" in expression else {"N": "1"}}
    asked = update(plain, name, expression, ExpressionAttributeValues=values)
    if ":v" not in expression:
        del asked["Update"]["ExpressionAttributeValues"]
    assert reasons(put(plain, none), asked, check(plain, none + "x")) == [
        NONE,
        {"Code": "ValidationError", "Message": text},
        CONDITION,
    ]
    assert stored(ddb, plain, name_of(none)) is None


def test_a_failed_condition_hides_a_failed_update(
    plain: str, reasons: Callable[..., list[Item]], names: Callable[[int], list[str]]
) -> None:
    """The condition of an action is judged first."""
    (name,) = names(1)
    failing = update(plain, name, "SET nowhere.a = :v", ConditionExpression=PRESENT)
    assert reasons(failing) == [CONDITION]


# --- tokens


def test_a_repeated_request_is_made_once(
    ddb: Any, plain: str, names: Callable[[int], list[str]], refused: Callable[..., str]
) -> None:
    """It succeeds again and changes nothing; with another request the token is refused."""
    name, token = names(2)
    request = transaction(update(plain, name, "ADD n :v"), ClientRequestToken=token)
    for capacity in ("NONE", "TOTAL", "INDEXES"):
        ddb.transact_write_items(**request, ReturnConsumedCapacity=capacity)
    assert stored(ddb, plain, name_of(name))["n"] == {"N": "1"}
    for other in (delete(plain, name), put("none", name), put(plain, {"pk": {"N": "1"}})):
        refused(
            "IdempotentParameterMismatchException",
            ddb.transact_write_items,
            **transaction(other, ClientRequestToken=token),
        )
    assert stored(ddb, plain, name_of(name))["n"] == {"N": "1"}


def test_the_token_of_a_cancelled_transaction_is_free(
    ddb: Any,
    plain: str,
    names: Callable[[int], list[str]],
    reasons: Callable[..., list[Item]],
) -> None:
    """It may come with the same request again, or with another."""
    name, token = names(2)
    assert reasons(check(plain, name), ClientRequestToken=token) == [CONDITION]
    ddb.transact_write_items(**transaction(put(plain, name), ClientRequestToken=token))
    assert stored(ddb, plain, name_of(name)) == name_of(name)


def test_the_form_of_the_errors(
    refusal: Callable[..., tuple[str, str | None]],
    raw: Callable[..., Any],
    plain: str,
    names: Callable[[int], list[str]],
) -> None:
    """Their texts are under Message."""
    name, token = names(2)
    body = transaction(check(plain, name, ABSENT), ClientRequestToken=token)
    assert raw(f"DynamoDB_20120810.{TRANSACT}", body).json == {}
    other = transaction(check(plain, name), ClientRequestToken=token)
    assert refusal(TRANSACT, other) == (
        "IdempotentParameterMismatchException",
        "The request uses the same client token as a previous, but non-identical request",
    )
    answer = raw(f"DynamoDB_20120810.{TRANSACT}", transaction(check(plain, name)))
    assert answer.status == 400
    assert answer.json == {
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": (
            "Transaction cancelled, please refer cancellation reasons for specific reasons"
            " [ConditionalCheckFailed]"
        ),
        "CancellationReasons": [CONDITION],
    }


# --- what it costs


def test_consumed_capacity(
    ddb: Any, plain: str, sorted_table: str, names: Callable[[int], list[str]]
) -> None:
    """Twice the units of each action alone, by table; a check costs as a write does (AWS, 2026-06).

    DynamoDB Local counts some of these otherwise.
    """
    small, large, none = names(3)
    ddb.put_item(TableName=plain, Item={**name_of(large), "a": {"S": "x" * 5000}})
    request = transaction(
        put(plain, small),
        check(plain, large),
        delete(plain, none),
        put(sorted_table, {"pk": {"S": small}, "sk": {"N": "1"}}),
    )
    told = {}
    for asked in ("TOTAL", "INDEXES"):
        answer = ddb.transact_write_items(**request, ReturnConsumedCapacity=asked)
        told[asked] = {each["TableName"]: each for each in answer["ConsumedCapacity"]}
    of_plain = {"CapacityUnits": 14.0, "WriteCapacityUnits": 14.0}
    of_sorted = {"CapacityUnits": 2.0, "WriteCapacityUnits": 2.0}
    assert told["TOTAL"] == {
        plain: {"TableName": plain, **of_plain},
        sorted_table: {"TableName": sorted_table, **of_sorted},
    }
    assert told["INDEXES"] == {
        plain: {"TableName": plain, **of_plain, "Table": of_plain},
        sorted_table: {"TableName": sorted_table, **of_sorted, "Table": of_sorted},
    }


def test_a_repeated_request_consumes_reads(
    ddb: Any, plain: str, names: Callable[[int], list[str]]
) -> None:
    """1.5 KB are four units to write and two to read again (AWS, 2026-07)."""
    name, token = names(2)
    request = transaction(
        put(plain, name, a={"S": "x" * 1500}),
        ClientRequestToken=token,
        ReturnConsumedCapacity="TOTAL",
    )
    told = [ddb.transact_write_items(**request)["ConsumedCapacity"] for _ in range(2)]
    assert told == [
        [{"TableName": plain, "CapacityUnits": 4.0, "WriteCapacityUnits": 4.0}],
        [{"TableName": plain, "CapacityUnits": 2.0, "ReadCapacityUnits": 2.0}],
    ]


def test_no_item_collections(ddb: Any, plain: str, names: Callable[[int], list[str]]) -> None:
    """A table without local indexes has no metrics to tell."""
    (name,) = names(1)
    request = transaction(put(plain, name), ReturnItemCollectionMetrics="SIZE")
    assert ddb.transact_write_items(**request).keys() == {"ResponseMetadata"}
