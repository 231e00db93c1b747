"""UpdateTimeToLive: types of members, refusals with their texts, and the end of items."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from penstock.testing.clock import FakeClock
from penstock.testing.server import RunningServer
from wire import wrong_json
from wire.clients import Record, all_records, connect, stored, stream_of

UPDATE = "UpdateTimeToLive"
ON = {"Enabled": True, "AttributeName": "ends"}
OFF = {"Enabled": False, "AttributeName": "ends"}
SERVICE = {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}
CONSTRAINT = "1 validation error detected: Value {} at '{}' failed to satisfy constraint: Member"
DAY_S = 24 * 3600
YEARS_5_S = 5 * 365 * DAY_S
DEADLINE_SECONDS = 60.0
KEYS: dict[str, Any] = {
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}


class Timed:
    """A server whose time a test moves, with a table `abc`."""

    def __init__(self, server: RunningServer, clock: FakeClock) -> None:
        self.ddb = connect(server.url, "dynamodb")
        self.streams = connect(server.url, "dynamodbstreams")
        self._server, self._clock = server, clock

    @property
    def now_s(self) -> int:
        return self._clock.now_ms() // 1000

    def pass_seconds(self, seconds: int) -> None:
        """Let time pass, and what is due happen."""
        self._clock.advance(seconds * 1000)
        self._server.catch_up()

    def switch(self, specification: dict[str, Any]) -> None:
        self.ddb.update_time_to_live(TableName="abc", TimeToLiveSpecification=specification)
        self._server.catch_up()

    def put(self, name: str, ends: Any) -> None:
        value = ends if isinstance(ends, dict) else {"N": str(ends)}
        self.ddb.put_item(TableName="abc", Item={"pk": {"S": name}, "ends": value})

    def names(self) -> set[str]:
        return {item["pk"]["S"] for item in self.ddb.scan(TableName="abc")["Items"]}


@pytest.fixture
def timed() -> Any:
    """A server of this process at a time of its own."""
    clock = FakeClock()
    with RunningServer(clock=clock, ttl_change_seconds=1800) as server:
        world = Timed(server, clock)
        view = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        world.ddb.create_table(TableName="abc", StreamSpecification=view, **KEYS)
        yield world


def await_status(ddb: Any, table: str, status: str) -> None:
    """Poll until a table's time to live is in that state."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        shown = ddb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        if shown["TimeToLiveStatus"] == status:
            return
    raise AssertionError(f"still {shown}")


# --- serialisation


@pytest.mark.parametrize(
    ("member", "wrong"),
    [
        ("TableName", wrong_json.STRING),
        ("TimeToLiveSpecification", wrong_json.structure("TimeToLiveSpecification")),
    ],
)
def test_wrong_json_types_of_members(
    unreadable: Callable[..., str], plain: str, member: str, wrong: wrong_json.Wrong
) -> None:
    """A member of a wrong JSON type is a SerializationException, each with its text."""
    for value, text in wrong:
        assert unreadable(UPDATE, {"TableName": plain, member: value}) == text, value


@pytest.mark.parametrize(
    ("member", "wrong"),
    [("Enabled", wrong_json.BOOLEAN), ("AttributeName", wrong_json.STRING)],
)
def test_wrong_json_types_inside_the_specification(
    unreadable: Callable[..., str], plain: str, member: str, wrong: wrong_json.Wrong
) -> None:
    """So is what stands inside a TimeToLiveSpecification."""
    for value, text in wrong:
        request = {"TableName": plain, "TimeToLiveSpecification": {member: value}}
        assert unreadable(UPDATE, request) == text, value


# --- validation


def test_the_name_is_missed_first(invalid: Callable[..., str]) -> None:
    """Without a name nothing else is looked at."""
    bodies: list[dict[str, Any]] = [{}, {"TimeToLiveSpecification": {}}, {"TableName": None}]
    for body in bodies:
        assert invalid(UPDATE, body) == (
            "The parameter 'TableName' is required but was not present in the request"
        )


