"""CreateTable: types of members, refusals with their texts and order, and what is made."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from wire import wrong_json

CREATE = "CreateTable"
INVALID = "One or more parameter values were invalid: "
NAME_PATTERN = "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
VIEW_TYPES = ["OLD_IMAGE", "KEYS_ONLY", "NEW_AND_OLD_IMAGES", "NEW_IMAGE"]


def schema(*keys: tuple[str, str]) -> list[dict[str, str]]:
    """Return a KeySchema of names and kinds."""
    return [{"AttributeName": name, "KeyType": kind} for name, kind in keys]


def definitions(**types: str) -> list[dict[str, str]]:
    """Return AttributeDefinitions of names and types."""
    return [{"AttributeName": name, "AttributeType": kind} for name, kind in types.items()]


def create(name: str, **more: Any) -> dict[str, Any]:
    """Return a request that creates an on-demand table with the partition key `pk`, a text."""
    return {
        "TableName": name,
        "KeySchema": schema(("pk", "HASH")),
        "AttributeDefinitions": definitions(pk="S"),
        "BillingMode": "PAY_PER_REQUEST",
        **more,
    }


def create_two(name: str, **more: Any) -> dict[str, Any]:
    """Return a request that creates an on-demand table with the keys `pk` and `sk`, both texts."""
    keys = schema(("pk", "HASH"), ("sk", "RANGE"))
    both = {"KeySchema": keys, "AttributeDefinitions": definitions(pk="S", sk="S")}
    return create(name, **{**both, **more})


@pytest.fixture
def made(ddb: Any) -> Iterator[Callable[..., dict[str, Any]]]:
    """Create a table that is deleted after the test, and return the answer's description."""
    names: list[str] = []

    def make(request: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = ddb.create_table(**request)["TableDescription"]
        names.append(request["TableName"])
        ddb.get_waiter("table_exists").wait(TableName=names[-1], WaiterConfig={"Delay": 1})
        return answer

    yield make
    for name in names:
        ddb.delete_table(TableName=name)


def absent(ddb: Any, name: str) -> bool:
    """Say whether there is no table of that name."""
    return name not in ddb.list_tables(ExclusiveStartTableName=name[:-1])["TableNames"]


# --- serialisation


@pytest.mark.parametrize(
    ("member", "wrong"),
    [
        ("TableName", wrong_json.STRING),
        ("KeySchema", wrong_json.LIST),
        ("AttributeDefinitions", wrong_json.LIST),
        ("BillingMode", wrong_json.STRING),
        ("ProvisionedThroughput", wrong_json.structure("ProvisionedThroughput")),
        ("StreamSpecification", wrong_json.structure("StreamSpecification")),
        ("TableClass", wrong_json.STRING),
        ("DeletionProtectionEnabled", wrong_json.BOOLEAN),
        ("SSESpecification", wrong_json.structure("SSESpecification")),
        ("LocalSecondaryIndexes", wrong_json.LIST),
        ("GlobalSecondaryIndexes", wrong_json.LIST),
        ("Tags", wrong_json.LIST),
        ("OnDemandThroughput", wrong_json.structure("OnDemandThroughput")),
        ("WarmThroughput", wrong_json.structure("WarmThroughput")),
    ],
)
def test_wrong_json_types_of_members(
    unreadable: Callable[..., str], table_name: str, member: str, wrong: wrong_json.Wrong
) -> None:
    """A member of a wrong JSON type is a SerializationException, each with its text."""
    for value, text in wrong:
        assert unreadable(CREATE, create(table_name, **{member: value})) == text, value


@pytest.mark.parametrize(
    ("member", "inside", "wrong"),
    [
        ("KeySchema", "AttributeName", wrong_json.STRING),
        ("KeySchema", "KeyType", wrong_json.STRING),
        ("AttributeDefinitions", "AttributeName", wrong_json.STRING),
        ("AttributeDefinitions", "AttributeType", wrong_json.STRING),
        ("ProvisionedThroughput", "ReadCapacityUnits", wrong_json.LONG),
        ("ProvisionedThroughput", "WriteCapacityUnits", wrong_json.LONG),
        ("StreamSpecification", "StreamEnabled", wrong_json.BOOLEAN),
        ("StreamSpecification", "StreamViewType", wrong_json.STRING),
    ],
)
def test_wrong_json_types_inside_members(
    unreadable: Callable[..., str],
    table_name: str,
    member: str,
    inside: str,
    wrong: wrong_json.Wrong,
) -> None:
    """So is a wrong type further in, though much else is missing there."""
    in_list = member in {"KeySchema", "AttributeDefinitions"}
    for value, text in wrong:
        content = {inside: value}
        request = {"TableName": table_name, member: [content] if in_list else content}
        assert unreadable(CREATE, request) == text, value


def test_wrong_json_types_in_lists(unreadable: Callable[..., str], table_name: str) -> None:
    """The members of a list are structures."""
    for member, name in (
        ("KeySchema", "KeySchemaElement"),
        ("AttributeDefinitions", "AttributeDefinition"),
    ):
        for value, text in wrong_json.structure(name):
            assert unreadable(CREATE, create(table_name, **{member: [value]})) == text, value


# --- validation: constraints


def test_the_name_is_missed_first(invalid: Callable[..., str]) -> None:
    """Without a name nothing else is looked at; with an empty one everything is."""
    for request in ({}, {"TableName": None}, {"BillingMode": "x", "KeySchema": []}):
        assert invalid(CREATE, request) == (
            "The parameter 'TableName' is required but was not present in the request"
        )


@pytest.mark.parametrize(
    ("name", "constraint"),
    [
        ("", "Member must have length greater than or equal to 3"),
        ("ab", "Member must have length greater than or equal to 3"),
        ("a" * 256, "Member must have length less than or equal to 255"),
        ("abc;", NAME_PATTERN),
        ("a b", NAME_PATTERN),
        ("naïve", NAME_PATTERN),
        ("arn:aws:dynamodb", NAME_PATTERN),
    ],
)
def test_names_that_are_none(invalid: Callable[..., str], name: str, constraint: str) -> None:
    """A table's name has from 3 to 255 characters of a few kinds."""
    assert invalid(CREATE, create(name)) == (
        f"1 validation error detected: Value '{name}' at 'tableName' failed to satisfy"
        f" constraint: {constraint}"
    )


def broken(path: str, shown: str, constraint: str) -> str:
    """Return what the service says of one broken constraint."""
    return f"Value {shown} at '{path}' failed to satisfy constraint: Member must {constraint}"


def test_every_broken_constraint_is_listed(invalid: Callable[..., str]) -> None:
    """Everything that breaks the model is told of in one error, in the order of the model."""
    request = {
        "TableName": "a!",
        "AttributeDefinitions": [{"AttributeName": "", "AttributeType": "Q"}],
        "KeySchema": [{"AttributeName": "a" * 256}],
        "BillingMode": "FREE",
        "ProvisionedThroughput": {"ReadCapacityUnits": 0, "WriteCapacityUnits": 1},
        "StreamSpecification": {"StreamViewType": "new_image"},
    }
    modes, kinds = "[PROVISIONED, PAY_PER_REQUEST]", "[B, N, S]"
    defined, keys = "attributeDefinitions.1.member", "keySchema.1.member"
    assert invalid(CREATE, request) == "10 validation errors detected: " + "; ".join(
        [
            broken(f"{defined}.attributeName", "''", "have length greater than or equal to 1"),
            broken(f"{defined}.attributeType", "'Q'", f"satisfy enum value set: {kinds}"),
            broken("tableName", "'a!'", NAME_PATTERN.removeprefix("Member must ")),
            broken("tableName", "'a!'", "have length greater than or equal to 3"),
            broken(
                f"{keys}.attributeName",
                f"'{'a' * 256}'",
                "have length less than or equal to 255",
            ),
            broken(f"{keys}.keyType", "null", "not be null"),
            broken("billingMode", "'FREE'", f"satisfy enum value set: {modes}"),
            broken(
                "provisionedThroughput.readCapacityUnits",
                "'0'",
                "have value greater than or equal to 1",
            ),
            broken("streamSpecification.streamEnabled", "null", "not be null"),
            broken(
                "streamSpecification.streamViewType",
                "'new_image'",
                f"satisfy enum value set: [{', '.join(VIEW_TYPES)}]",
            ),
        ]
    )


def test_no_more_than_ten_are_listed(invalid: Callable[..., str]) -> None:
    """All are counted, ten are listed."""
    message = invalid(CREATE, create("abc", AttributeDefinitions=[{}] * 7))
    assert message.startswith("14 validation errors detected: Value null at 'attributeDefinitions")
    assert len(re.findall("Value null at", message)) == 10


@pytest.mark.parametrize(
    ("more", "path", "shown", "constraint"),
    [
        (
            {"AttributeDefinitions": None},
            "attributeDefinitions",
            "null",
            "Member must not be null",
        ),
        ({"KeySchema": None}, "keySchema", "null", "Member must not be null"),
        (
            {"KeySchema": []},
            "keySchema",
            "'[]'",
            "Member must have length greater than or equal to 1",
        ),
        (
            {"KeySchema": schema(("pk", "HASH"), ("sk", "RANGE"), ("tk", "RANGE"))},
            "keySchema",
            (
                "'[KeySchemaElement(attributeName=pk, keyType=HASH),"
                " KeySchemaElement(attributeName=sk, keyType=RANGE),"
                " KeySchemaElement(attributeName=tk, keyType=RANGE)]'"
            ),
            "Member must have length less than or equal to 2",
        ),
        (
            {"KeySchema": schema(("pk", "PARTITION"))},
            "keySchema.1.member.keyType",
            "'PARTITION'",
            "Member must satisfy enum value set: [HASH, RANGE]",
        ),
        (
            {"TableClass": "CHEAP"},
            "tableClass",
            "'CHEAP'",
            "Member must satisfy enum value set: [STANDARD, STANDARD_INFREQUENT_ACCESS]",
        ),
        (
            {"StreamSpecification": {}},
            "streamSpecification.streamEnabled",
            "null",
            "Member must not be null",
        ),
        (
            {"StreamSpecification": {"StreamViewType": "NEW_IMAGE"}},
            "streamSpecification.streamEnabled",
            "null",
            "Member must not be null",
        ),
        (
            {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "new_image"}},
            "streamSpecification.streamViewType",
            "'new_image'",
            (
                "Member must satisfy enum value set: [OLD_IMAGE, KEYS_ONLY, NEW_AND_OLD_IMAGES,"
                " NEW_IMAGE]"
            ),
        ),
    ],
)
def test_each_constraint(
    invalid: Callable[..., str],
    table_name: str,
    more: dict[str, Any],
    path: str,
    shown: str,
    constraint: str,
) -> None:
    """Each constraint alone, with the value that broke it as the service prints it."""
    assert invalid(CREATE, create(table_name, **more)) == (
        f"1 validation error detected: Value {shown} at '{path}' failed to satisfy constraint:"
        f" {constraint}"
    )


