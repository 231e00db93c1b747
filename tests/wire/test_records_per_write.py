"""Every way to write an item, in every situation, and the one record or none that it yields.

For each view type all cases are written to one table, each to an item of its own; then the stream
is read once, and each case is held against what its item was before and after.
"""

import itertools
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError

import records_page
from penstock.testing.clock import FakeClock
from penstock.testing.server import RunningServer
from wire.clients import Record, connect, number_of, records_by_shard, stream_of
from wire.record_cases import (
    CASES,
    CLOCK_S,
    EXPIRY,
    TWO,
    VIEW_TYPES,
    A,
    Case,
    Item,
    ViewType,
    batch_delete,
    batch_put,
    images_of,
)

# --- what a record has to be, computed apart from the server


def number_bytes(text: str) -> int:
    """Return the size of a number without superfluous zeros: pairs of digits around the point."""
    whole, _, fraction = text.lstrip("-").partition(".")
    return 1 + -(-len(whole) // 2) + -(-len(fraction) // 2) + text.startswith("-")


def value_bytes(value: Item) -> int:
    """Return the size of an attribute value by the rules of the developer guide."""
    ((kind, content),) = value.items()
    if kind == "M":
        return 3 + len(content) + item_bytes(content)
    if kind == "L":
        return 3 + len(content) + sum(map(value_bytes, content))
    if kind in {"SS", "NS", "BS"}:
        return sum(value_bytes({kind[0]: member}) for member in content)
    if kind in {"BOOL", "NULL"}:
        return 1
    return {"S": lambda: len(content.encode()), "B": lambda: len(content)}.get(
        kind, lambda: number_bytes(content)
    )()


def item_bytes(item: Item) -> int:
    """Return the size of an item: the UTF-8 of its names, and its values."""
    return sum(len(name.encode()) + value_bytes(value) for name, value in item.items())


def images(case: Case, view_type: ViewType) -> dict[str, Item]:
    """Return the images that the view type shows of a case's change."""
    assert case.event is not None
    items = {"NewImage": case.after, "OldImage": case.before}
    return {
        name: {**case.key(), **(items[name] or {})} for name in images_of(case.event, view_type)
    }


# --- the cases and their page


@pytest.mark.parametrize("case", [*CASES, *EXPIRY], ids=lambda case: case.name)
def test_a_case_is_of_its_situation(case: Case) -> None:
    """What the page calls a situation is what the case was before and after."""
    was, now = case.before is not None, case.after is not None
    found = {(False, True): "new", (False, False): "absent", (True, False): "changed"}.get(
        (was, now), "changed" if case.before != case.after else "unchanged"
    )
    if found == "unchanged" and case.error is not None:
        found = "refused"
    assert case.situation == found
    assert case.error is None or case.event is None


def test_names_tell_cases_apart() -> None:
    """Each case has an item of its own."""
    names = [case.name for case in [*CASES, *EXPIRY]]
    assert len(set(names)) == len(names)


def test_a_cell_of_the_page_tells_all_that_its_cases_yield() -> None:
    """Each record once, and each error beside the none that it means."""
    assert records_page.cell([]) == "–"
    put, refused = CASES[0], next(case for case in CASES if case.error is not None)
    assert records_page.cell([put, put]) == "INSERT"
    assert records_page.cell([refused, put]) == f"INSERT; none, `{refused.error}`"
    assert records_page.cell(EXPIRY) == "REMOVE by the service; none"
    assert f"| {put.path} | INSERT | – |" in records_page.page([put])


def test_a_stale_page_fails_the_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`make docs` writes the page, and `make check` refuses any other."""
    monkeypatch.setattr(records_page, "PAGE", tmp_path / "records.md")
    assert records_page.main(["--check"]) == 1
    assert "run `make docs`" in capsys.readouterr().out
    assert records_page.main([]) == 0
    assert records_page.main(["--check"]) == 0
    with records_page.PAGE.open("a") as page:
        page.write("more")
    assert records_page.main(["--check"]) == 1


# --- the writes, once for each view type


class Written(NamedTuple):
    """What was written under one view type, and the records that the stream then held."""

    view_type: ViewType
    region: str
    began: float
    ended: float
    errors: dict[str, str | None]
    by_shard: dict[str, list[Record]]

    @property
    def records(self) -> list[Record]:
        """All records, shard by shard."""
        return list(itertools.chain.from_iterable(self.by_shard.values()))

    def of(self, name: str) -> list[Record]:
        """The records of one item, in their order."""
        return [r for r in self.records if r["dynamodb"]["Keys"]["pk"]["S"] == name]


def _write(ddb: Any, table: str, case: Case) -> str | None:
    """Carry out a case; return the error that it met."""
    for write, _ in case.preparation:
        write(ddb, table, case.key())
    try:
        return case.write(ddb, table, case.key("7.0"))
    except ClientError as refused:
        code: str = refused.response["Error"]["Code"]
        return code


def _new_table(ddb: Any, view_type: ViewType) -> str:
    table = f"records-{view_type}-{time.time_ns()}"
    ddb.create_table(
        TableName=table,
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "N"},
        ],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": view_type},
    )
    ddb.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1})
    return table


@pytest.fixture(scope="module", params=VIEW_TYPES)
def written(request: pytest.FixtureRequest, ddb: Any, streams: Any) -> Iterator[Written]:
    """All cases, written to a table with a stream of one view type, and the stream's records."""
    view_type = request.param
    table = _new_table(ddb, view_type)
    began = time.time()
    errors = {case.name: _write(ddb, table, case) for case in CASES}
    by_shard = records_by_shard(streams, stream_of(ddb, table))
    yield Written(view_type, ddb.meta.region_name, began, time.time(), errors, by_shard)
    ddb.delete_table(TableName=table)


@pytest.fixture(scope="module", params=VIEW_TYPES)
def expired(request: pytest.FixtureRequest) -> Iterator[Written]:
    """All cases of expiry, on a server whose time stands still, after its jobs have run."""
    clock = FakeClock(CLOCK_S * 1000)
    with RunningServer(clock=clock) as server:
        ddb, streams = (connect(server.url, name) for name in ("dynamodb", "dynamodbstreams"))
        table = _new_table(ddb, request.param)
        errors = {case.name: _write(ddb, table, case) for case in EXPIRY}
        ddb.update_time_to_live(
            TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "t"}
        )
        for _ in range(2):  # the items there are must be known before they expire
            server.catch_up()
        by_shard = records_by_shard(streams, stream_of(ddb, table))
    yield Written(request.param, ddb.meta.region_name, CLOCK_S, CLOCK_S, errors, by_shard)


