"""CreateTable with secondary indexes: refusals with their texts and order, and what is made."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from wire import wrong_json
from wire.dynamodb.tables_with_indexes import (
    ALL,
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
from wire.refusal_texts import constraint

CREATE = "CreateTable"
GLOBAL, LOCAL = "GlobalSecondaryIndexes", "LocalSecondaryIndexes"
IN_LOCAL = definitions(pk="S", sk="S", a="S")


def local(name: str = "idx", sort: str | None = "a", **more: Any) -> dict[str, Any]:
    """Return a local index of the table of `create`."""
    made: dict[str, Any] = index(name, "pk", sort, **more)
    return made


def with_local(name: str, *indexes: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a request for a table with these local indexes."""
    return create(name, **{"AttributeDefinitions": IN_LOCAL, LOCAL: list(indexes), **more})


def include(*names: str) -> dict[str, Any]:
    """Return a projection of some attributes."""
    return {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(names)}


@pytest.fixture
def made(ddb: Any) -> Iterator[Callable[..., dict[str, Any]]]:
    """Create a table that is deleted after the test, and return the answer's description."""
    names: list[str] = []

    def make(request: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = ddb.create_table(**request)["TableDescription"]
        names.append(request["TableName"])
        wait_until_active(ddb, names[-1])
        return answer

    yield make
    for name in names:
        ddb.delete_table(TableName=name)


# --- serialisation


@pytest.mark.parametrize("member", [GLOBAL, LOCAL])
@pytest.mark.parametrize(
    ("inside", "wrong"),
    [
        ("IndexName", wrong_json.STRING),
        ("KeySchema", wrong_json.LIST),
        ("Projection", wrong_json.structure("Projection")),
    ],
)
def test_wrong_json_types(
    unreadable: Callable[..., str],
    table_name: str,
    member: str,
    inside: str,
    wrong: wrong_json.Wrong,
) -> None:
    """A wrong type inside an index is a SerializationException, though much is missing there."""
    for value, text in wrong:
        request = create(table_name, **{member: [{inside: value}]})
        assert unreadable(CREATE, request) == text, value


def test_wrong_json_types_further_in(unreadable: Callable[..., str], table_name: str) -> None:
    """So is one in a projection or in throughput."""
    for more, wrong in (
        ({"Projection": {"ProjectionType": None}}, wrong_json.STRING),
        ({"Projection": {"NonKeyAttributes": None}}, wrong_json.LIST),
        ({"ProvisionedThroughput": {"ReadCapacityUnits": None}}, wrong_json.LONG),
        ({"OnDemandThroughput": {"MaxReadRequestUnits": None}}, wrong_json.LONG),
        ({"WarmThroughput": {"WriteUnitsPerSecond": None}}, wrong_json.LONG),
    ):
        ((outer, inner),) = more.items()
        (name,) = inner
        for value, text in wrong:
            request = create(table_name, **{GLOBAL: [{outer: {name: value}}]})
            assert unreadable(CREATE, request) == text, (outer, value)


# --- validation: constraints


@pytest.mark.parametrize("member", [GLOBAL, LOCAL])
def test_what_an_index_has_to_have(
    invalid: Callable[..., str], table_name: str, member: str
) -> None:
    """Name, key and projection are required."""
    path = f"{member[0].lower()}{member[1:]}.1.member"
    assert invalid(CREATE, create(table_name, **{member: [{}]})) == (
        "3 validation errors detected: "
        + "; ".join(
            f"Value null at '{path}.{name}' failed to satisfy constraint: Member must not be null"
            for name in ("indexName", "keySchema", "projection")
        )
    )


@pytest.mark.parametrize(
    ("more", "path", "shown", "rule"),
    [
        ({"IndexName": "ab"}, "indexName", "ab", "have length greater than or equal to 3"),
        (
            {"IndexName": "a" * 256},
            "indexName",
            "a" * 256,
            "have length less than or equal to 255",
        ),
        (
            {"IndexName": "ab;"},
            "indexName",
            "ab;",
            "satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
        ),
        ({"KeySchema": []}, "keySchema", "[]", "have length greater than or equal to 1"),
        (
            {"Projection": {"ProjectionType": "SOME"}},
            "projection.projectionType",
            "SOME",
            "satisfy enum value set: [ALL, INCLUDE, KEYS_ONLY]",
        ),
        (
            {"Projection": include()},
            "projection.nonKeyAttributes",
            "[]",
            "have length greater than or equal to 1",
        ),
        (
            {"Projection": include(*"abcdefghijklmnopqrstu")},
            "projection.nonKeyAttributes",
            f"[{', '.join('abcdefghijklmnopqrstu')}]",
            "have length less than or equal to 20",
        ),
        (
            {"Projection": include("")},
            "projection.nonKeyAttributes.1.member",
            "",
            "have length greater than or equal to 1",
        ),
    ],
)
def test_each_constraint(
    invalid: Callable[..., str],
    table_name: str,
    more: dict[str, Any],
    path: str,
    shown: str,
    rule: str,
) -> None:
    """Each constraint alone, with the value that broke it."""
    request = create(table_name, **{GLOBAL: [index() | more]})
    whole = f"globalSecondaryIndexes.1.member.{path}"
    assert invalid(CREATE, request) == constraint(shown, whole, rule)


# --- validation: what does not go together


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ([("a", "RANGE"), ("b", "HASH")], "The first KeySchemaElement is not a HASH key type"),
        (
            [("a", "HASH"), ("b", "RANGE"), ("pk", "HASH")],
            "All HASH key attributes must precede RANGE key attributes in the KeySchema",
        ),
        (
            [(name, "HASH") for name in ("a", "b", "pk", "sk", "c")],
            "The KeySchema exceeds the maximum allowed number of HASH key attributes",
        ),
        (
            [("pk", "HASH"), *((name, "RANGE") for name in ("a", "b", "sk", "c", "d"))],
            "The KeySchema exceeds the maximum allowed number of RANGE key attributes",
        ),
    ],
)
def test_keys_that_a_global_index_cannot_have(
    invalid: Callable[..., str], table_name: str, schema: list[tuple[str, str]], text: str
) -> None:
    """Up to four HASH attributes and then up to four RANGE ones make a key."""
    request = create(
        table_name,
        AttributeDefinitions=definitions(pk="S", sk="S", a="S", b="N", c="S", d="S"),
        **{GLOBAL: [index(KeySchema=keys(*schema))]},
    )
    assert invalid(CREATE, request) == f"{INVALID}Invalid KeySchema: {text}"