# --- validation: what does not go together


@pytest.mark.parametrize(
    ("request_of", "more", "text"),
    [
        (
            create,
            {"KeySchema": schema(("pk", "RANGE"))},
            INVALID + "Invalid KeySchema: The first KeySchemaElement is not a HASH key type",
        ),
        (
            create_two,
            {"KeySchema": schema(("sk", "RANGE"), ("pk", "HASH"))},
            INVALID + "Invalid KeySchema: The first KeySchemaElement is not a HASH key type",
        ),
        (
            create_two,
            {"KeySchema": schema(("pk", "HASH"), ("sk", "HASH"))},
            INVALID + "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type",
        ),
        (
            create_two,
            {"KeySchema": schema(("pk", "HASH"), ("pk", "RANGE"))},
            "Both the Hash Key and the Range Key element in the KeySchema have the same name",
        ),
        (
            create,
            {"AttributeDefinitions": []},
            "Invalid KeySchema: Some index key attribute have no definition",
        ),
        (
            create_two,
            {"AttributeDefinitions": definitions(pk="S")},
            "Invalid KeySchema: Some index key attribute have no definition",
        ),
        (
            create,
            {"AttributeDefinitions": definitions(pk="S", more="N")},
            INVALID + "Number of attributes in KeySchema does not exactly match number of"
            " attributes defined in AttributeDefinitions",
        ),
        (
            create,
            {"AttributeDefinitions": definitions(pk="S") * 2},
            "Attribute Name is duplicated: pk",
        ),
        (
            create_two,
            {"AttributeDefinitions": [*definitions(pk="S", sk="S"), *definitions(sk="N")]},
            "Attribute Name is duplicated: sk",
        ),
        (
            create,
            {"AttributeDefinitions": definitions(PK="S")},
            INVALID + "Some index key attributes are not defined in AttributeDefinitions. Keys:"
            " [pk], AttributeDefinitions: [PK]",
        ),
        (
            create_two,
            {"AttributeDefinitions": definitions(pk="S", other="S")},
            INVALID + "Some index key attributes are not defined in AttributeDefinitions. Keys:"
            " [pk, sk], AttributeDefinitions: [pk, other]",
        ),
        (
            create,
            {"BillingMode": "PROVISIONED"},
            INVALID + "ReadCapacityUnits and WriteCapacityUnits must both be specified when"
            " BillingMode is PROVISIONED",
        ),
        (
            create,
            {"BillingMode": None},
            INVALID + "ReadCapacityUnits and WriteCapacityUnits must both be specified when"
            " BillingMode is PROVISIONED",
        ),
        (
            create,
            {"ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}},
            INVALID + "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when"
            " BillingMode is PAY_PER_REQUEST",
        ),
        (
            create,
            {
                "BillingMode": "PROVISIONED",
                "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 10**30},
            },
            f"Given value {10**30} for WriteCapacityUnits is out of bounds",
        ),
        (
            create,
            {"StreamSpecification": {"StreamEnabled": True}},
            INVALID + "Table is being created with a stream enabled, UpdateViewType is required",
        ),
        (
            create,
            {"StreamSpecification": {"StreamEnabled": False, "StreamViewType": "NEW_IMAGE"}},
            INVALID + "Table is being created with a stream disabled, UpdateViewType should not be"
            " specified",
        ),
    ],
)
def test_what_does_not_go_together(
    invalid: Callable[..., str],
    ddb: Any,
    table_name: str,
    request_of: Callable[..., dict[str, Any]],
    more: dict[str, Any],
    text: str,
) -> None:
    """Members that are sound alone and not together are refused, and no table is made."""
    assert invalid(CREATE, request_of(table_name, **more)) == text
    assert absent(ddb, table_name)


@pytest.mark.parametrize(
    ("name", "given", "what"),
    [
        ("VectorIndexes", [{}], "a vector index (VectorIndexes)"),
        ("SSESpecification", {"Enabled": True}, "encryption with a key (SSESpecification)"),
        ("SSESpecification", {"SSEType": "KMS"}, "encryption with a key (SSESpecification)"),
        ("ResourcePolicy", "{}", "ResourcePolicy"),
    ],
)
def test_parameters_of_later_releases_are_refused_by_name(
    invalid: Callable[..., str], ddb: Any, table_name: str, name: str, given: Any, what: str
) -> None:
    """What is not there yet is refused, never ignored."""
    assert invalid(CREATE, create(table_name, **{name: given})) == (
        f"{what} is not supported by this release of Penstock"
    )
    assert absent(ddb, table_name)


# --- behaviour


def test_the_description_of_an_on_demand_table(
    made: Callable[..., dict[str, Any]], table_name: str
) -> None:
    """The answer says CREATING, shows no throughput, and names the table's ARN and id."""
    request = create_two(table_name, AttributeDefinitions=definitions(pk="N", sk="B"))
    description = made(request)
    arn, table_id = description.pop("TableArn"), description.pop("TableId")
    assert re.fullmatch(f"arn:aws:dynamodb:us-east-1:[0-9]{{12}}:table/{table_name}", arn)
    assert re.fullmatch("[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", table_id)
    created = description.pop("CreationDateTime")
    assert created.tzinfo is not None
    summary = description.pop("BillingModeSummary")
    assert summary["BillingMode"] == "PAY_PER_REQUEST"
    assert description == {
        "TableName": table_name,
        "TableStatus": "CREATING",
        "KeySchema": schema(("pk", "HASH"), ("sk", "RANGE")),
        "AttributeDefinitions": definitions(pk="N", sk="B"),
        "ProvisionedThroughput": {
            "NumberOfDecreasesToday": 0,
            "ReadCapacityUnits": 0,
            "WriteCapacityUnits": 0,
        },
        "ItemCount": 0,
        "TableSizeBytes": 0,
        "DeletionProtectionEnabled": False,
    }


def test_the_description_of_a_provisioned_table(
    made: Callable[..., dict[str, Any]], table_name: str
) -> None:
    """Throughput is shown as it was asked for; provisioned is the mode that is not told."""
    units = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 10**12}
    description = made(create(table_name, BillingMode=None, ProvisionedThroughput=units))
    assert description["ProvisionedThroughput"] == {"NumberOfDecreasesToday": 0, **units}
    assert "BillingModeSummary" not in description


