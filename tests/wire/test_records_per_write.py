"""Every way to write an item, in every situation, and the one record or none that it yields.

For each view type all cases are written to one table, each to an item of its own; then the stream
is read once, and each case is held against what its item was before and after.
"""

import itertools
import re
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError

from wire.clients import Record, number_of, records_by_shard, stream_of

Item = dict[str, Any]
Write = Callable[[Any, str, Item], object]

VIEW_TYPES = ["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"]
NO_ITEM: Item | None = None
A: Item = {"a": {"N": "1"}}
FULL: Item = {
    "n": {"N": "12.5"},
    "ns": {"NS": ["-3", "1", "2"]},
    "ss": {"SS": ["a", "b"]},
    "bs": {"BS": [b"\x00", b"\xff"]},
    "m": {"M": {"x": {"N": "1"}, "y": {"L": [{"S": "é"}, {"BOOL": False}]}}},
    "b": {"B": b"\x00\x01\x02"},
    "nothing": {"NULL": True},
    "s": {"S": "\U0001f600"},
}
FULL_SPELT_OTHERWISE: Item = {
    "s": {"S": "\U0001f600"},
    "nothing": {"NULL": True},
    "b": {"B": b"\x00\x01\x02"},
    "m": {"M": {"y": {"L": [{"S": "é"}, {"BOOL": False}]}, "x": {"N": "1.0"}}},
    "bs": {"BS": [b"\xff", b"\x00"]},
    "ss": {"SS": ["b", "a"]},
    "ns": {"NS": ["2.0", "1e0", "-3"]},
    "n": {"N": "1.250e1"},
}


class Case(NamedTuple):
    """One write: what the item's other attributes were and are, and if the write is refused."""

    name: str
    before: Item | None
    write: Write
    after: Item | None
    refused: bool = False

    @property
    def event(self) -> str | None:
        """The name of the event that has to be recorded, if any has."""
        if self.before == self.after:
            return None
        if self.before is None:
            return "INSERT"
        return "REMOVE" if self.after is None else "MODIFY"

    def key(self, sort: str = "7") -> Item:
        """The key of the case's item, its number spelt as asked."""
        return {"pk": {"S": self.name}, "sk": {"N": sort}}


def put(item: Item, **more: Any) -> Write:
    return lambda ddb, table, key: ddb.put_item(TableName=table, Item={**key, **item}, **more)


def delete(**more: Any) -> Write:
    return lambda ddb, table, key: ddb.delete_item(TableName=table, Key=key, **more)


def update(expression: str | None = None, *, condition: str | None = None, **values: Any) -> Write:
    request: Item = {} if expression is None else {"UpdateExpression": expression}
    if condition:
        request["ConditionExpression"] = condition
    if values:
        request["ExpressionAttributeValues"] = {f":{name}": v for name, v in values.items()}
    return lambda ddb, table, key: ddb.update_item(TableName=table, Key=key, **request)


def batch(*elements: Callable[[Item], Item]) -> Write:
    return lambda ddb, table, key: ddb.batch_write_item(
        RequestItems={table: [element(key) for element in elements]}
    )


def batch_put(item: Item) -> Callable[[Item], Item]:
    return lambda key: {"PutRequest": {"Item": {**key, **item}}}


def batch_delete(key: Item) -> Item:
    return {"DeleteRequest": {"Key": key}}


def transact(*actions: Callable[[str, Item], Item]) -> Write:
    return lambda ddb, table, key: ddb.transact_write_items(
        TransactItems=[action(table, key) for action in actions]
    )


def in_transaction(kind: str, **members: Any) -> Callable[[str, Item], Item]:
    """Return an action on the case's item; a Put has its attributes in `Item`."""

    def action(table: str, key: Item) -> Item:
        of_item = {"Item": {**key, **members["Item"]}} if "Item" in members else {"Key": key}
        return {kind: {"TableName": table, **members, **of_item}}

    return action


def failing_elsewhere(table: str, _key: Item) -> Item:
    """Return the check of an item that is not there."""
    nowhere = {"pk": {"S": "of no case"}, "sk": {"N": "0"}}
    check = {"TableName": table, "Key": nowhere, "ConditionExpression": PRESENT}
    return {"ConditionCheck": check}