@pytest.mark.parametrize(
    ("specification", "value", "path", "rest"),
    [
        (None, "null", "", " must not be null"),
        ({"Enabled": True}, "null", ".attributeName", " must not be null"),
        ({"AttributeName": "ends"}, "null", ".enabled", " must not be null"),
        (
            {"Enabled": True, "AttributeName": ""},
            "''",
            ".attributeName",
            " must have length greater than or equal to 1",
        ),
        (
            {"Enabled": False, "AttributeName": "a" * 256},
            f"'{'a' * 256}'",
            ".attributeName",
            " must have length less than or equal to 255",
        ),
    ],
)
def test_specifications_that_are_none(
    invalid: Callable[..., str],
    plain: str,
    specification: dict[str, Any] | None,
    value: str,
    path: str,
    rest: str,
) -> None:
    """A specification has both members; that is judged before the table is looked for."""
    text = CONSTRAINT.format(value, f"timeToLiveSpecification{path}") + rest
    for table in (plain, "no-such-table"):
        request = {"TableName": table, "TimeToLiveSpecification": specification}
        assert invalid(UPDATE, request) == text


def test_names_that_are_none(invalid: Callable[..., str]) -> None:
    """A name is judged as by the rest of the control plane."""
    assert invalid(UPDATE, {"TableName": "ab", "TimeToLiveSpecification": ON}) == (
        "TableName must be at least 3 characters long and at most 255 characters long"
    )


@pytest.mark.parametrize(
    "name", ["no-such-table", "arn:aws:dynamodb:eu-west-9:000000000000:table/no-such-table"]
)
def test_an_unknown_table(refusal: Callable[..., tuple[str, str]], name: str) -> None:
    """The control plane names the table that it does not find, in whatever region it would be."""
    assert refusal(UPDATE, {"TableName": name, "TimeToLiveSpecification": ON}) == (
        "ResourceNotFoundException",
        "Requested resource not found: Table: no-such-table not found",
    )


def test_switching_to_what_it_is_already(
    invalid: Callable[..., str], ddb: Any, new_table: Callable[..., str]
) -> None:
    """Off when off, on when on, and either by another attribute are told each in its words.

    DynamoDB Local leaves the current name out; AWS, measured in 2026-10, tells it.
    """
    table = new_table()

    def text(specification: dict[str, Any]) -> str:
        return invalid(UPDATE, {"TableName": table, "TimeToLiveSpecification": specification})

    assert text(OFF) == "TimeToLive is already disabled"
    ddb.update_time_to_live(TableName=table, TimeToLiveSpecification=ON)
    assert text(ON) == "TimeToLive is already enabled"
    for enabled in (True, False):
        assert text({"Enabled": enabled, "AttributeName": "other"}) == (
            "TimeToLive is active on a different AttributeName: current AttributeName is ends"
        )


def test_a_second_change_within_the_interval(timed: Timed) -> None:
    """A change holds for its interval; what it is already comes before that."""
    timed.switch(ON)
    with pytest.raises(ClientError, match="TimeToLive is already enabled"):
        timed.switch(ON)
    timed.pass_seconds(1799)
    text = "Time to live has been modified multiple times within a fixed interval"
    with pytest.raises(ClientError, match=text):
        timed.switch(OFF)
    timed.pass_seconds(1)
    timed.switch(OFF)


def test_a_table_that_is_being_made() -> None:
    """It is in use until it is ACTIVE."""
    with RunningServer(clock=FakeClock(), table_delay_ms=1000) as server:
        ddb = connect(server.url, "dynamodb")
        ddb.create_table(TableName="abc", **KEYS)
        with pytest.raises(ClientError, match="Table is being created: abc") as caught:
            ddb.update_time_to_live(TableName="abc", TimeToLiveSpecification=ON)
    assert caught.value.response["Error"]["Code"] == "ResourceInUseException"


# --- behaviour


def test_the_answer_is_what_was_asked_for(ddb: Any, new_table: Callable[..., str]) -> None:
    """On and off, by name and by ARN."""
    table = new_table()
    arn = ddb.describe_table(TableName=table)["Table"]["TableArn"]
    for name, specification in ((table, ON), (arn, OFF)):
        answer = ddb.update_time_to_live(TableName=name, TimeToLiveSpecification=specification)
        assert answer["TimeToLiveSpecification"] == specification