def test_options_that_are_honoured(
    made: Callable[..., dict[str, Any]], ddb: Any, table_name: str
) -> None:
    """Class and protection are kept and shown; encryption that is off is the default."""
    request = create(
        table_name,
        TableClass="STANDARD_INFREQUENT_ACCESS",
        DeletionProtectionEnabled=True,
        SSESpecification={"Enabled": False},
    )
    for description in (made(request), ddb.describe_table(TableName=table_name)["Table"]):
        assert description["TableClassSummary"] == {"TableClass": "STANDARD_INFREQUENT_ACCESS"}
        assert description["DeletionProtectionEnabled"] is True
        assert "SSEDescription" not in description
    ddb.update_table(TableName=table_name, DeletionProtectionEnabled=False)


@pytest.mark.parametrize("view_type", VIEW_TYPES)
def test_a_table_with_a_stream(
    made: Callable[..., dict[str, Any]], streams: Any, table_name: str, view_type: str
) -> None:
    """The answer already names the stream, and the stream is there."""
    asked = {"StreamEnabled": True, "StreamViewType": view_type}
    description = made(create(table_name, StreamSpecification=asked))
    assert description["StreamSpecification"] == asked
    arn, label = description["LatestStreamArn"], description["LatestStreamLabel"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}", label)
    assert arn == f"{description['TableArn']}/stream/{label}"
    stream = streams.describe_stream(StreamArn=arn)["StreamDescription"]
    assert (stream["StreamViewType"], stream["TableName"]) == (view_type, table_name)