@pytest.mark.parametrize(
    ("projection", "text"),
    [
        ({}, "Unknown ProjectionType: null"),
        ({"NonKeyAttributes": ["z"]}, "Unknown ProjectionType: null"),
        (
            {"ProjectionType": "INCLUDE"},
            "ProjectionType is INCLUDE, but NonKeyAttributes is not specified",
        ),
        (
            {"ProjectionType": "ALL", "NonKeyAttributes": ["z"]},
            "ProjectionType is ALL, but NonKeyAttributes is specified",
        ),
        (
            {"ProjectionType": "KEYS_ONLY", "NonKeyAttributes": ["z"]},
            "ProjectionType is KEYS_ONLY, but NonKeyAttributes is specified",
        ),
    ],
)
def test_projections_that_are_none(
    invalid: Callable[..., str], table_name: str, projection: dict[str, Any], text: str
) -> None:
    """INCLUDE names attributes, nothing else does; for both kinds of index."""
    for request in (
        create(table_name, **{GLOBAL: [index(Projection=projection)]}),
        with_local(table_name, local(Projection=projection)),
    ):
        assert invalid(CREATE, request) == INVALID + text


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({GLOBAL: []}, "List of GlobalSecondaryIndexes is empty"),
        ({LOCAL: []}, "List of LocalSecondaryIndexes is empty"),
        (
            {GLOBAL: [index(partition="x")]},
            (
                "Some index key attributes are not defined in AttributeDefinitions. Keys: [x, b],"
                " AttributeDefinitions: [pk, sk, a, b]"
            ),
        ),
        (
            {GLOBAL: [index(sort=None)]},
            (
                "Some AttributeDefinitions are not used. AttributeDefinitions: [pk, sk, a, b],"
                " keys used: [pk, sk, a]"
            ),
        ),
        ({GLOBAL: [index(), index()]}, "Duplicate index name: idx"),
        ({LOCAL: [local()], GLOBAL: [index()]}, "Duplicate index name: idx"),
        (
            {GLOBAL: [index(f"ix{number}") for number in range(21)]},
            "GlobalSecondaryIndex count exceeds the per-table limit of 20",
        ),
        (
            {LOCAL: [local(f"ix{number}") for number in range(6)]},
            "Number of LocalSecondaryIndexes exceeds per-table limit of 5",
        ),
        (
            {LOCAL: [local(sort=None)]},
            "Index KeySchema does not have a range key for index: idx",
        ),
        (
            {LOCAL: [index()]},
            (
                "Index KeySchema does not have the same leading hash key as table KeySchema for"
                " index: idx. index hash key: a, table hash key: pk"
            ),
        ),
        (
            {LOCAL: [local()], "KeySchema": keys(("pk", "HASH"))},
            (
                "Table KeySchema does not have a range key, which is required when specifying a"
                " LocalSecondaryIndex"
            ),
        ),
        (
            {GLOBAL: [index(ProvisionedThroughput=UNITS)]},
            (
                "ProvisionedThroughput should not be specified for index: idx when BillingMode is"
                " PAY_PER_REQUEST"
            ),
        ),
        (
            {
                GLOBAL: [
                    index(f"ix{number}", Projection=include(*(f"z{n}" for n in range(20))))
                    for number in range(6)
                ]
            },
            "Number of NonKeyAttributes over all indexes exceeds the per-table limit of 100",
        ),
        (
            {GLOBAL: [index(OnDemandThroughput={"MaxReadRequestUnits": 0})]},
            (
                "Requested MaxReadRequestUnits for OnDemandThroughput for index: idx is outside of"
                " valid range"
            ),
        ),
    ],
)
def test_what_does_not_go_together(
    invalid: Callable[..., str], ddb: Any, table_name: str, more: dict[str, Any], text: str
) -> None:
    """Members that are sound alone and not together are refused, and no table is made."""
    assert invalid(CREATE, create(table_name, **more)) == INVALID + text
    assert table_name not in ddb.list_tables(ExclusiveStartTableName=table_name[:-1])["TableNames"]


