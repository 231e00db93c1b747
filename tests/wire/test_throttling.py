"""Throughput as a limit: what is refused, with which error, and when it is let through again.

The server is one of this process, whose clock the tests move; they do not run against another URL.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from penstock.testing.clock import FakeClock
from penstock.testing.server import RunningServer
from wire.clients import connect
from wire.dynamodb.tables_with_indexes import create, definitions, index, provisioned

EXCEEDED = "ProvisionedThroughputExceededException"
TABLE_TEXT = (
    "The level of configured provisioned throughput for the table was exceeded. Consider increasing"
    " your provisioning level with the UpdateTable API."
)
INDEX_TEXT = (
    "The level of configured provisioned throughput for one or more global secondary indexes of the"
    " table was exceeded. Consider increasing your provisioning level for the under-provisioned"
    " global secondary indexes with the UpdateTable API"
)
MAXIMUM_TEXT = "Throughput exceeds the maximum OnDemandThroughput configured on table or index"
PLAIN = definitions(pk="S", sk="S")

Refused = Callable[..., str]


@pytest.fixture(scope="module")
def clock() -> FakeClock:
    """The clock of the server."""
    return FakeClock()


@pytest.fixture(scope="module")
def limited(clock: FakeClock) -> Iterator[Any]:
    """A client of a server that limits throughput."""
    with RunningServer(clock=clock, throttling=True) as server:
        yield connect(server.url, "dynamodb")


def key(name: str) -> dict[str, Any]:
    """Return the key of an item."""
    return {"pk": {"S": name}, "sk": {"S": "s"}}


def item(name: str, kilobytes: int = 0, **more: Any) -> dict[str, Any]:
    """Return an item of a little more than so many KB."""
    return {**key(name), "z": {"S": "z" * 1024 * kilobytes}, **more}


def units(read: int, write: int) -> dict[str, int]:
    """Return a ProvisionedThroughput."""
    return {"ReadCapacityUnits": read, "WriteCapacityUnits": write}


@pytest.fixture
def make(limited: Any, table_name: str) -> Callable[..., str]:
    """Create a table with throughput and nothing else, or what is asked for."""
    made: list[str] = []

    def create_it(read: int = 1, write: int = 1, **more: Any) -> str:
        made.append(f"{table_name}.{len(made)}")
        request = {"AttributeDefinitions": PLAIN, "ProvisionedThroughput": units(read, write)}
        limited.create_table(**provisioned(made[-1], **{**request, **more}))
        return made[-1]

    return create_it


def test_a_table_begins_with_one_second_and_gains_one_every_second(
    limited: Any, clock: FakeClock, make: Callable[..., str], refused: Refused
) -> None:
    """A request is let through while anything is left, and takes what it really consumed."""
    table = make(write=2)
    put = {"TableName": table, "Item": item("a", 3)}
    limited.put_item(**put)  # 4 units of 2: two seconds too many
    clock.advance(1000)
    assert refused(EXCEEDED, limited.put_item, **put) == TABLE_TEXT
    clock.advance(1)
    limited.put_item(**put)
    assert refused(EXCEEDED, limited.delete_item, TableName=table, Key=key("b")) == TABLE_TEXT
    limited.get_item(TableName=table, Key=key("a"))


def test_what_is_not_used_is_kept_for_300_seconds(
    limited: Any, clock: FakeClock, make: Callable[..., str], refused: Refused
) -> None:
    """However long a table was left alone, it has the units of five minutes."""
    table = make()
    limited.put_item(TableName=table, Item=item("a"))
    clock.advance(24 * 3600 * 1000)
    limited.put_item(TableName=table, Item=item("a", 298))  # 299 units
    limited.put_item(TableName=table, Item=item("b"))
    assert refused(EXCEEDED, limited.put_item, TableName=table, Item=item("c")) == TABLE_TEXT


def reads(table: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return a request of every action that reads from one table."""
    by_key = {"TableName": table, "Key": key("a")}
    condition = {
        "KeyConditionExpression": "pk = :p",
        "ExpressionAttributeValues": {":p": {"S": "a"}},
    }
    statement = f"SELECT * FROM \"{table}\" WHERE pk = 'a' AND sk = 's'"
    return {
        "GetItem": ("get_item", by_key),
        "Query": ("query", {"TableName": table, **condition}),
        "Scan": ("scan", {"TableName": table}),
        "BatchGetItem": ("batch_get_item", {"RequestItems": {table: {"Keys": [key("a")]}}}),
        "ExecuteStatement": ("execute_statement", {"Statement": statement}),
    }


