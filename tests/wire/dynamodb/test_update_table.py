"""UpdateTable: types of members, refusals with their texts, and the life of streams."""

from collections.abc import Callable
from typing import Any

import pytest

from wire import wrong_json

UPDATE = "UpdateTable"
INVALID = "One or more parameter values were invalid: "
NULL_ENABLED = (
    "1 validation error detected: Value null at 'streamSpecification.streamEnabled' failed to"
    " satisfy constraint: Member must not be null"
)
ON = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
OFF = {"StreamEnabled": False}


def set_stream(ddb: Any, table: str, specification: dict[str, Any]) -> dict[str, Any]:
    """Switch a table's stream, wait until that is done, and return the answer's description."""
    answer: dict[str, Any] = ddb.update_table(TableName=table, StreamSpecification=specification)
    ddb.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1})
    description: dict[str, Any] = answer["TableDescription"]
    return description


def described(ddb: Any, table: str) -> dict[str, Any]:
    """Return a table's description."""
    description: dict[str, Any] = ddb.describe_table(TableName=table)["Table"]
    return description


# --- serialisation


@pytest.mark.parametrize(
    ("member", "wrong"),
    [
        ("TableName", wrong_json.STRING),
        ("StreamSpecification", wrong_json.structure("StreamSpecification")),
        ("DeletionProtectionEnabled", wrong_json.BOOLEAN),
        ("BillingMode", wrong_json.STRING),
        ("GlobalSecondaryIndexUpdates", wrong_json.LIST),
        ("AttributeDefinitions", wrong_json.LIST),
        ("ReplicaUpdates", wrong_json.LIST),
        ("TableClass", wrong_json.STRING),
    ],
)
def test_wrong_json_types_of_members(
    unreadable: Callable[..., str], plain: str, member: str, wrong: wrong_json.Wrong
) -> None:
    """A member of a wrong JSON type is a SerializationException, each with its text."""
    for value, text in wrong:
        assert unreadable(UPDATE, {"TableName": plain, member: value}) == text, value


def test_wrong_json_types_inside_a_stream_specification(
    unreadable: Callable[..., str], plain: str
) -> None:
    """So is what stands inside a StreamSpecification."""
    for member, wrong in (
        ("StreamEnabled", wrong_json.BOOLEAN),
        ("StreamViewType", wrong_json.STRING),
    ):
        for value, text in wrong:
            request = {"TableName": plain, "StreamSpecification": {member: value}}
            assert unreadable(UPDATE, request) == text, value


# --- validation


def test_the_name_is_missed_first(invalid: Callable[..., str]) -> None:
    """Without a name nothing else is looked at."""
    bodies: list[dict[str, Any]] = [{}, {"StreamSpecification": {}}, {"BillingMode": "x"}]
    for body in bodies:
        assert invalid(UPDATE, body) == (
            "The parameter 'TableName' is required but was not present in the request"
        )


def test_something_has_to_be_asked(invalid: Callable[..., str], plain: str) -> None:
    """A name alone asks for nothing; so does a null."""
    for more in ({}, {"StreamSpecification": None}):
        assert invalid(UPDATE, {"TableName": plain, **more}) == (
            "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled,"
            " GlobalSecondaryIndexUpdates, SSESpecification, ReplicaUpdates,"
            " MultiAccountReplicaReady, ReplicaTransitRoleArn, MultiRegionConsistency,"
            " DeletionProtectionEnabled, OnDemandThroughput, WarmThroughput or TableClass is"
            " required"
        )


@pytest.mark.parametrize(
    ("specification", "text"),
    [
        ({}, NULL_ENABLED),
        ({"StreamViewType": "NEW_IMAGE"}, NULL_ENABLED),
        (
            {"StreamEnabled": True, "StreamViewType": "new_image"},
            (
                "1 validation error detected: Value 'new_image' at"
                " 'streamSpecification.streamViewType' failed to satisfy constraint: Member must"
                " satisfy enum value set: [OLD_IMAGE, KEYS_ONLY, NEW_AND_OLD_IMAGES, NEW_IMAGE]"
            ),
        ),
        (
            {"StreamEnabled": True},
            INVALID + "If stream is being enabled then UpdateViewType is required",
        ),
        (
            {"StreamEnabled": False, "StreamViewType": "NEW_IMAGE"},
            INVALID + "If stream is being disabled, then UpdateViewType must not be specified",
        ),
    ],
)
def test_specifications_that_are_none(
    invalid: Callable[..., str], plain: str, specification: dict[str, Any], text: str
) -> None:
    """A specification says on with a view type, or off alone; that is judged before the table."""
    for table in (plain, "no-such-table"):
        request = {"TableName": table, "StreamSpecification": specification}
        assert invalid(UPDATE, request) == text