# --- the tests


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_record_of_a_write(written: Written, case: Case) -> None:
    """A change yields exactly one record, right in every member; what changes nothing, none."""
    check_records(written, case)


@pytest.mark.parametrize("case", EXPIRY, ids=lambda case: case.name)
def test_the_record_of_an_expiry(expired: Written, case: Case) -> None:
    """An item whose time has passed yields one record, which says who removed it."""
    check_records(expired, case)


def check_records(written: Written, case: Case) -> None:
    """Assert that a case met its error, and left the records of its preparation and its own."""
    assert written.errors[case.name] == case.error
    records = written.of(case.name)
    earlier = len(case.earlier_events)
    assert [record["eventName"] for record in records[:earlier]] == case.earlier_events
    if case.event is None:
        assert records[earlier:] == []
        return
    (record,) = map(dict, records[earlier:])
    shown = images(case, written.view_type)
    change = dict(record.pop("dynamodb"))
    sequence_number = change.pop("SequenceNumber")
    created = change.pop("ApproximateCreationDateTime")
    service = {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}
    assert record == {
        "eventID": record["eventID"],
        "eventName": case.event,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": written.region,
        **({"userIdentity": service} if case.by_service else {}),
    }
    assert change == {
        "Keys": case.key(),
        **shown,
        "SizeBytes": item_bytes(case.key()) + sum(map(item_bytes, shown.values())),
        "StreamViewType": written.view_type,
    }
    assert re.fullmatch("[0-9]{21,40}", sequence_number)
    assert created.microsecond == 0
    assert int(written.began) <= created.timestamp() <= written.ended


def test_there_is_no_other_record(written: Written) -> None:
    """The stream holds the records of the cases and nothing else."""
    expected = sum(len(case.earlier_events) + (case.event is not None) for case in CASES)
    assert len(written.records) == expected


def test_identifiers(written: Written) -> None:
    """Event ids are 32 hexadecimal digits that no other record has; sequence numbers grow."""
    ids = [record["eventID"] for record in written.records]
    assert all(re.fullmatch("[0-9a-f]{32}", each) for each in ids)
    assert len(set(ids)) == len(ids)
    assert len(written.by_shard) > 1
    for records in written.by_shard.values():
        numbers = [number_of(record) for record in records]
        assert numbers == sorted(set(numbers))