def writes(table: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return a request of every action that writes to one table."""
    by_key = {"TableName": table, "Key": key("a")}
    put = {"PutRequest": {"Item": item("a")}}
    return {
        "PutItem": ("put_item", {"TableName": table, "Item": item("a")}),
        "UpdateItem": ("update_item", by_key),
        "DeleteItem": ("delete_item", by_key),
        "BatchWriteItem": ("batch_write_item", {"RequestItems": {table: [put]}}),
        "ExecuteStatement": (
            "execute_statement",
            {"Statement": f"INSERT INTO \"{table}\" VALUE {{'pk': 'x', 'sk': 's'}}"},
        ),
    }


@pytest.mark.parametrize("action", list(reads("")))
def test_every_way_to_read(
    limited: Any, clock: FakeClock, make: Callable[..., str], refused: Refused, action: str
) -> None:
    """Each takes of the table's read units and is refused without any; writes have their own."""
    table = make(read=1)
    call, request = reads(table)[action]
    limited.put_item(TableName=table, Item=item("a", 40))
    for _ in range(2):
        getattr(limited, call)(**request)
        assert refused(EXCEEDED, getattr(limited, call), **request) == TABLE_TEXT
        clock.advance(5500)  # 41 KB are 11 units, eventually consistent half of them


@pytest.mark.parametrize("action", list(writes("")))
def test_every_way_to_write(
    limited: Any, clock: FakeClock, make: Callable[..., str], refused: Refused, action: str
) -> None:
    """Each takes of the table's write units and is refused without any; nothing is written then."""
    table = make(read=100)
    call, request = writes(table)[action]
    getattr(limited, call)(**request)
    before = limited.scan(TableName=table)["Items"]
    assert refused(EXCEEDED, getattr(limited, call), **request) == TABLE_TEXT
    other = {"TableName": table, "Item": item("b", 1), "ConditionExpression": "attribute_exists(x)"}
    assert refused(EXCEEDED, limited.put_item, **other) == TABLE_TEXT, "before its condition"
    assert limited.scan(TableName=table)["Items"] == before
    clock.advance(1001)
    limited.delete_item(TableName=table, Key=key("a"))


def test_a_batch_leaves_what_has_no_throughput(
    limited: Any, make: Callable[..., str], refused: Refused
) -> None:
    """It is unprocessed as long as anything else is processed; else the batch is refused."""
    full, empty = make(), make()
    limited.put_item(TableName=empty, Item=item("a"))
    limited.get_item(TableName=empty, Key=key("a"), ConsistentRead=True)
    put = [{"PutRequest": {"Item": item("b")}}]
    answer = limited.batch_write_item(RequestItems={full: put, empty: put})
    assert answer["UnprocessedItems"] == {empty: put}
    both = {name: {"Keys": [key("b")], "ConsistentRead": True} for name in (full, empty)}
    answer = limited.batch_get_item(RequestItems=both)
    assert answer["UnprocessedKeys"] == {empty: both[empty]}
    assert answer["Responses"][full] == [item("b")]
    request = {"RequestItems": {full: put, empty: put}}
    assert refused(EXCEEDED, limited.batch_write_item, **request) == TABLE_TEXT
    assert refused(EXCEEDED, limited.batch_get_item, RequestItems=both) == TABLE_TEXT


def reasons(call: Callable[..., Any], **request: Any) -> list[str]:
    """Return the codes of the reasons of a transaction that must be cancelled."""
    with pytest.raises(ClientError) as caught:
        call(**request)
    response: Any = caught.value.response
    assert response["Error"]["Code"] == "TransactionCanceledException"
    return [reason["Code"] for reason in response["CancellationReasons"]]


def test_transactions(limited: Any, make: Callable[..., str]) -> None:
    """An action without throughput cancels its transaction, with its reason at its place."""
    full, empty = make(read=100, write=100), make()
    limited.put_item(TableName=empty, Item=item("a"))
    limited.get_item(TableName=empty, Key=key("a"), ConsistentRead=True)
    actions = [{"Put": {"TableName": name, "Item": item("b")}} for name in (full, empty)]
    codes = ["None", "ProvisionedThroughputExceeded"]
    assert reasons(limited.transact_write_items, TransactItems=actions) == codes
    gets = [{"Get": {"TableName": name, "Key": key("a")}} for name in (full, empty)]
    assert reasons(limited.transact_get_items, TransactItems=gets) == codes
    statements = [
        {"Statement": f"SELECT * FROM \"{name}\" WHERE pk = 'a' AND sk = 's'"}
        for name in (full, empty)
    ]
    assert reasons(limited.execute_transaction, TransactStatements=statements) == codes
    assert limited.scan(TableName=full)["Count"] == 0


def test_a_transaction_takes_twice_as_much(
    limited: Any, clock: FakeClock, make: Callable[..., str], refused: Refused
) -> None:
    """One item of 1 KB takes two units, written or read."""
    table = make()
    limited.transact_write_items(
        TransactItems=[{"Put": {"TableName": table, "Item": {**key("a")}}}]
    )
    limited.transact_get_items(TransactItems=[{"Get": {"TableName": table, "Key": key("a")}}])
    clock.advance(1000)
    put = {"TableName": table, "Item": item("b")}
    get = {"TableName": table, "Key": key("a")}
    assert refused(EXCEEDED, limited.put_item, **put) == TABLE_TEXT
    assert refused(EXCEEDED, limited.get_item, **get) == TABLE_TEXT
    clock.advance(1)
    limited.put_item(**put)
    limited.get_item(**get)


def test_a_batch_of_statements(limited: Any, make: Callable[..., str]) -> None:
    """Each statement is refused for itself."""
    table = make()
    limited.get_item(TableName=table, Key=key("a"), ConsistentRead=True)
    statement = {"Statement": f"SELECT * FROM \"{table}\" WHERE pk = 'a' AND sk = 's'"}
    (answer,) = limited.batch_execute_statement(Statements=[statement])["Responses"]
    assert answer["Error"] == {"Code": "ProvisionedThroughputExceeded", "Message": TABLE_TEXT}


def test_a_global_index_has_limits_of_its_own(
    limited: Any, make: Callable[..., str], refused: Refused
) -> None:
    """Its reads do not take the table's; writes that change it, and only those, need its units."""
    table = make(
        read=1,
        write=100,
        AttributeDefinitions=definitions(pk="S", sk="S", a="S"),
        GlobalSecondaryIndexes=[index(sort=None, ProvisionedThroughput=units(1, 1))],
    )
    limited.put_item(TableName=table, Item=item("a", a={"S": "x"}))
    put = {"TableName": table, "Item": item("b", a={"S": "x"})}
    assert refused(EXCEEDED, limited.put_item, **put) == INDEX_TEXT
    limited.put_item(TableName=table, Item=item("c"))
    limited.put_item(TableName=table, Item=item("a", a={"S": "x"}))
    scan = {"TableName": table, "IndexName": "idx"}
    assert limited.scan(**scan)["Count"] == 1
    limited.scan(**scan)
    assert refused(EXCEEDED, limited.scan, **scan) == INDEX_TEXT
    limited.scan(TableName=table)


def test_a_local_index_shares_those_of_its_table(
    limited: Any, make: Callable[..., str], refused: Refused
) -> None:
    """What is read of it, and written to it, is the table's."""
    table = make(
        AttributeDefinitions=definitions(pk="S", sk="S", a="S"),
        LocalSecondaryIndexes=[index("loc", "pk", "a")],
    )
    limited.put_item(TableName=table, Item=item("a", a={"S": "x"}))
    scan = {"TableName": table, "IndexName": "loc", "ConsistentRead": True}
    assert limited.scan(**scan)["Count"] == 1
    assert refused(EXCEEDED, limited.scan, **scan) == TABLE_TEXT
    assert refused(EXCEEDED, limited.get_item, TableName=table, Key=key("a")) == TABLE_TEXT


def test_on_demand_tables(
    limited: Any, clock: FakeClock, table_name: str, refused: Refused
) -> None:
    """They have no limit but a maximum of their own, which keeps nothing for later."""
    maxima = {"MaxWriteRequestUnits": 2}
    limited.create_table(
        **create(table_name, AttributeDefinitions=PLAIN, OnDemandThroughput=maxima)
    )
    put = {"TableName": table_name, "Item": item("a", 1)}
    for _ in range(2):
        limited.put_item(**put)
        assert refused("ThrottlingException", limited.put_item, **put) == MAXIMUM_TEXT
        clock.advance(60_000)
    for _ in range(20):
        limited.scan(TableName=table_name)


def test_more_throughput_holds_at_once(
    limited: Any, clock: FakeClock, make: Callable[..., str], refused: Refused
) -> None:
    """What was consumed before stays consumed; from now on the table gains more."""
    table = make()
    put = {"TableName": table, "Item": item("a", 9)}
    limited.put_item(**put)
    limited.update_table(TableName=table, ProvisionedThroughput=units(1, 100))
    assert refused(EXCEEDED, limited.put_item, **put) == TABLE_TEXT
    clock.advance(100)
    limited.put_item(**put)


def test_without_the_setting_nothing_is_limited(ddb: Any, table_name: str) -> None:
    """Throughput is kept and shown."""
    ddb.create_table(**provisioned(table_name, AttributeDefinitions=PLAIN))
    ddb.get_waiter("table_exists").wait(TableName=table_name, WaiterConfig={"Delay": 1})
    for _ in range(5):
        ddb.put_item(TableName=table_name, Item=item("a", 20))
        ddb.get_item(TableName=table_name, Key=key("a"))
    ddb.delete_table(TableName=table_name)
