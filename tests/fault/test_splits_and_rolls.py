"""A consumer by AWS's documentation reads through splits and rolls under 16 writers.

It sees every change exactly once, in the order of each item, however often it crashes, on each
engine. Seeded: the seed is printed, and `PENSTOCK_SEED` sets it. What threads and machine do stays
chance.
"""

import os
import random
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from fault.documented_consumer import Checkpoint, DocumentedConsumer
from fault.load import Writer, running, wait_for_writes, wait_until
from fault.observer import KEY, MARK, all_items, all_shards, create_table, shard_ids, stream_arn
from fault.promises import writes_of
from fault.raw_client import RawClient
from fault.reading import FeedReading, Page, Reading, streams_client
from fault.surgery import Surgery, children_of, wrong_lines, wrong_ranges
from penstock.app.control_client import ControlClient
from penstock.testing.checkers import (
    StreamWatch,
    Write,
    key_text,
    lost_writes,
    wrong_fold,
    wrong_records,
)
from penstock.testing.server import RunningServer
from server_process import ServerProcess

SEED = int(os.environ.get("PENSTOCK_SEED", "20261001"))
TABLE = "fault"
KEYS = [f"item-{number}" for number in range(36)]
WRITERS = 16
SPLITS, ROLLS = 10, 10
CONTROLS = ("--test-controls", "on")
LIVES_MIN = 4
FAULT_PROBABILITY = 0.03
SECOND_MS, HOUR_MS = 1000, 3_600_000
CLOCK_MOVES_MS = (SECOND_MS, 4 * HOUR_MS, SECOND_MS, HOUR_MS, 4 * HOUR_MS, SECOND_MS)
WRITES_BETWEEN_MOVES = 300
KILLS = 2


@contextmanager
def serving(engine: str, directory: Path) -> Iterator[int]:
    """A server over an engine, whose port is given. No request to it is a bug of it."""
    if engine == "memory":
        with RunningServer(test_controls=True) as server:
            yield _port_of(server)
        return
    with ServerProcess.on(directory / "store", *CONTROLS) as process:
        yield process.port
        process.stop()
        assert process.stderr == ""


class Trial:
    """A table with a stream on a server, its writers, and the surgery on it."""

    def __init__(self, port: int, seed: int) -> None:
        print(f"seed {seed}")
        self.random = random.Random(seed)
        self.writers: list[Writer] = []
        with RawClient(port) as client:
            create_table(client, TABLE)
            self.arn = stream_arn(client, TABLE)
            self.first = shard_ids(client, self.arn)
        self.surgery = Surgery(TABLE, self.arn, self._seed(), splits=SPLITS, rolls=ROLLS)

    def reading(self, **how: Any) -> Reading:
        return Reading(self.arn, self._seed(), **how)

    def new_writers(self) -> list[Writer]:
        begun = len(self.writers)
        made = [
            Writer(f"w{begun + number}", TABLE, KEYS, self._seed(), transactions=True)
            for number in range(WRITERS)
        ]
        self.writers += made
        return made

    @property
    def writes(self) -> list[Write]:
        return writes_of(self.writers)

    def run(self, port: int, *readings: Reading) -> None:
        """Write, split and roll while `readings` read, and let them read to the stream's end."""
        with running(port, *readings):
            writers = self.new_writers()
            with running(port, *writers):
                self.surgery.perform(port, writers, len(self.surgery.kinds))
            self.end(port, *readings)

    def end(self, port: int, *readings: Reading | FeedReading) -> None:
        """Disable the stream, so that it has an end, and wait until `readings` are there."""
        with RawClient(port) as client:
            disable_stream(client)
        wait_until(lambda: all(reading.ended for reading in readings), "read to the end")

    def let_reads_fail(self, port: int) -> ControlClient:
        """Make some of the calls of GetRecords go wrong, in ways that lose nothing."""
        control = ControlClient(f"http://127.0.0.1:{port}")
        control.fault("throttle", table=TABLE, calls=2)  # the SDK waits and tries again
        for kind in ("fewer", "expired"):
            seed = self.random.randrange(1000)
            control.fault(kind, table=TABLE, probability=FAULT_PROBABILITY, seed=seed)
        return control

    def shards(self, port: int) -> list[dict[str, Any]]:
        with RawClient(port) as client:
            return all_shards(client, self.arn)

    def check(self, port: int, pages: list[Page]) -> None:
        """Check what a reader processed against the writes, the items and the stream itself."""
        records = list(chain.from_iterable(page.records for page in pages))
        print(f"{len(self.writes)} writes, {len(records)} records in {len(pages)} pages")
        with RawClient(port) as client:
            items = all_items(client, TABLE)
        assert lost_writes(self.writes, items, [KEY], MARK) == []
        assert wrong_records(self.writes, records, MARK) == []
        assert wrong_fold(records, items, [KEY]) == []
        assert wrong_lines(pages, self.shards(port)) == []

    def check_read_again(self, port: int, pages: list[Page]) -> None:
        """Check that another reader, who begins now, sees the same."""
        again = self.reading()
        with running(port, again):
            wait_until(lambda: again.ended, "read again")
        watch = StreamWatch()
        wrong = [watch.read_on(page.shard_id, page.records) for page in pages]
        by_shard: dict[str, list[dict[str, Any]]] = {page.shard_id: [] for page in pages}
        for page in again.pages:
            by_shard.setdefault(page.shard_id, []).extend(page.records)
        wrong += [watch.read_again(shard_id, found) for shard_id, found in by_shard.items()]
        assert list(chain.from_iterable(wrong)) == []

    def _seed(self) -> str:
        return f"{self.random.random()}"