def test_an_expired_item_goes_by_itself(
    request: pytest.FixtureRequest, ddb: Any, streams: Any, new_table: Callable[..., str]
) -> None:
    """Whether it was there before the time to live or came later; its record names the service."""
    if request.config.getoption("--url"):
        pytest.skip("only Penstock's own servers are told to look every second")
    table = new_table(view_type="NEW_AND_OLD_IMAGES")
    now_s = int(time.time())
    early = {"pk": {"S": "early"}, "ends": {"N": str(now_s - 10)}}
    late = {"pk": {"S": "late"}, "ends": {"N": str(now_s - DAY_S)}}
    lasting = {"pk": {"S": "lasting"}, "ends": {"N": str(now_s + DAY_S)}}
    for item in (early, lasting):
        ddb.put_item(TableName=table, Item=item)
    ddb.update_time_to_live(TableName=table, TimeToLiveSpecification=ON)
    await_status(ddb, table, "ENABLED")
    ddb.put_item(TableName=table, Item=late)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while ddb.scan(TableName=table)["Count"] > 1:
        assert time.monotonic() < deadline
    assert stored(ddb, table, {"pk": lasting["pk"]}) == lasting
    removed = [
        record
        for record in all_records(streams, stream_of(ddb, table))
        if record["eventName"] == "REMOVE"
    ]
    assert [record["userIdentity"] for record in removed] == [SERVICE, SERVICE]
    images = {record["dynamodb"]["OldImage"]["pk"]["S"]: record for record in removed}
    for item in (early, late):
        record = images[item["pk"]["S"]]["dynamodb"]
        assert (record["OldImage"], record["Keys"]) == (item, {"pk": item["pk"]})
        assert "NewImage" not in record


def test_only_the_service_names_itself(timed: Timed) -> None:
    """A client's delete of an expired item has no identity in its record."""
    timed.switch(ON)
    timed.put("mine", timed.now_s - 10)
    timed.ddb.delete_item(TableName="abc", Key={"pk": {"S": "mine"}})
    timed.pass_seconds(1)
    records: list[Record] = all_records(timed.streams, stream_of(timed.ddb, "abc"))
    assert [record["eventName"] for record in records] == ["INSERT", "REMOVE"]
    assert not any("userIdentity" in record for record in records)


@pytest.mark.parametrize(
    ("name", "offset", "goes"),
    [
        ("the same second", 0, False),
        ("a second ago", -1, True),
        ("a second to come", 1, False),
        ("nearly five years ago", 1 - YEARS_5_S, True),
        ("five years ago", -YEARS_5_S, False),
        ("in milliseconds, by mistake", 1_700_000_000_000, False),
    ],
)
def test_what_time_has_passed(timed: Timed, name: str, offset: int, goes: bool) -> None:
    """Expired is what lies before this second, but not by five years."""
    timed.switch(ON)
    timed.put(name, timed.now_s + offset)
    timed.pass_seconds(0)
    assert timed.names() == (set() if goes else {name})


def test_what_is_no_time(timed: Timed) -> None:
    """Only a number at the top level counts, and only one of the last five years."""
    passed = str(timed.now_s - 1)
    values: list[dict[str, Any]] = [
        {"S": passed},
        {"NS": [passed]},
        {"M": {"ends": {"N": passed}}},
        {"NULL": True},
        {"N": "0"},
        {"N": "0.5"},
        {"N": f"-{passed}"},
        {"N": "1E+125"},
    ]
    for number, value in enumerate(values):
        timed.put(f"before {number}", value)
    timed.switch(ON)
    for number, value in enumerate(values):
        timed.put(f"after {number}", value)
    timed.pass_seconds(DAY_S)
    assert len(timed.names()) == 2 * len(values)


def test_a_fraction_of_a_second_is_cut(timed: Timed) -> None:
    timed.switch(ON)
    timed.put("half", f"{timed.now_s}.5")
    timed.pass_seconds(0)
    assert timed.names() == {"half"}
    timed.pass_seconds(1)
    assert timed.names() == set()


def test_an_expired_item_can_be_read_and_refreshed_until_it_goes(timed: Timed) -> None:
    """One whose time is moved on, or taken away, stays."""
    timed.switch(ON)
    for name in ("refreshed", "freed", "left"):
        timed.put(name, timed.now_s - 100)
    assert timed.names() == {"refreshed", "freed", "left"}
    key = {"pk": {"S": "refreshed"}}
    timed.ddb.update_item(
        TableName="abc",
        Key=key,
        UpdateExpression="SET ends = ends + :more",
        ExpressionAttributeValues={":more": {"N": str(DAY_S)}},
    )
    timed.ddb.update_item(
        TableName="abc", Key={"pk": {"S": "freed"}}, UpdateExpression="REMOVE ends"
    )
    timed.pass_seconds(0)
    assert timed.names() == {"refreshed", "freed"}
    timed.pass_seconds(DAY_S)
    assert timed.names() == {"freed"}