@pytest.mark.parametrize(
    ("more", "text"),
    [
        (
            {"ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}},
            INVALID + "You cannot modify stream status while updating table IOPS",
        ),
        (
            {"BillingMode": "PROVISIONED"},
            INVALID + "You cannot modify stream status while updating table IOPS",
        ),
        (
            {"GlobalSecondaryIndexUpdates": [{}]},
            INVALID + "You cannot create or delete index while changing stream status",
        ),
        (
            {"DeletionProtectionEnabled": True},
            (
                "Only one of these can be changed in one UpdateTable: StreamSpecification,"
                " DeletionProtectionEnabled"
            ),
        ),
    ],
)
def test_a_stream_changes_alone(
    invalid: Callable[..., str], ddb: Any, plain: str, more: dict[str, Any], text: str
) -> None:
    """A call has one concern."""
    request = {"TableName": plain, "StreamSpecification": ON, **more}
    assert invalid(UPDATE, request) == text
    assert "StreamSpecification" not in described(ddb, plain)


@pytest.mark.parametrize(
    ("name", "given", "what"),
    [
        ("VectorIndexUpdates", [{}], "a vector index (VectorIndexUpdates)"),
        ("DisassociationProtectionEnabled", True, "DisassociationProtectionEnabled"),
        ("SSESpecification", {}, "changing the encryption (SSESpecification)"),
        ("ReplicaUpdates", [{}], "a global table (ReplicaUpdates)"),
        ("MultiRegionConsistency", "STRONG", "a global table (MultiRegionConsistency)"),
    ],
)
def test_parameters_of_later_releases_are_refused_by_name(
    invalid: Callable[..., str], plain: str, name: str, given: Any, what: str
) -> None:
    """What is not there yet is refused, never ignored, alone and with what is there."""
    text = f"{what} is not supported by this release of Penstock"
    for more in ({}, {"DeletionProtectionEnabled": False}):
        assert invalid(UPDATE, {"TableName": plain, name: given, **more}) == text


def test_an_unknown_table(refusal: Callable[..., tuple[str, str]]) -> None:
    """The control plane names the table that it does not find."""
    assert refusal(UPDATE, {"TableName": "no-such-table", "StreamSpecification": ON}) == (
        "ResourceNotFoundException",
        "Requested resource not found: Table: no-such-table not found",
    )


# --- behaviour


@pytest.mark.parametrize("view_type", ["OLD_IMAGE", "KEYS_ONLY", "NEW_AND_OLD_IMAGES", "NEW_IMAGE"])
def test_a_stream_on(
    ddb: Any,
    new_table: Callable[..., str],
    read_stream: Callable[[str], list[dict[str, Any]]],
    view_type: str,
) -> None:
    """The answer says UPDATING and names the new stream; only later changes are in it."""
    table = new_table()
    ddb.put_item(TableName=table, Item={"pk": {"S": "before"}})
    asked = {"StreamEnabled": True, "StreamViewType": view_type}
    answer = set_stream(ddb, table, asked)
    assert answer["TableStatus"] == "UPDATING"
    assert answer["StreamSpecification"] == asked
    label = answer["LatestStreamLabel"]
    assert answer["LatestStreamArn"] == f"{answer['TableArn']}/stream/{label}"
    shown = described(ddb, table)
    assert shown["TableStatus"] == "ACTIVE"
    for member in ("StreamSpecification", "LatestStreamArn", "LatestStreamLabel"):
        assert shown[member] == answer[member]
    ddb.put_item(TableName=table, Item={"pk": {"S": "after"}})
    ddb.delete_item(TableName=table, Key={"pk": {"S": "before"}})
    records = [(r["eventName"], r["dynamodb"]["StreamViewType"]) for r in read_stream(table)]
    assert sorted(records) == [("INSERT", view_type), ("REMOVE", view_type)]


def test_a_stream_off(ddb: Any, streams: Any, new_table: Callable[..., str]) -> None:
    """Without its specification the table still names its latest stream, which takes no more."""
    table = new_table(view_type="KEYS_ONLY")
    ddb.put_item(TableName=table, Item={"pk": {"S": "before"}})
    arn = described(ddb, table)["LatestStreamArn"]
    set_stream(ddb, table, OFF)
    shown = described(ddb, table)
    assert "StreamSpecification" not in shown
    assert (shown["LatestStreamArn"], arn.endswith(shown["LatestStreamLabel"])) == (arn, True)
    ddb.put_item(TableName=table, Item={"pk": {"S": "after"}})
    stream = streams.describe_stream(StreamArn=arn)["StreamDescription"]
    assert stream["StreamStatus"] == "DISABLED"
    found = []
    for shard in stream["Shards"]:
        assert "EndingSequenceNumber" in shard["SequenceNumberRange"]
        iterator = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        found += streams.get_records(ShardIterator=iterator)["Records"]
    assert [record["dynamodb"]["Keys"] for record in found] == [{"pk": {"S": "before"}}]


def test_a_stream_again_is_another_stream(
    ddb: Any, streams: Any, new_table: Callable[..., str]
) -> None:
    """Each switching on makes a stream of its own; the table names the latest, the list all."""
    table = new_table()
    arns = []
    for view_type in ("NEW_IMAGE", "KEYS_ONLY", "NEW_IMAGE"):
        on = {"StreamEnabled": True, "StreamViewType": view_type}
        arns.append(set_stream(ddb, table, on)["LatestStreamArn"])
        assert described(ddb, table)["LatestStreamArn"] == arns[-1]
        set_stream(ddb, table, OFF)
    assert len(set(arns)) == 3
    listed = streams.list_streams(TableName=table)["Streams"]
    assert sorted(stream["StreamArn"] for stream in listed) == sorted(arns)


def test_a_stream_that_is_on_or_off_already(
    refused: Callable[..., str], ddb: Any, new_table: Callable[..., str]
) -> None:
    """What is on cannot be switched on, not even to another view type, nor what is off, off."""
    table = new_table()
    assert refused("ValidationException", set_stream, ddb=ddb, table=table, specification=OFF) == (
        f"Table has no stream to disable: TableName: {table}"
    )
    set_stream(ddb, table, ON)
    arn = described(ddb, table)["LatestStreamArn"]
    for view_type in ("NEW_IMAGE", "KEYS_ONLY"):
        on = {"StreamEnabled": True, "StreamViewType": view_type}
        assert refused(
            "ValidationException", set_stream, ddb=ddb, table=table, specification=on
        ) == (f"Table already has an enabled stream: TableName: {table}")
    assert described(ddb, table)["LatestStreamArn"] == arn
    set_stream(ddb, table, OFF)
    assert refused("ValidationException", set_stream, ddb=ddb, table=table, specification=OFF) == (
        f"Table has no stream to disable: TableName: {table}"
    )


def test_a_stream_with_the_billing_mode_that_is(ddb: Any, new_table: Callable[..., str]) -> None:
    """Stream and PAY_PER_REQUEST in one call are allowed, where that is the mode already."""
    table = new_table()
    answer = ddb.update_table(
        TableName=table, StreamSpecification=ON, BillingMode="PAY_PER_REQUEST"
    )
    assert answer["TableDescription"]["StreamSpecification"] == ON


def test_a_stream_with_another_billing_mode(ddb: Any, new_table: Callable[..., str]) -> None:
    """Stream and PAY_PER_REQUEST in one call also make a provisioned table on-demand."""
    units = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
    table = new_table(BillingMode="PROVISIONED", ProvisionedThroughput=units)
    ddb.update_table(TableName=table, StreamSpecification=ON, BillingMode="PAY_PER_REQUEST")
    shown = described(ddb, table)
    assert shown["StreamSpecification"] == ON
    assert shown["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"


def test_protection_against_deletion(
    refused: Callable[..., str], ddb: Any, new_table: Callable[..., str]
) -> None:
    """It is switched at once and changes nothing else; what it is already may be asked for."""
    table = new_table(view_type="NEW_IMAGE", DeletionProtectionEnabled=True)
    before = described(ddb, table)
    for protected in (True, False, False):
        answer = ddb.update_table(TableName=table, DeletionProtectionEnabled=protected)
        expected = before | {"DeletionProtectionEnabled": protected}
        assert answer["TableDescription"] == expected
        assert described(ddb, table) == expected
    again = {"TableName": table, "DeletionProtectionEnabled": True}
    assert refused("ThrottlingException", ddb.update_table, **again).startswith(
        f"Deletion protection setting for table {table} modified within the previous 15000"
        " milliseconds. Please try again after "
    )


def test_by_arn(ddb: Any, new_table: Callable[..., str]) -> None:
    """An ARN stands for the name."""
    table = new_table()
    arn = described(ddb, table)["TableArn"]
    assert set_stream(ddb, arn, ON)["TableName"] == table
