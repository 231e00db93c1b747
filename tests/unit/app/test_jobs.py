"""The jobs of a server run beside its requests, and look again when a test moved the time."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from penstock.app.control_client import ControlClient, ControlError
from penstock.app.endpoint import own_endpoint
from penstock.base.background import JobsFailed
from penstock.base.clock import Clock
from penstock.base.errors.engine import EngineUnavailable
from penstock.base.ids import Entropy
from penstock.base.limits import token_sweep_rows_max, transaction_token_life_ms
from penstock.storage.memory import MemoryEngine
from penstock.storage.prefixes import Prefix
from penstock.storage.waist import Span
from penstock.testing.clock import FakeClock
from penstock.testing.faulty_engine import Disk, Faults, FaultyEngine
from penstock.testing.server import RunningServer

TABLE = "abc"


class World:
    """A server of this process whose store and time a test can look at and move."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.server = RunningServer(self._make_engine, clock=self.clock, table_delay_ms=1000)
        self._engine: MemoryEngine

    def _make_engine(self, clock: Clock) -> MemoryEngine:
        self._engine = MemoryEngine(clock)
        return self._engine

    def rows(self, prefix: Prefix) -> int:
        """Return how many keys have that prefix."""
        span = Span.of_prefix(prefix.key)
        return len(self._engine.snapshot(lambda reader: reader.scan(span, 10_000)))

    def pass_ms(self, ms: int) -> None:
        """Let time pass, and what is due happen."""
        self.clock.advance(ms)
        self.server.catch_up()


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    with world.server:
        yield world


@pytest.fixture
def ddb(world: World) -> Any:
    """A client, and the table `abc`, that is no longer being made."""
    client = boto3.client(
        "dynamodb",
        endpoint_url=world.server.url,
        region_name="us-east-1",
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="secret",
    )
    client.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    world.pass_ms(1000)
    return client


def test_tokens_of_transactions_are_cleared_once_nobody_may_repeat_them(
    world: World, ddb: Any
) -> None:
    """All of them in one run, however many steps that takes; a younger one stays."""

    def write(name: str) -> None:
        put = {"Put": {"TableName": TABLE, "Item": {"pk": {"S": name}}}}
        ddb.transact_write_items(TransactItems=[put], ClientRequestToken=f"token {name}")

    tokens = token_sweep_rows_max + 1
    for number in range(tokens):
        write(f"{number}")
    world.pass_ms(transaction_token_life_ms)
    write("young")
    assert world.rows(Prefix.TRANSACTION_TOKEN) == tokens + 1
    world.pass_ms(1)
    assert world.rows(Prefix.TRANSACTION_TOKEN) == 1


def test_an_index_that_is_created_is_filled_by_itself(world: World, ddb: Any) -> None:
    """Nobody waits for an interval: the alarm rings, and then time passes."""
    for number in range(30):
        ddb.put_item(TableName=TABLE, Item={"pk": {"S": f"{number}"}, "by": {"S": "all"}})
    ddb.update_table(
        TableName=TABLE,
        AttributeDefinitions=[{"AttributeName": "by", "AttributeType": "S"}],
        GlobalSecondaryIndexUpdates=[
            {
                "Create": {
                    "IndexName": "by-by",
                    "KeySchema": [{"AttributeName": "by", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
            }
        ],
    )

    def shown() -> Any:
        (index,) = ddb.describe_table(TableName=TABLE)["Table"]["GlobalSecondaryIndexes"]
        return index["IndexStatus"]

    assert shown() == "CREATING"
    world.pass_ms(1000)
    assert shown() == "ACTIVE"
    page = ddb.query(
        TableName=TABLE,
        IndexName="by-by",
        KeyConditionExpression="#b = :b",
        ExpressionAttributeNames={"#b": "by"},
        ExpressionAttributeValues={":b": {"S": "all"}},
    )
    assert page["Count"] == 30


def test_nothing_of_a_deleted_table_stays_in_the_store(world: World, ddb: Any) -> None:
    """Items, index entries and expiry rows go at once; the table itself once its time is over."""
    ddb.update_time_to_live(
        TableName=TABLE, TimeToLiveSpecification={"Enabled": True, "AttributeName": "ends"}
    )
    ddb.put_item(TableName=TABLE, Item={"pk": {"S": "a"}, "ends": {"N": "99999999999"}})
    assert world.rows(Prefix.EXPIRY) == 1
    ddb.delete_table(TableName=TABLE)
    assert world.rows(Prefix.EXPIRY) == world.rows(Prefix.ITEM) == 0
    world.server.catch_up()
    assert world.rows(Prefix.TABLE) == 1
    world.pass_ms(1000)
    assert world.rows(Prefix.TABLE) == 0


def test_a_job_that_fails_is_told_to_whoever_waits_for_it() -> None:
    """By MoveClock, whose clock stays moved, and by the server in the test's own process."""
    clock, faults = FakeClock(), Faults(Entropy(1))
    server = RunningServer(
        lambda clock: FaultyEngine(clock, Disk(), faults), clock=clock, test_controls=True
    )
    with server:
        client = ControlClient(server.url)
        own_endpoint(server.url).tables().create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
        )
        before_ms = client.now_ms()
        faults.arm("unavailable")
        with pytest.raises(ControlError, match=r"failed: shard life \(EngineUnavail") as caught:
            client.advance(5 * 3600 * 1000)
        assert caught.value.code == "CatchUpFailed"
        assert clock.now_ms() == before_ms + 5 * 3600 * 1000
        server.catch_up()
        clock.advance(5 * 3600 * 1000)
        faults.arm("unavailable")
        with pytest.raises(JobsFailed) as failed:
            server.catch_up()
        ((name, error),) = failed.value.failures
        assert (name, type(error)) == ("shard life", EngineUnavailable)