def test_a_key_may_say_when_its_item_ends(timed: Timed) -> None:
    """The attribute may be part of the table's key, as DynamoDB Local has it too."""
    timed.ddb.create_table(
        TableName="keyed",
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "ends", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "ends", "AttributeType": "N"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    timed.ddb.update_time_to_live(TableName="keyed", TimeToLiveSpecification=ON)
    for ends in (timed.now_s - 1, timed.now_s + 10):
        item = {"pk": {"S": "one"}, "ends": {"N": str(ends)}}
        timed.ddb.put_item(TableName="keyed", Item=item)
    timed.pass_seconds(0)
    left = timed.ddb.scan(TableName="keyed")["Items"]
    assert [item["ends"]["N"] for item in left] == [str(timed.now_s + 10)]


def test_nothing_goes_once_it_is_off_and_all_that_is_due_once_it_is_on_again(timed: Timed) -> None:
    """By the attribute that it is on by then."""
    timed.switch(ON)
    timed.put("kept", timed.now_s + 10)
    timed.pass_seconds(1800)
    assert timed.names() == set()
    timed.put("kept", timed.now_s + 10)
    timed.switch(OFF)
    timed.pass_seconds(1800)
    assert timed.names() == {"kept"}
    timed.switch({"Enabled": True, "AttributeName": "other"})
    timed.pass_seconds(1800)
    assert timed.names() == {"kept"}
    timed.switch({"Enabled": False, "AttributeName": "other"})
    timed.pass_seconds(1800)
    timed.switch(ON)
    timed.pass_seconds(0)
    assert timed.names() == set()


def test_indexes_and_item_collections_end_with_their_items(timed: Timed) -> None:
    """Entries of both kinds of index go, and the collection has room again."""
    by_n = [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "n", "KeyType": "RANGE"},
    ]
    every = {"ProjectionType": "ALL"}
    local = {"IndexName": "local", "KeySchema": by_n, "Projection": every}
    everywhere = {"IndexName": "global", "KeySchema": [{**by_n[1], "KeyType": "HASH"}]}
    timed.ddb.create_table(
        TableName="indexed",
        KeySchema=[by_n[0], {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "N"},
            {"AttributeName": "n", "AttributeType": "N"},
        ],
        BillingMode="PAY_PER_REQUEST",
        LocalSecondaryIndexes=[local],
        GlobalSecondaryIndexes=[{**everywhere, "Projection": every}],
    )
    timed.ddb.update_time_to_live(TableName="indexed", TimeToLiveSpecification=ON)
    for number in range(60):
        ends = {"N": str(timed.now_s - 1 if number else timed.now_s + 10)}
        item = {"pk": {"S": "one"}, "sk": {"N": f"{number}"}, "n": {"N": "5"}, "ends": ends}
        timed.ddb.put_item(TableName="indexed", Item=item)
    timed.pass_seconds(1)
    shown = timed.ddb.describe_table(TableName="indexed")["Table"]
    size = shown["TableSizeBytes"]
    for index in (*shown["LocalSecondaryIndexes"], *shown["GlobalSecondaryIndexes"]):
        assert (index["ItemCount"], index["IndexSizeBytes"]) == (1, size)
        page = timed.ddb.scan(TableName="indexed", IndexName=index["IndexName"])
        assert [item["sk"]["N"] for item in page["Items"]] == ["0"]
    timed.pass_seconds(10)
    shown = timed.ddb.describe_table(TableName="indexed")["Table"]
    counts = [index["ItemCount"] for index in shown["GlobalSecondaryIndexes"]]
    assert (shown["ItemCount"], shown["TableSizeBytes"], counts) == (0, 0, [0])


def test_more_items_than_one_step_deletes(timed: Timed) -> None:
    """All of them go, the count of the table with them."""
    for number in range(120):
        timed.put(f"item {number}", timed.now_s + number % 4)
    timed.switch(ON)
    timed.pass_seconds(3)
    assert len(timed.names()) == 30
    assert timed.ddb.describe_table(TableName="abc")["Table"]["ItemCount"] == 30
    timed.pass_seconds(1)
    assert timed.names() == set()