ONE, TWO = {"N": "1"}, {"N": "2"}
ABSENT, PRESENT = "attribute_not_exists(pk)", "attribute_exists(pk)"
CASES = [
    Case("put, new", NO_ITEM, put(FULL), FULL),
    Case("put, new, keys only", NO_ITEM, put({}), {}),
    Case("put, changed", FULL, put(A), A),
    Case("put, changed by one value", FULL, put({**FULL, "n": ONE}), {**FULL, "n": ONE}),
    Case("put, unchanged", FULL, put(FULL), FULL),
    Case("put, unchanged, keys only", {}, put({}), {}),
    Case("put, unchanged by value", FULL, put(FULL_SPELT_OTHERWISE), FULL),
    Case("put, refused, absent", NO_ITEM, put(A, ConditionExpression=PRESENT), NO_ITEM, True),
    Case("put, refused", A, put(FULL, ConditionExpression=ABSENT), A, True),
    Case("put, invalid", A, put({"a": {"SS": []}}), A, True),
    Case("put, too large", A, put({"a": {"S": "x" * 409_600}}), A, True),
    Case("update, new by SET", NO_ITEM, update("SET a = :a", a=ONE), A),
    Case("update, new by ADD", NO_ITEM, update("ADD a :a", a={"N": "1.0"}), A),
    Case("update, new, keys only", NO_ITEM, update(), {}),
    Case("update, new by condition", NO_ITEM, update(condition=ABSENT), {}),
    Case("update, changed by SET", A, update("SET a = :a", a=TWO), {"a": TWO}),
    Case("update, changed by ADD", A, update("ADD a :a", a=ONE), {"a": TWO}),
    Case("update, changed by REMOVE", A, update("REMOVE a"), {}),
    Case(
        "update, changed by DELETE",
        {"ss": {"SS": ["a", "b"]}},
        update("DELETE ss :s", s={"SS": ["a"]}),
        {"ss": {"SS": ["b"]}},
    ),
    Case(
        "update, changed below",
        {"m": {"M": {"x": ONE, "y": {"L": [ONE, TWO]}}}},
        update("SET m.x = :a REMOVE m.y[0]", a=TWO),
        {"m": {"M": {"x": TWO, "y": {"L": [TWO]}}}},
    ),
    Case("update, unchanged by SET", A, update("SET a = :a", a={"N": "1.0"}), A),
    Case("update, unchanged by itself", FULL, update("SET m = m, ss = ss"), FULL),
    Case("update, unchanged by ADD of 0", A, update("ADD a :a", a={"N": "0"}), A),
    Case(
        "update, unchanged by ADD of members",
        FULL,
        update("ADD ss :s, ns :n", s={"SS": ["b"]}, n={"NS": ["2.0"]}),
        FULL,
    ),
    Case("update, unchanged by REMOVE", A, update("REMOVE nowhere"), A),
    Case("update, unchanged by DELETE", FULL, update("DELETE ss :s", s={"SS": ["z"]}), FULL),
    Case("update, unchanged, no expression", A, update(), A),
    Case("update, absent, REMOVE", NO_ITEM, update("REMOVE a"), NO_ITEM),
    Case("update, absent, DELETE", NO_ITEM, update("DELETE a :s", s={"SS": ["a"]}), NO_ITEM),
    Case("update, refused", A, update("SET a = :a", condition=ABSENT, a=TWO), A, True),
    Case("update, refused, absent", NO_ITEM, update(condition=PRESENT), NO_ITEM, True),
    Case("update, impossible", A, update("SET a = a + :a, b.c = :a", a=ONE), A, True),
    Case("update, of the key", A, update("SET sk = :a", a=ONE), A, True),
    Case("delete", FULL, delete(), NO_ITEM),
    Case("delete, keys only", {}, delete(), NO_ITEM),
    Case("delete, by condition", A, delete(ConditionExpression=PRESENT), NO_ITEM),
    Case("delete, absent", NO_ITEM, delete(), NO_ITEM),
    Case("delete, refused", A, delete(ConditionExpression=ABSENT), A, True),
    Case("batch put, new", NO_ITEM, batch(batch_put(FULL)), FULL),
    Case("batch put, changed", A, batch(batch_put(FULL)), FULL),
    Case("batch put, unchanged", FULL, batch(batch_put(FULL_SPELT_OTHERWISE)), FULL),
    Case("batch put, invalid", A, batch(batch_put({"a": {"N": "x"}})), A, True),
    Case("batch, the same key twice", A, batch(batch_put(FULL), batch_delete), A, True),
    Case("batch delete", FULL, batch(batch_delete), NO_ITEM),
    Case("batch delete, absent", NO_ITEM, batch(batch_delete), NO_ITEM),
    Case("transaction, new", NO_ITEM, transact(in_transaction("Put", Item=FULL)), FULL),
    Case("transaction, changed", A, transact(in_transaction("Put", Item=FULL)), FULL),
    Case(
        "transaction, unchanged by value",
        FULL,
        transact(in_transaction("Put", Item=FULL_SPELT_OTHERWISE)),
        FULL,
    ),
    Case(
        "transaction, updated",
        A,
        transact(
            in_transaction(
                "Update", UpdateExpression="ADD a :a", ExpressionAttributeValues={":a": ONE}
            )
        ),
        {"a": TWO},
    ),
    Case("transaction, deleted", FULL, transact(in_transaction("Delete")), NO_ITEM),
    Case("transaction, deleted, absent", NO_ITEM, transact(in_transaction("Delete")), NO_ITEM),
    Case(
        "transaction, checked",
        A,
        transact(in_transaction("ConditionCheck", ConditionExpression=PRESENT)),
        A,
    ),
    Case(
        "transaction, cancelled by its own condition",
        A,
        transact(in_transaction("Put", Item=FULL, ConditionExpression=ABSENT)),
        A,
        True,
    ),
    Case(
        "transaction, cancelled by another item",
        A,
        transact(in_transaction("Put", Item=FULL), failing_elsewhere),
        A,
        True,
    ),
]
Recorded = dict[str, list[Record]]


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