class Away:
    """What is left of a consumer that was stopped once it had processed `until` records."""

    def __init__(self, arn: str, port: int, until: int) -> None:
        self.stop = threading.Event()
        self.marks: list[str] = []
        self._arn, self._until = arn, until
        self._streams = streams_client(port)
        self._checkpoints: dict[str, Checkpoint] = {}

    def new_consumer(self) -> DocumentedConsumer:
        return DocumentedConsumer(self._streams, self._arn, self._checkpoints, self._process)

    def _process(self, shard_id: str, records: list[dict[str, Any]]) -> None:
        self.marks += [record["dynamodb"]["NewImage"][MARK]["S"] for record in records]
        if len(self.marks) == self._until:
            self.stop.set()


def disable_stream(client: RawClient) -> None:
    off = {"StreamEnabled": False}
    client.call("UpdateTable", TableName=TABLE, StreamSpecification=off)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["memory", "rocksdb"])
def test_each_change_is_seen_once_in_the_order_of_its_item(engine: str, tmp_path: Path) -> None:
    """By two consumers: one lists all shards again and again, one asks for the next shards.

    Now and then GetRecords is throttled, returns less than there is, or finds an iterator expired.
    """
    with serving(engine, tmp_path) as port:
        trial = Trial(port, SEED)
        control = trial.let_reads_fail(port)
        listing = trial.reading(crash="after", records_max=100)
        following = trial.reading(crash="after", records_max=8, follow_children=True)
        trial.run(port, listing, following)
        for reading in (listing, following):
            assert reading.lives >= LIVES_MIN
            assert reading.lost == []
            trial.check(port, reading.pages)
        trial.check_read_again(port, listing.pages)
        _check_tree(trial, port)
        _check_children(trial, port, following)
        assert all(fault["Hits"] for fault in control.faults())


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["memory", "rocksdb"])
def test_only_pages_without_a_checkpoint_come_again_after_a_crash(
    engine: str, tmp_path: Path
) -> None:
    with serving(engine, tmp_path) as port:
        trial = Trial(port, SEED + 1)
        reading = trial.reading(crash="before", records_max=20)
        trial.run(port, reading)
        assert reading.lives >= LIVES_MIN
        assert any(not page.checkpointed for page in reading.pages)
        assert _wrong_repeats(reading.pages) == []
        trial.check(port, [page for page in reading.pages if page.checkpointed])
        _check_tree(trial, port)


@pytest.mark.slow
def test_shards_that_split_under_load_and_roll_by_age_are_read_likewise() -> None:
    """The clock is moved for it, by seconds and by hours: then iterators expire too."""
    with RunningServer(
        test_controls=True, shard_split_writes_per_second=5, shard_split_seconds=1
    ) as server:
        port = _port_of(server)
        trial = Trial(port, SEED + 4)
        control = ControlClient(f"http://127.0.0.1:{port}")
        listing = trial.reading(crash="after", records_max=100)
        following = trial.reading(records_max=20, follow_children=True)
        with running(port, listing, following):
            writers = trial.new_writers()
            with running(port, *writers):
                for number, moved_ms in enumerate(CLOCK_MOVES_MS, start=1):
                    wait_for_writes(writers, number * WRITES_BETWEEN_MOVES)
                    control.advance(moved_ms)
            trial.end(port, listing, following)
        for reading in (listing, following):
            assert reading.lost == []
            trial.check(port, reading.pages)
        shards = trial.shards(port)
        assert wrong_ranges(shards) == []
        assert {len(children) for children in children_of(shards).values()} == {1, 2}
        _check_children(trial, port, following)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["memory", "rocksdb"])
def test_the_feed_of_penstock_tail_sees_the_same(engine: str, tmp_path: Path) -> None:
    """From the stream's start, and from moments in the middle: then the rest of each item's.

    Of each kind one polls; the server holds the reads of the others.
    """
    with serving(engine, tmp_path) as port:
        trial = Trial(port, SEED + 3)
        both = [FeedReading(trial.arn, "TRIM_HORIZON", held=held) for held in (True, False)]
        latest = [FeedReading(trial.arn, "LATEST", held=number > 0) for number in range(3)]
        surgery = trial.surgery
        with running(port, *both), ExitStack() as begun:
            writers = trial.new_writers()
            with running(port, *writers):
                for feed in latest:
                    surgery.perform(port, writers, 5)
                    begun.enter_context(running(port, feed))
                    wait_until(feed.opened.is_set, "the feed's first look")
                surgery.perform(port, writers, len(surgery.kinds))
            trial.end(port, *both, *latest)
        assert [feed.notices for feed in (*both, *latest)] == [[]] * 5
        for whole in both:
            trial.check(port, whole.pages)
        for feed in latest:
            assert _wrong_rest(feed.pages, whole.pages) == []
        _check_tree(trial, port)