def test_an_item_stays_on_its_shard(written: Written) -> None:
    """All records of an item are in one shard, so that its order can be kept."""
    shards_of_item: dict[str, set[str]] = {}
    for shard, records in written.by_shard.items():
        for record in records:
            name = record["dynamodb"]["Keys"]["pk"]["S"]
            shards_of_item.setdefault(name, set()).add(shard)
    assert all(len(shards) == 1 for shards in shards_of_item.values())


def test_times_are_whole_numbers_on_the_wire(
    raw: Callable[..., Any], ddb: Any, streams: Any, new_table: Callable[..., str]
) -> None:
    """ApproximateCreationDateTime is a JSON number without a fraction."""
    table = new_table(view_type="KEYS_ONLY")
    ddb.put_item(TableName=table, Item={"pk": {"S": "a"}})
    arn = stream_of(ddb, table)
    bodies = []
    for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
        iterator = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        answer = raw("DynamoDBStreams_20120810.GetRecords", {"ShardIterator": iterator})
        bodies.append(answer.body.decode())
    times = re.findall(r'"ApproximateCreationDateTime":([^,}]*)', "".join(bodies))
    assert len(times) == 1
    assert re.fullmatch("[0-9]{10}", times[0])


def test_each_element_of_a_batch_is_judged_alone(
    ddb: Any, new_table: Callable[..., str], read_stream: Callable[[str], list[Record]]
) -> None:
    """In one batch a new, a changed, an unchanged, a deleted and an absent item."""
    table = new_table(view_type="NEW_AND_OLD_IMAGES")
    keys = {name: {"pk": {"S": name}} for name in ("new", "changed", "same", "gone", "absent")}
    for name in ("changed", "same", "gone"):
        ddb.put_item(TableName=table, Item={**keys[name], **A})
    before = len(read_stream(table))
    elements = [
        batch_put(A)(keys["new"]),
        batch_put({"a": TWO})(keys["changed"]),
        batch_put({"a": {"N": "1.00"}})(keys["same"]),
        batch_delete(keys["gone"]),
        batch_delete(keys["absent"]),
    ]
    for _ in range(2):  # the second time nothing changes
        ddb.batch_write_item(RequestItems={table: elements})
    records = read_stream(table)
    assert len(records) == before + 3
    later = [
        r for r in records if r["eventName"] != "INSERT" or r["dynamodb"]["Keys"] == keys["new"]
    ]
    events = {r["dynamodb"]["Keys"]["pk"]["S"]: r["eventName"] for r in later}
    assert events == {"new": "INSERT", "changed": "MODIFY", "gone": "REMOVE"}


def test_each_action_of_a_transaction_has_its_record(
    ddb: Any, new_table: Callable[..., str], read_stream: Callable[[str], list[Record]]
) -> None:
    """A hundred items of all shards, once; sent again with its token, it records nothing."""
    table = new_table(view_type="NEW_IMAGE")
    names = [f"item {n}" for n in range(100)]
    items = [{"pk": {"S": name}, **A} for name in names]
    actions = [{"Put": {"TableName": table, "Item": item}} for item in items]
    for _ in range(2):
        ddb.transact_write_items(TransactItems=actions, ClientRequestToken=table)
    records = read_stream(table)
    assert sorted(r["dynamodb"]["Keys"]["pk"]["S"] for r in records) == sorted(names)
    assert {r["eventName"] for r in records} == {"INSERT"}


def test_the_life_of_one_item(
    ddb: Any, new_table: Callable[..., str], read_stream: Callable[[str], list[Record]]
) -> None:
    """Each record's old image is the new image of the one before, from nothing to nothing."""
    table = new_table(view_type="NEW_AND_OLD_IMAGES")
    key = {"pk": {"S": "item"}}
    for n in range(30):
        if n % 10 == 9:
            ddb.delete_item(TableName=table, Key=key)
        elif n % 3:
            values = {":n": {"N": str(n)}}
            ddb.update_item(
                TableName=table,
                Key=key,
                UpdateExpression="SET a = :n ADD amount :n",
                ExpressionAttributeValues=values,
            )
        else:
            ddb.put_item(TableName=table, Item={**key, "a": {"N": str(n)}})
    records = read_stream(table)
    assert len(records) == 30
    state = None
    for record in records:
        change = record["dynamodb"]
        assert change.get("OldImage") == state
        state = change.get("NewImage")
    assert state is None
