"""What functions wrote down of the records that they were given, and what may be wrong with that.

A life is the time in which one server runs a mapping. What is held against a journal:

1. An invocation is of one shard, its records in their order, those of an item in a row.
2. While it runs no other one has records of the same item, nor are more of the shard under way than
   the mapping's ParallelizationFactor; nothing is heard of a life once another has begun.
3. In a life an item's records come in their order, from the first that was not done on.
4. A life begins with each item at the first record that was not done, or at one before it.
5. A shard's records come after all of its parent's are done.
6. What was done is the beginning of a batch, and in the end all records are.
7. A checkpoint is never beyond a record that is not done.
8. The state of a tumbling window has each record once, however often that was delivered.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from fault.observer import KEY
from penstock.streams.sequence import sequence_number

Record = Mapping[str, Any]


class RecordId(NamedTuple):
    """What names a record: the numbers of two shards may be alike."""

    key: str
    number: str


class Entry(NamedTuple):
    """One line: what happened, to which record; `offset` is where in the journal it ends."""

    what: str
    invocation: str
    server: int
    worker: int
    at_ns: int
    key: str
    number: str
    mark: str
    offset: int

    @property
    def record(self) -> RecordId:
        """Which record it is."""
        return RecordId(self.key, self.number)


def read_journal(path: Path, begin: int = 0) -> list[Entry]:
    """Return the whole lines of a journal from an offset on; there may be none yet."""
    if not path.exists():
        return []
    with path.open("rb") as file:
        file.seek(begin)
        data = file.read()
    entries, offset = [], begin
    for line in data.split(b"\n"):
        offset += len(line) + 1
        if line.endswith(b" ."):
            what, invocation, server, worker, at_ns, key, number, mark, _ = line.decode().split()
            ids = int(server), int(worker), int(at_ns)
            entries.append(Entry(what, invocation, *ids, key, number, mark, offset - 1))
    return entries


def servers_of(entries: Sequence[Entry]) -> list[int]:
    """Return the process ids of the servers that ran a mapping, one for each life in turn."""
    lives: list[int] = []
    for entry in entries:
        if lives[-1:] != [entry.server]:
            lives.append(entry.server)
    return lives


class Tree:
    """The records of a stream by shard, as it shows them in the end, and whose child each is."""

    def __init__(
        self, records: Mapping[str, Sequence[Record]], parents: Mapping[str, str | None]
    ) -> None:
        self.parents = parents
        self.records = {shard: list(map(_id_of, found)) for shard, found in records.items()}
        self.shard_of = {each: shard for shard, found in self.records.items() for each in found}
        self.items: defaultdict[str, list[RecordId]] = defaultdict(list)
        """The records of each item, in their order."""
        for each in sorted(self.shard_of, key=lambda record: int(record.number)):
            self.items[each.key].append(each)
        self.created_s = {
            _id_of(record): int(record["dynamodb"]["ApproximateCreationDateTime"])
            for found in records.values()
            for record in found
        }
        self.place = {each: n for found in self.items.values() for n, each in enumerate(found)}


def _id_of(record: Record) -> RecordId:
    change = record["dynamodb"]
    return RecordId(change["Keys"][KEY]["S"], change["SequenceNumber"])


class Invocation:
    """What an invocation was given, and what it has done of it."""

    def __init__(self, entry: Entry) -> None:
        self.id = entry.invocation
        self.seen: list[Entry] = []
        self.done: list[RecordId] = []
        self.shard: str | None = None

    @property
    def items(self) -> dict[str, list[RecordId]]:
        """The records of each item."""
        found: defaultdict[str, list[RecordId]] = defaultdict(list)
        for entry in self.seen:
            found[entry.key].append(entry.record)
        return dict(found)


class Audit:
    """Reads a journal, whole, against the stream; `wrong` is what is wrong, a sentence each."""

    def __init__(self, tree: Tree, entries: Sequence[Entry], factor: int = 1) -> None:
        self.wrong: list[str] = []
        self.cut_off = 0
        """How many invocations the end of a life has ended."""
        self.done: set[RecordId] = set()
        self._tree = tree
        self._factor = factor
        self._server: int | None = None
        self._gone: set[int] = set()
        self._open: dict[str, Invocation] = {}
        self._next: dict[str, int] = {}
        """Of each item that was seen in this life, the place of the next record."""
        self._done_places: defaultdict[str, int] = defaultdict(int)
        """Of each item, how many of its records are done, from the first on."""
        self._undone_of = {shard: set(found) for shard, found in tree.records.items()}
        for begun in _grouped([entry for entry in entries if entry.what != "window"]):
            self._take(begun)
        self.cut_off += len(self._open)
        undone = [record for record in tree.shard_of if record not in self.done]
        if undone:
            self.wrong.append(f"{len(undone)} records were never done, such as {undone[0]}")

    def _take(self, group: Sequence[Entry]) -> None:
        """Take in lines of one kind and one invocation that follow each other."""
        first = group[0]
        if first.server != self._server:
            self._begin_life(first)
        if first.what == "seen":
            self._begin(group)
        elif first.invocation not in self._open:
            self._tell(first, "goes on, and has not begun or has ended")
        elif first.what == "done":
            self._open[first.invocation].done += [each.record for each in group]
            self.done.update(each.record for each in group)
        else:
            self._end(first)

    def _begin_life(self, entry: Entry) -> None:
        if self._server is not None:
            self._gone.add(self._server)
        if entry.server in self._gone:
            self._tell(entry, "is of a server that another has followed")
        self._server = entry.server
        for invocation in list(self._open.values()):
            self.cut_off += 1
            self._conclude(invocation)
        self._next.clear()

    def _begin(self, group: Sequence[Entry]) -> None:
        begun = Invocation(group[0])
        begun.seen = list(group)
        known = self._tree.shard_of
        if unknown := [each.record for each in group if each.record not in known]:
            self._tell(group[0], f"has {unknown}, which are not in the stream")
            return
        begun.shard = known[group[0].record]
        numbers = [int(each.number) for each in group]
        if numbers != sorted(set(numbers)):
            self._tell(group[0], f"has its records in the order {numbers}")
        if {known[each.record] for each in group} != {begun.shard}:
            self._tell(group[0], "is of more than one shard")
        parent = self._tree.parents.get(begun.shard)
        if parent is not None and self._undone_of.get(parent):
            self._tell(group[0], f"is of {begun.shard}, whose parent is not done")
        beside = [each for each in self._open.values() if each.shard == begun.shard]
        if len(beside) >= self._factor:
            self._tell(group[0], f"began beside {[each.id for each in beside]}")
        for key, found in begun.items.items():
            self._begin_item(group[0], key, found)
        self._open[begun.id] = begun

    def _begin_item(self, entry: Entry, key: str, records: Sequence[RecordId]) -> None:
        """Check what an invocation is given of one item."""
        places = [self._tree.place[record] for record in records]
        if places != list(range(places[0], places[0] + len(places))):
            self._tell(entry, f"has {places} of the records of {key}")
        if any(key in each.items for each in self._open.values()):
            self._tell(entry, f"began with {key}, which another one has")
        if key in self._next:
            if places[0] != self._next[key]:
                self._tell(entry, f"began with {key} at {places[0]}, not at {self._next[key]}")
        elif places[0] > self._done_places[key]:
            self._tell(entry, f"skipped {key} from {self._done_places[key]} to {places[0]}")
        self._next[key] = places[0]

    def _end(self, entry: Entry) -> None:
        invocation = self._open[entry.invocation]
        self._conclude(invocation)
        for key, records in invocation.items.items():
            done = sum(record in invocation.done for record in records)
            self._next[key] = self._tree.place[records[0]] + done

    def _conclude(self, invocation: Invocation) -> None:
        del self._open[invocation.id]
        records = [each.record for each in invocation.seen]
        if invocation.done != records[: len(invocation.done)]:
            self._tell(invocation.seen[0], "has not done the beginning of its batch")
        for record in invocation.done:
            self._undone_of[self._tree.shard_of[record]].discard(record)
        for key in invocation.items:
            found, place = self._tree.items[key], self._done_places[key]
            while place < len(found) and found[place] in self.done:
                place += 1
            self._done_places[key] = place

    def _tell(self, entry: Entry, what: str) -> None:
        self.wrong.append(f"invocation {entry.invocation} by {entry.server} {what}")


def _grouped(entries: Sequence[Entry]) -> list[list[Entry]]:
    """Return the lines in groups that were written at once."""
    groups: list[list[Entry]] = []
    for entry in entries:
        last = groups[-1][-1] if groups else None
        if last is not None and last[:5] == entry[:5]:
            groups[-1].append(entry)
        else:
            groups.append([entry])
    return groups


def wrong_checkpoints(
    positions: Mapping[str, str | None], done: set[RecordId], tree: Tree
) -> list[str]:
    """Return which of a mapping's checkpoints are beyond a record that is not `done`.

    `positions` are what is stored, by shard: the stamp from which on to read, with a mark behind it
    where nothing is owed; None where the shard is finished.
    """
    wrong = []
    for shard, position in positions.items():
        end = None if position is None else int(sequence_number(int(position.rstrip("+"))))
        below = (each for each in tree.records[shard] if end is None or int(each.number) < end)
        if ahead := [record for record in below if record not in done]:
            wrong.append(f"the checkpoint {position} of {shard} is beyond {ahead[0]}")
    return wrong


def windows_of(entries: Sequence[Entry]) -> dict[tuple[str, int], set[int]]:
    """Return how many records each window had when it was closed, by its shard and start."""
    found: defaultdict[tuple[str, int], set[int]] = defaultdict(set)
    for entry in entries:
        if entry.what == "window":
            start = datetime.fromisoformat(entry.number).timestamp()
            found[entry.key, int(start)].add(int(entry.mark))
    return dict(found)


def windows_owed(tree: Tree, seconds: int) -> dict[tuple[str, int], set[int]]:
    """Return the same as it must be."""
    counts = Counter(
        (shard, tree.created_s[record] // seconds * seconds)
        for record, shard in tree.shard_of.items()
    )
    return {window: {count} for window, count in counts.items()}
