"""The Kinesis Client Library 3 over the DynamoDB Streams Kinesis Adapter, through splits and rolls.

Real workers of `java/` keep their leases in tables of the same server. Seeded: the seed is printed,
and `PENSTOCK_SEED` sets it. What threads, processes and the library's own waits do stays chance.
"""

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from clients.java_project import BUILD_SECONDS_MAX, built_project
from clients.kinesis_worker import CONSUMER, KinesisWorker, Sharing
from fault.load import Writer, running, wait_for_writes, wait_until
from fault.observer import (
    KEY,
    MARK,
    all_items,
    all_records,
    all_shards,
    create_table,
    stream_arn,
)
from fault.raw_client import RawClient
from fault.reading import Page
from fault.surgery import Surgery, children_of, wrong_lines
from penstock.app.control_client import ControlClient
from penstock.testing.checkers import lost_writes, wrong_fold, wrong_records
from server_process import ServerProcess

pytestmark = [pytest.mark.slow, pytest.mark.timeout(BUILD_SECONDS_MAX + 200)]

SEED = os.environ.get("PENSTOCK_SEED", "20261127")
TABLE, APPLICATION = "source", "application"
KEYS = [f"item-{number}" for number in range(24)]
WRITERS = 4
WRITES = 300
THROTTLE_PROBABILITY = 0.05
TRIM_HORIZON, SHARD_END = "TRIM_HORIZON", "SHARD_END"
LEADER: Sharing = "CLIENT_VERSION_CONFIG_3X"
EVERY_WORKER: Sharing = "CLIENT_VERSION_CONFIG_COMPATIBLE_WITH_2X"

Lease = dict[str, Any]


@pytest.fixture(scope="module")
def target() -> Path:
    """The built program."""
    return built_project()


class Trial:
    """A table with a stream on a server, its writers, its surgery, and its workers' leases."""

    def __init__(self, port: int, target: Path, directory: Path) -> None:
        print(f"seed {SEED}")
        self.port = port
        self.random = random.Random(SEED)
        self.control = ControlClient(f"http://127.0.0.1:{port}")
        self.writers: list[Writer] = []
        self._target, self._directory = target, directory
        self._client = RawClient(port)
        create_table(self._client, TABLE)
        self.arn = stream_arn(self._client, TABLE)
        self.surgery = Surgery(TABLE, self.arn, self._seed(), splits=2, rolls=2)

    def close(self) -> None:
        self._client.close()

    def worker(self, name: str, sharing: Sharing) -> KinesisWorker:
        return KinesisWorker(
            self._target,
            self.port,
            stream_arn=self.arn,
            application=APPLICATION,
            name=name,
            sharing=sharing,
            directory=self._directory,
        )

    def write(self, *, operations: int = 0) -> None:
        """Write for a while, and meanwhile split or roll so many times."""
        begun = len(self.writers)
        writers = [
            Writer(f"w{number}", TABLE, KEYS, self._seed(), transactions=True)
            for number in range(begun, begun + WRITERS)
        ]
        self.writers += writers
        with running(self.port, *writers):
            self.surgery.perform(self.port, writers, operations)
            wait_for_writes(writers, WRITES)
        assert [writer.failures for writer in writers] == [[]] * WRITERS

    def let_reads_fail(self) -> None:
        """Make some calls of GetRecords by the workers go wrong, in ways that lose nothing."""
        fault = partial(self.control.fault, table=TABLE, consumer=CONSUMER)
        fault("throttle", probability=THROTTLE_PROBABILITY, seed=self.random.randrange(1000))
        fault("expired", calls=2)

    def records_count(self) -> int:
        """Return how many records the stream has."""
        return sum(map(len, all_records(self._client, TABLE).values()))

    def shards(self) -> list[dict[str, Any]]:
        return all_shards(self._client, self.arn)

    def leases(self) -> dict[str, Lease]:
        """Return the leases by their shards, and of an attribute its value alone."""
        return {
            item["leaseKey"]["S"]: {
                name: next(iter(value.values())) for name, value in item.items()
            }
            for item in all_items(self._client, APPLICATION)
        }

    def check(self, pages: list[Page]) -> None:
        """Check that records, each once, are every write in the order of its item."""
        writes = [write for writer in self.writers for write in writer.writes]
        records = [record for page in pages for record in page.records]
        print(f"{len(writes)} writes, {len(records)} records")
        items = all_items(self._client, TABLE)
        assert lost_writes(writes, items, [KEY], MARK) == []
        assert wrong_records(writes, records, MARK) == []
        assert wrong_fold(records, items, [KEY]) == []
        assert wrong_lines(pages, self.shards()) == []

    def await_finished_leases(self) -> None:
        """Wait until the leases of all shards that have children stand at their end."""
        closed = set(children_of(self.shards()))
        wait_until(lambda: _finished(self.leases()) == closed, "leases at the end of closed shards")

    def check_leases(self, owner: str) -> None:
        """Check that there is a lease of every shard, those of open ones held by `owner`."""
        shards, leases = self.shards(), self.leases()
        assert leases.keys() == {shard["ShardId"] for shard in shards}
        for shard_id, children in children_of(shards).items():
            assert set(leases[shard_id]["childShardIds"]) == children
        for shard in shards:
            lease = leases[shard["ShardId"]]
            parent = shard.get("ParentShardId")
            assert lease.get("parentShardId") == (None if parent is None else [parent])
            if lease["checkpoint"] != SHARD_END:
                assert lease["leaseOwner"] == owner

    def _seed(self) -> str:
        return f"{self.random.random()}"