def images(case: Case, view_type: str) -> dict[str, Item]:
    """Return the images that the view type shows of a case's change."""
    shown = {}
    if case.after is not None and view_type in {"NEW_IMAGE", "NEW_AND_OLD_IMAGES"}:
        shown["NewImage"] = {**case.key(), **case.after}
    if case.before is not None and view_type in {"OLD_IMAGE", "NEW_AND_OLD_IMAGES"}:
        shown["OldImage"] = {**case.key(), **case.before}
    return shown


# --- the writes, once for each view type


class Written(NamedTuple):
    """What was written under one view type, and the records that the stream then held."""

    view_type: str
    region: str
    began: float
    ended: float
    by_shard: dict[str, list[Record]]

    @property
    def records(self) -> list[Record]:
        """All records, shard by shard."""
        return list(itertools.chain.from_iterable(self.by_shard.values()))

    def of(self, name: str) -> list[Record]:
        """The records of one item, in their order."""
        return [r for r in self.records if r["dynamodb"]["Keys"]["pk"]["S"] == name]


def _write(ddb: Any, table: str, case: Case) -> None:
    if case.before is not None:
        ddb.put_item(TableName=table, Item={**case.key(), **case.before})
    try:
        case.write(ddb, table, case.key("7.0"))
    except ClientError:
        assert case.refused, case.name
    else:
        assert not case.refused, case.name


@pytest.fixture(scope="module", params=VIEW_TYPES)
def written(request: pytest.FixtureRequest, ddb: Any, streams: Any) -> Iterator[Written]:
    """All cases, written to a table with a stream of one view type, and the stream's records."""
    view_type = request.param
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
    began = time.time()
    for case in CASES:
        _write(ddb, table, case)
    by_shard = records_by_shard(streams, stream_of(ddb, table))
    yield Written(view_type, ddb.meta.region_name, began, time.time(), by_shard)
    ddb.delete_table(TableName=table)


# --- the tests


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_record_of_a_write(written: Written, case: Case) -> None:
    """A change yields exactly one record, right in every member; what changes nothing, none."""
    records = written.of(case.name)
    if case.before is not None:
        first = records.pop(0)
        assert first["eventName"] == "INSERT", "the item that was there before"
    if case.event is None:
        assert records == []
        return
    (record,) = map(dict, records)
    shown = images(case, written.view_type)
    change = dict(record.pop("dynamodb"))
    sequence_number = change.pop("SequenceNumber")
    created = change.pop("ApproximateCreationDateTime")
    assert record == {
        "eventID": record["eventID"],
        "eventName": case.event,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": written.region,
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
    expected = sum((case.before is not None) + (case.event is not None) for case in CASES)
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
    actions = [in_transaction("Put", Item=A)(table, {"pk": {"S": name}}) for name in names]
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