def test_throughput_of_indexes_of_provisioned_tables(
    invalid: Callable[..., str], table_name: str
) -> None:
    """Each global index of a provisioned table has throughput of its own, within bounds."""
    assert invalid(CREATE, provisioned(table_name, **{GLOBAL: [index()]})) == (
        f"{INVALID}ProvisionedThroughput is not specified for index: idx"
    )
    units = UNITS | {"ReadCapacityUnits": 10**12 + 1}
    request = provisioned(table_name, **{GLOBAL: [index(ProvisionedThroughput=units)]})
    assert invalid(CREATE, request) == (
        f"Given value {10**12 + 1} for ReadCapacityUnits is out of bounds for index idx"
    )


def test_the_order_of_the_checks(invalid: Callable[..., str], table_name: str) -> None:
    """Throughput, the table's key, local indexes, global ones, what is defined, the stream."""
    faults: list[tuple[dict[str, Any], str]] = [
        ({"BillingMode": "PROVISIONED"}, "ReadCapacityUnits and WriteCapacityUnits must both"),
        ({"KeySchema": keys(("pk", "RANGE"))}, "Invalid KeySchema: The first"),
        ({LOCAL: [local(sort=None)]}, "Index KeySchema does not have a range key"),
        ({GLOBAL: [index(Projection={})]}, "Unknown ProjectionType: null"),
        (
            {"AttributeDefinitions": definitions(pk="S", sk="S", a="S", b="N", c="S")},
            "Some AttributeDefinitions are not used",
        ),
        ({"StreamSpecification": {"StreamEnabled": True}}, "Table is being created with a stream"),
    ]
    for place, (_, text) in enumerate(faults):
        wrong: dict[str, Any] = {GLOBAL: [index()]}
        for more, _ in reversed(faults[place:]):
            wrong |= more
        assert invalid(CREATE, create(table_name, **wrong)).startswith(INVALID + text)


# --- behaviour


def test_a_table_with_both_kinds_of_index(
    made: Callable[..., dict[str, Any]], ddb: Any, table_name: str
) -> None:
    """Every index is told with its key, projection, ARN and counts, the global ones with more."""
    request = create(
        table_name,
        **{GLOBAL: [index("glob", Projection=include("y", "x"))], LOCAL: [local("loca")]},
    )
    answer = made(request)
    arn = answer["TableArn"]
    assert answer["TableStatus"] == "CREATING"
    assert answer["AttributeDefinitions"] == definitions(a="S", b="N", pk="S", sk="S")
    assert answer[LOCAL] == [
        {
            "IndexName": "loca",
            "KeySchema": keys(("pk", "HASH"), ("a", "RANGE")),
            "Projection": ALL,
            "IndexSizeBytes": 0,
            "ItemCount": 0,
            "IndexArn": f"{arn}/index/loca",
        }
    ]
    expected = {
        "IndexName": "glob",
        "KeySchema": keys(("a", "HASH"), ("b", "RANGE")),
        "Projection": include("y", "x"),
        "IndexStatus": "CREATING",
        "ProvisionedThroughput": {
            "NumberOfDecreasesToday": 0,
            "ReadCapacityUnits": 0,
            "WriteCapacityUnits": 0,
        },
        "IndexSizeBytes": 0,
        "ItemCount": 0,
        "IndexArn": f"{arn}/index/glob",
    }
    assert answer[GLOBAL] == [expected]
    shown = ddb.describe_table(TableName=table_name)["Table"]
    assert shown[LOCAL] == answer[LOCAL]
    assert shown[GLOBAL] == [
        expected
        | {
            "IndexStatus": "ACTIVE",
            "WarmThroughput": {
                "ReadUnitsPerSecond": 12_000,
                "WriteUnitsPerSecond": 4_000,
                "Status": "ACTIVE",
            },
        }
    ]