@pytest.fixture
def trial(target: Path, tmp_path: Path) -> Iterator[Trial]:
    """A trial on `penstock serve`, to which no request is a bug of it."""
    with serving(tmp_path) as port:
        made = Trial(port, target, tmp_path)
        yield made
        made.close()


@contextmanager
def serving(directory: Path) -> Iterator[int]:
    """A server with test controls, whose port is given."""
    with ServerProcess.on(directory / "store", "--test-controls", "on") as process:
        yield process.port
        process.stop()
        assert process.stderr == ""


def test_a_worker_sees_each_change_once_in_the_order_of_its_item(trial: Trial) -> None:
    """Shards split and roll before it has read anything, and when it is at their end."""
    trial.write()
    with trial.worker("first", LEADER) as worker:
        trial.write(operations=2)
        wait_until(_seen(worker, count=trial.records_count()), "read what was there")
        trial.write(operations=2)
        trial.control.drain(TABLE, CONSUMER, seconds_max=60.0)
        wait_until(_seen(worker, count=trial.records_count()), "read it all")
        trial.await_finished_leases()
        trial.check_leases("first")
        assert _started_again([worker]) == set(), "no lease was lost"
        trial.check(worker.pages)
        worker.stop()
        assert len(worker.pages) == trial.records_count(), "none came at the end"


def test_another_worker_goes_on_from_the_checkpoints_of_one_that_was_killed(trial: Trial) -> None:
    """Reads are throttled and iterators expire meanwhile, and shards split and roll.

    The workers take leases as those of version 2 do. In version 3 a leader does it, and one that
    was killed stays the leader for two minutes.
    """
    trial.write()
    with trial.worker("first", EVERY_WORKER) as first:
        wait_until(_seen(first, count=1), "begun to read")
        trial.let_reads_fail()
        trial.write(operations=2)
        trial.control.expire_iterators(TABLE)
        wait_until(_seen(first, count=WRITES), "read some")
        first.kill()
    left = trial.leases()
    trial.write(operations=2)
    count = trial.records_count()
    with trial.worker("second", EVERY_WORKER) as second:
        wait_until(_seen(first, second, count=count), "read it all")
        trial.await_finished_leases()
        trial.check_leases("second")
        assert all(fault["Hits"] for fault in trial.control.faults())
        trial.check(_each_once(first.pages + second.pages))
        _check_goes_on(second, left)
        _check_repeats(first, second, left)
        second.stop()


def _check_goes_on(second: KinesisWorker, left: dict[str, Lease]) -> None:
    """Check that the worker starts every shard where its lease stood."""
    starts = {event["shard"]: event["after"] for event in second.told("started")}
    unfinished = {
        shard: lease["checkpoint"]
        for shard, lease in left.items()
        if lease["checkpoint"] != SHARD_END
    }
    assert unfinished
    assert {shard: starts[shard] for shard in unfinished} == unfinished
    assert not starts.keys() & _finished(left)


def _check_repeats(first: KinesisWorker, second: KinesisWorker, left: dict[str, Lease]) -> None:
    """Check that nothing comes again but what the first worker had not checkpointed."""
    assert _started_again([first]) == _started_again([second]) == set(), "no lease was lost"
    for shard_id, number in set(map(_place, first.pages)) & set(map(_place, second.pages)):
        checkpoint = left[shard_id]["checkpoint"]
        assert checkpoint == TRIM_HORIZON or number > int(checkpoint)


def _seen(*workers: KinesisWorker, count: int) -> Callable[[], bool]:
    """Return whether workers have together seen so many records, each counted once."""

    def is_seen() -> bool:
        if sum(worker.lines_count for worker in workers) < count:
            return False  # found with less work
        pages = [page for worker in workers for page in worker.pages]
        return len(_each_once(pages)) >= count

    return is_seen


def _each_once(pages: list[Page]) -> list[Page]:
    """Return the pages of one record without those whose record was on one before."""
    first: dict[tuple[str, int], Page] = {}
    for page in pages:
        first.setdefault(_place(page), page)
    return list(first.values())


def _place(page: Page) -> tuple[str, int]:
    """Return the shard and sequence number of a page of one record."""
    (record,) = page.records
    return page.shard_id, int(record["dynamodb"]["SequenceNumber"])


def _started_again(workers: list[KinesisWorker]) -> set[str]:
    """Return the shards that were started more than once."""
    starts = [event["shard"] for worker in workers for event in worker.told("started")]
    return {shard for shard in starts if starts.count(shard) > 1}


def _finished(leases: dict[str, Lease]) -> set[str]:
    return {shard for shard, lease in leases.items() if lease["checkpoint"] == SHARD_END}