@pytest.mark.parametrize("crashed", [False, True])
def test_a_consumer_that_was_away_too_long_knows_it_and_goes_on(
    crashed: bool, tmp_path: Path
) -> None:
    """With the iterators that it had, or by its checkpoints."""
    with serving("memory", tmp_path) as port, RawClient(port) as client:
        trial = Trial(port, SEED)
        away = Away(trial.arn, port, until=len(KEYS))
        _put_all(client, "early")
        consumer = away.new_consumer()
        assert not consumer.run(away.stop)

        _put_all(client, "lost")
        control = ControlClient(f"http://127.0.0.1:{port}")
        control.roll(TABLE)
        control.trim(TABLE)
        _put_all(client, "late")
        disable_stream(client)

        away.stop.clear()
        if crashed:
            consumer = away.new_consumer()
        assert consumer.run(away.stop)
        assert sorted(consumer.lost) == sorted(trial.first)
        assert Counter(away.marks) == {"early": len(KEYS), "late": len(KEYS)}


@pytest.mark.slow
def test_kills_of_the_server_between_splits_and_rolls_change_nothing(tmp_path: Path) -> None:
    """The last one before each kill is under way then: it is done wholly or not at all."""
    data = tmp_path / "store"
    with ServerProcess.on(data, *CONTROLS) as server:
        trial = Trial(server.port, SEED + 2)
    listing = trial.reading(crash="after", records_max=100)
    following = trial.reading(crash="after", records_max=8, follow_children=True)
    for _ in range(KILLS):
        with ServerProcess.on(data, *CONTROLS) as server:
            writers = trial.new_writers()
            with running(server.port, listing, following, *writers):
                trial.surgery.perform(server.port, writers, trial.random.randint(2, 4))
                doubtful = trial.surgery.perform_doubtful(server.port, writers)
                server.kill()
                doubtful.join(30)
                assert not doubtful.is_alive()
    with ServerProcess.on(data, *CONTROLS) as server:
        trial.run(server.port, listing, following)
        for reading in (listing, following):
            trial.check(server.port, reading.pages)
        trial.check_read_again(server.port, listing.pages)
        _check_tree(trial, server.port)
        _check_children(trial, server.port, following)
        server.stop()
        assert server.stderr == ""


def _port_of(server: RunningServer) -> int:
    port = urlsplit(server.url).port
    assert port is not None
    return port


def _check_tree(trial: Trial, port: int) -> None:
    """Check that the stream's shards are the splits and rolls that were asked for, and no other."""
    shards = trial.shards(port)
    assert sorted(s["ShardId"] for s in shards if "ParentShardId" not in s) == sorted(trial.first)
    assert wrong_ranges(shards) == []
    tree = children_of(shards)
    told = {each.parent: set(each.children) for each in trial.surgery.successions}
    assert {parent: tree.get(parent) for parent in told} == told
    assert trial.surgery.doubtful or tree.keys() == told.keys()
    splits = sum(len(children) == 2 for children in tree.values())
    assert SPLITS - trial.surgery.doubtful <= splits <= SPLITS
    assert trial.surgery.kinds == []
    print(f"{len(shards)} shards, {trial.surgery.doubtful} times no answer")


def _check_children(trial: Trial, port: int, following: Reading) -> None:
    """Check that whoever read a shard to its end could find all its children there."""
    tree = children_of(trial.shards(port))
    assert following.children != {}
    for parent, found in following.children.items():
        assert found == tree.get(parent, set()), parent


def _put_all(client: RawClient, mark: str) -> None:
    for key in KEYS:
        client.call("PutItem", TableName=TABLE, Item={KEY: {"S": key}, MARK: {"S": mark}})


def _wrong_rest(pages: list[Page], whole: list[Page]) -> list[str]:
    """Return the items of which `pages` have not the last records, of those that there are."""
    rest, every = _by_item(pages), _by_item(whole)
    assert rest != {}
    return [key for key, records in rest.items() if every[key][-len(records) :] != records]


def _by_item(pages: list[Page]) -> dict[str, list[dict[str, Any]]]:
    by_item: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for record in chain.from_iterable(page.records for page in pages):
        by_item[key_text(record["dynamodb"]["Keys"])].append(record)
    return dict(by_item)


def _wrong_repeats(pages: list[Page]) -> list[str]:
    """Return where a page that had no checkpoint did not come again at once in its shard."""
    wrong = []
    for at, page in enumerate(pages):
        if not page.checkpointed:
            later = (each for each in pages[at + 1 :] if each.shard_id == page.shard_id)
            again = next(later, None)
            if again is None or again.records[: len(page.records)] != page.records:
                wrong.append(f"page {at} of {page.shard_id} did not come again as it was")
    return wrong
