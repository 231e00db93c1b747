"""Splits and rolls of a stream under load by the test controls, and whether its tree shows them."""

import random
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from fault.load import Writer, wait_for_writes
from fault.observer import all_shards
from fault.raw_client import NoAnswer, RawClient
from fault.reading import Page
from penstock.app.control_client import ControlClient, ControlError, Succession
from penstock.testing.checkers import key_text

WRITES_BETWEEN = (20, 120)
ROLL_ALL_PROBABILITY = 0.3
EXPIRE_PROBABILITY = 0.3

Shard = Mapping[str, Any]


class Surgery:
    """Splits and rolls the shards of a table's stream, and keeps what the server said was done.

    `kinds` is what is left to do, in random order. `doubtful` counts what had no answer.
    """

    def __init__(self, table: str, stream_arn: str, seed: str, *, splits: int, rolls: int) -> None:
        self.kinds = ["split"] * splits + ["roll"] * rolls
        self.successions: list[Succession] = []
        self.doubtful = 0
        self._table = table
        self._stream_arn = stream_arn
        self._random = random.Random(seed)
        self._random.shuffle(self.kinds)

    def perform(self, port: int, writers: Sequence[Writer], count: int) -> None:
        """Do the next `count`, each after the `writers` have written some more."""
        for _ in range(count):
            self._let_write(writers)
            self._operate(port, self.kinds.pop())
            if self._random.random() < EXPIRE_PROBABILITY:
                _control(port).expire_iterators(self._table)

    def perform_doubtful(self, port: int, writers: Sequence[Writer]) -> threading.Thread:
        """Begin the next on a thread, for a server that is killed before or while it is done."""
        self._let_write(writers)
        kind = self.kinds.pop()

        def operate() -> None:
            try:
                self._operate(port, kind)
            except (ControlError, NoAnswer):
                self.doubtful += 1

        thread = threading.Thread(target=operate, daemon=True)
        thread.start()
        time.sleep(self._random.uniform(0, 0.02))  # the moment is what varies
        return thread

    def _let_write(self, writers: Sequence[Writer]) -> None:
        written = sum(len(writer.writes) for writer in writers)
        wait_for_writes(writers, written + self._random.randint(*WRITES_BETWEEN))

    def _operate(self, port: int, kind: str) -> None:
        if kind == "split":
            shard_id = self._random.choice([None, *self._open_shards(port)])
            self.successions.append(_control(port).split(self._table, shard_id))
        else:
            every = self._random.random() < ROLL_ALL_PROBABILITY
            shard_id = None if every else self._random.choice(self._open_shards(port))
            self.successions += _control(port).roll(self._table, shard_id)

    def _open_shards(self, port: int) -> list[str]:
        with RawClient(port) as client:
            return [
                shard["ShardId"]
                for shard in all_shards(client, self._stream_arn)
                if "EndingSequenceNumber" not in shard["SequenceNumberRange"]
            ]


def _control(port: int) -> ControlClient:
    return ControlClient(f"http://127.0.0.1:{port}")


def children_of(shards: Iterable[Shard]) -> dict[str, set[str]]:
    """Return the children of every shard that has some."""
    children: defaultdict[str, set[str]] = defaultdict(set)
    for shard in shards:
        if "ParentShardId" in shard:
            children[shard["ParentShardId"]].add(shard["ShardId"])
    return dict(children)


def wrong_ranges(shards: Iterable[Shard]) -> list[str]:
    """Return where a shard does not start after its parent's end."""
    by_id = {shard["ShardId"]: shard["SequenceNumberRange"] for shard in shards}
    return [
        f"{shard['ShardId']} is {by_id[shard['ShardId']]}, but its parent {by_id.get(parent)}"
        for shard in shards
        if (parent := shard.get("ParentShardId")) is not None
        and not (
            int(by_id[parent].get("EndingSequenceNumber", "inf"))
            < int(by_id[shard["ShardId"]]["StartingSequenceNumber"])
        )
    ]


def wrong_lines(pages: Iterable[Page], shards: Sequence[Shard]) -> list[str]:
    """Return where records are outside their shard's range, or an item leaves its line of the tree.

    `pages` are given in the order of reading. An item's next record is in the shard of the one
    before or in one that descends from it.
    """
    by_id = {shard["ShardId"]: shard for shard in shards}
    wrong = []
    latest: dict[str, str] = {}
    for page in pages:
        numbers = by_id[page.shard_id]["SequenceNumberRange"]
        line = set(_line(page.shard_id, by_id))
        for record in page.records:
            number = record["dynamodb"]["SequenceNumber"]
            if not _within(int(number), numbers):
                wrong.append(f"{number} is in {page.shard_id}, which has {numbers}")
            key = key_text(record["dynamodb"]["Keys"])
            if latest.get(key, page.shard_id) not in line:
                wrong.append(f"{number} of {key} is in {page.shard_id}, not below {latest[key]}")
            latest[key] = page.shard_id
    return wrong


def _within(number: int, numbers: Mapping[str, str]) -> bool:
    end = numbers.get("EndingSequenceNumber")
    return int(numbers["StartingSequenceNumber"]) <= number and (end is None or number <= int(end))


def _line(shard_id: str | None, by_id: Mapping[str, Shard]) -> Iterator[str]:
    """Yield a shard and those that it descends from."""
    while shard_id is not None:
        yield shard_id
        shard_id = by_id[shard_id].get("ParentShardId")