def test_a_stream_that_is_off_is_not_shown(
    made: Callable[..., dict[str, Any]], table_name: str
) -> None:
    """StreamEnabled false alone is accepted, and there is nothing to show of it."""
    description = made(create(table_name, StreamSpecification={"StreamEnabled": False}))
    shown = {"StreamSpecification", "LatestStreamArn", "LatestStreamLabel"} & description.keys()
    assert not shown


def test_a_name_can_be_taken_once(
    made: Callable[..., dict[str, Any]], refused: Callable[..., str], ddb: Any, table_name: str
) -> None:
    """A second table of a name is refused, and after its deletion it is another table."""
    first = made(create(table_name))
    again = create_two(table_name)
    assert refused("ResourceInUseException", ddb.create_table, **again) == (
        f"Table already exists: {table_name}"
    )
    ddb.delete_table(TableName=table_name)
    ddb.get_waiter("table_not_exists").wait(TableName=table_name, WaiterConfig={"Delay": 1})
    second = ddb.create_table(**again)["TableDescription"]
    assert second["TableId"] != first["TableId"]


@pytest.mark.parametrize("length", [3, 255])
def test_the_shortest_and_the_longest_name(
    made: Callable[..., dict[str, Any]], table_name: str, length: int
) -> None:
    """Three characters are a name, and 255."""
    name = (table_name[-3:] if length == 3 else table_name + "-_.A9" * 51)[:length]
    assert made(create(name))["TableName"] == name
    assert len(name) == length


