"""64 writers at once on the same ten items, with readers beside them, on both engines.

What they were told adds up: counters, conditions, records and the history of each item.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from fault.load import StreamReader, Writer, running, wait_until
from fault.observer import KEY, MARK, all_items, create_table
from fault.promises import check_promises, writes_of
from fault.raw_client import RawClient, Refused
from penstock.testing.checkers import Write
from server_process import ServerProcess

WRITERS = 64
WRITES_EACH = 20
ATTEMPTS_MAX = 400
MIXED_RECORDS_MIN = 1500
KEYS = [f"item-{number}" for number in range(10)]
TABLE = "fault"


@pytest.fixture(params=["memory", "rocksdb"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ServerProcess]:
    """A server over each engine, with the table."""
    kept = ("--data", str(tmp_path / "store")) if request.param == "rocksdb" else ()
    with ServerProcess("--engine", request.param, *kept, log=tmp_path / "log") as started:
        started.await_ready()
        with RawClient(started.port) as client:
            create_table(client, TABLE)
        yield started
        assert started.stderr == ""


class Hand:
    """One of the writers: a client, a chance and a name of its own, and what it did."""

    def __init__(self, number: int, client: RawClient) -> None:
        self.writes: list[Write] = []
        self.counts: Counter[str] = Counter()
        self._client = client
        self._chance = random.Random(number)
        self._name = f"w{number}"

    def any_key(self) -> str:
        return self._chance.choice(KEYS)

    def read(self, key: str) -> dict[str, Any]:
        """Return an item as it is now, nothing where there is none."""
        found: dict[str, Any] = self._client.call(
            "GetItem", TableName=TABLE, Key=_key(key), ConsistentRead=True
        ).get("Item", {})
        return found

    def update(self, key: str, expression: str, condition: str = "", **values: Any) -> bool:
        """Update an item and leave a mark; False where the condition did not hold."""
        mark = f"{self._name}-{len(self.writes)}"
        given = {f":{name}": value for name, value in values.items()} | {":mark": {"S": mark}}
        more = {"ConditionExpression": condition} if condition else {}
        began = time.monotonic()
        try:
            old = self._client.call(
                "UpdateItem",
                TableName=TABLE,
                Key=_key(key),
                UpdateExpression=f"SET {MARK} = :mark {expression}",
                ExpressionAttributeValues=given,
                ReturnValues="ALL_OLD",
                **more,
            )
        except Refused as refusal:
            assert refusal.code == "ConditionalCheckFailedException", refusal
            return False
        replaced = old.get("Attributes", {}).get(MARK, {}).get("S")
        self.writes.append(Write(_key(key), mark, began, time.monotonic(), replaced=replaced))
        self.counts[key] += 1
        return True


def test_additions_add_up_and_each_has_one_record(server: ServerProcess) -> None:
    def add(hand: Hand) -> None:
        assert hand.update(hand.any_key(), "ADD n :one", one={"N": "1"})

    hands = _let_all(server, add)
    assert _numbers(server) == _counted(hands)


def test_increments_on_the_condition_of_a_version_lose_no_update(server: ServerProcess) -> None:
    """The optimistic pattern: read, then write if the version is still the one that was read."""

    def increment(hand: Hand) -> None:
        key = hand.any_key()
        for _ in range(ATTEMPTS_MAX):
            seen = hand.read(key).get("n", {"N": "0"})
            following = {"N": str(int(seen["N"]) + 1)}
            condition = "n = :seen" if seen["N"] != "0" else "attribute_not_exists(n)"
            values = {"seen": seen} if seen["N"] != "0" else {}
            if hand.update(key, ", n = :following", condition, following=following, **values):
                return
        raise AssertionError(f"{ATTEMPTS_MAX} attempts were refused")

    hands = _let_all(server, increment, writes_each=4)
    assert _numbers(server) == _counted(hands)


def test_of_many_who_create_an_item_on_condition_exactly_one_does(server: ServerProcess) -> None:
    def create(hand: Hand) -> None:
        for key in KEYS:
            hand.update(key, "", f"attribute_not_exists({KEY})")

    hands = _let_all(server, create, writes_each=1)
    assert _counted(hands) == dict.fromkeys(KEYS, 1)


def test_puts_updates_deletes_and_batches_mix_into_one_history(server: ServerProcess) -> None:
    writers = [Writer(f"w{number}", TABLE, KEYS, f"{number}") for number in range(WRITERS)]
    reader = StreamReader(TABLE)
    with running(server.port, reader, *writers):
        wait_until(lambda: reader.watch.records_seen >= MIXED_RECORDS_MIN, "enough records")
    check_promises(server.port, TABLE, writes_of(writers), reader)


def _let_all(
    server: ServerProcess, work: Callable[[Hand], None], writes_each: int = WRITES_EACH
) -> list[Hand]:
    """Let all writers do `work` that often, at once, while two readers follow the stream.

    Return the writers, once every promise is found kept.
    """
    gate = threading.Barrier(WRITERS)
    readers = [StreamReader(TABLE), StreamReader(TABLE)]
    hands: list[Hand] = []
    failed: list[BaseException] = []

    def write(number: int) -> None:
        with RawClient(server.port) as client:
            hand = Hand(number, client)
            hands.append(hand)
            gate.wait(60)
            try:
                for _ in range(writes_each):
                    work(hand)
            except BaseException as error:  # noqa: BLE001 - raised again on the test's thread
                failed.append(error)

    threads = [threading.Thread(target=write, args=(n,), daemon=True) for n in range(WRITERS)]
    with running(server.port, *readers):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert not failed, failed[0]
    assert len(hands) == WRITERS
    writes = list(chain.from_iterable(hand.writes for hand in hands))
    check_promises(server.port, TABLE, writes, *readers)
    return hands


def _numbers(server: ServerProcess) -> dict[str, int]:
    with RawClient(server.port) as client:
        return {item[KEY]["S"]: int(item["n"]["N"]) for item in all_items(client, TABLE)}


def _counted(hands: list[Hand]) -> dict[str, int]:
    return dict(sum((hand.counts for hand in hands), Counter()))


def _key(name: str) -> dict[str, Any]:
    return {KEY: {"S": name}}