def test_counts_of_indexes_are_exact(
    made: Callable[..., dict[str, Any]], ddb: Any, table_name: str
) -> None:
    """Each index tells how many entries it has and their bytes: names and values of what it has."""
    keys_only = {"ProjectionType": "KEYS_ONLY"}
    made(create(table_name, **{GLOBAL: [index(Projection=keys_only)], LOCAL: [local("loc")]}))
    base = {"pk": {"S": "1"}, "sk": {"S": "1"}, "z": {"S": "long"}}
    ddb.put_item(TableName=table_name, Item=base)
    in_local = {**base, "sk": {"S": "2"}, "a": {"S": "1"}}
    ddb.put_item(TableName=table_name, Item=in_local)
    ddb.put_item(TableName=table_name, Item={**in_local, "sk": {"S": "3"}, "b": {"N": "1"}})
    shown = ddb.describe_table(TableName=table_name)["Table"]
    # pk and sk have 3 bytes each, z has 5, a has 2, b has 3
    assert (shown["ItemCount"], shown["TableSizeBytes"]) == (3, 11 + 13 + 16)
    (found,) = shown[LOCAL]
    assert (found["ItemCount"], found["IndexSizeBytes"]) == (2, 13 + 16)
    found = index_of(shown)
    assert (found["ItemCount"], found["IndexSizeBytes"]) == (1, 11)


def test_a_global_key_of_four_and_four_attributes(
    made: Callable[..., dict[str, Any]], ddb: Any, table_name: str
) -> None:
    """The largest key there is is shown as it was given."""
    schema = keys(
        *((name, "HASH") for name in ("h1", "h2", "h3", "pk")),
        *((name, "RANGE") for name in ("r1", "sk", "r3", "r4")),
    )
    names = definitions(pk="S", sk="S", h1="S", h2="N", h3="B", r1="S", r3="N", r4="B")
    made(create(table_name, AttributeDefinitions=names, **{GLOBAL: [index(KeySchema=schema)]}))
    assert index_of(ddb.describe_table(TableName=table_name)["Table"])["KeySchema"] == schema


def test_as_many_indexes_as_there_can_be(
    made: Callable[..., dict[str, Any]], ddb: Any, table_name: str
) -> None:
    """A table takes 20 global and 5 local indexes, told in the order in which they were given."""
    some = [index(f"g{number:02}") for number in range(20)]
    few = [local(f"l{number:02}", sort="sk") for number in range(5)]
    made(create(table_name, **{GLOBAL: some, LOCAL: few}))
    shown = ddb.describe_table(TableName=table_name)["Table"]
    for member, given in ((GLOBAL, some), (LOCAL, few)):
        assert [i["IndexName"] for i in shown[member]] == [i["IndexName"] for i in given]


def test_throughput_of_indexes(
    made: Callable[..., dict[str, Any]], ddb: Any, table_name: str
) -> None:
    """Provisioned and warm throughput of an index are its own."""
    units = {"ReadCapacityUnits": 3, "WriteCapacityUnits": 4}
    warm = {"ReadUnitsPerSecond": 30, "WriteUnitsPerSecond": 40}
    made(
        provisioned(
            table_name, **{GLOBAL: [index(ProvisionedThroughput=units, WarmThroughput=warm)]}
        )
    )
    found = index_of(ddb.describe_table(TableName=table_name)["Table"])
    assert found["ProvisionedThroughput"] == {"NumberOfDecreasesToday": 0, **units}
    assert found["WarmThroughput"] == {"Status": "ACTIVE", **warm}


def test_maxima_and_warmth_of_an_on_demand_table(
    made: Callable[..., dict[str, Any]], ddb: Any, table_name: str
) -> None:
    """Both are told as they were given, for the table and its index; an empty one is none."""
    maxima, warm = {"MaxWriteRequestUnits": 7}, {"ReadUnitsPerSecond": 13_000}
    given: dict[str, Any] = {"OnDemandThroughput": maxima, "WarmThroughput": warm}
    indexes = [index(**given), index("none", OnDemandThroughput={})]
    made(create(table_name, **{GLOBAL: indexes}, **given))
    shown = ddb.describe_table(TableName=table_name)["Table"]
    for told in (shown, index_of(shown)):
        assert told["OnDemandThroughput"] == maxima
        assert told["WarmThroughput"] == {
            "ReadUnitsPerSecond": 13_000,
            "WriteUnitsPerSecond": 4_000,
            "Status": "ACTIVE",
        }
    assert "OnDemandThroughput" not in index_of(shown, "none")