def test_the_name_in_an_arn_has_its_lengths(
    made: Callable[..., dict[str, Any]], invalid: Callable[..., str], table_name: str
) -> None:
    """What is too short or too long for a name is so in an ARN as well."""
    prefix = made(create(table_name))["TableArn"].removesuffix(table_name)
    for name, constraint in (
        ("ab", "greater than or equal to 3"),
        ("a" * 256, "less than or equal to 255"),
    ):
        assert invalid(CREATE, create(prefix + name)) == (
            f"1 validation error detected: Value '{name}' at 'tableName' failed to satisfy"
            f" constraint: Member must have length {constraint}"
        )


def test_a_table_can_be_named_by_its_arn(
    made: Callable[..., dict[str, Any]], refused: Callable[..., str], ddb: Any, table_name: str
) -> None:
    """An ARN of this account and region is as good as the name in it."""
    arn = made(create(table_name))["TableArn"]
    assert made(create(f"{arn}.2"))["TableName"] == f"{table_name}.2"
    assert refused("ResourceInUseException", ddb.create_table, **create(arn)) == (
        f"Table already exists: {table_name}"
    )


def test_the_names_of_keys_are_unicode_and_long(
    made: Callable[..., dict[str, Any]], ddb: Any, table_name: str
) -> None:
    """A key attribute's name has up to 255 characters of any kind."""
    name = "\U0001f511 ü.:#" + "k" * 249
    keys = {"KeySchema": schema((name, "HASH")), "AttributeDefinitions": definitions(**{name: "S"})}
    made(create(table_name, **keys))
    ddb.put_item(TableName=table_name, Item={name: {"S": "a"}})
    assert ddb.scan(TableName=table_name)["Items"] == [{name: {"S": "a"}}]


def test_members_that_the_model_does_not_have_are_dropped(
    raw: Callable[..., Any], ddb: Any, table_name: str
) -> None:
    """As on AWS, a client newer than the model keeps working."""
    answer = raw("DynamoDB_20120810.CreateTable", create(table_name, NewInTwentyYears=[1]))
    assert answer.status == 200
    ddb.delete_table(TableName=table_name)
