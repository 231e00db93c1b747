"""Checkers of what a stream promises, for every test that writes, reads and breaks a server.

A checker takes what clients saw of one table and its stream (view NEW_AND_OLD_IMAGES) and returns
what is wrong, one sentence each; nothing wrong is an empty list. They ask nothing of the server, so
they judge any, and whatever was done to it meanwhile. Records are given in the order of reading:
each shard's in its order, a parent's before its children's.

To match writes with records, every write leaves a mark of its own in one attribute of the item, a
string that no other write uses.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penstock.items.folding import Change, Image, differing, fold

Record = Mapping[str, Any]
"""A stream record as GetRecords returned it."""

_SHOWN_CHARS = 300


@dataclass(frozen=True, slots=True)
class Write:
    """One write as its client saw it; refused ones and those that found nothing are left out.

    `mark` is what it leaves in the item, None for a delete. `replaced` is the mark that the item
    had before, where the answer told. `began` and `ended` are seconds of one clock: no answer means
    that `ended` is when the client knew that none would come, and that the write may have happened.
    """

    key: Image
    mark: str | None
    began: float
    ended: float
    acknowledged: bool = True
    replaced: str | None = None


def key_text(key: Image) -> str:
    """Return the one text of a key's attribute values."""
    return json.dumps(key, sort_keys=True)


def wrong_records(writes: Iterable[Write], records: Sequence[Record], mark: str) -> list[str]:
    """Return where `records` are not every change of `writes` once, in the order of each item.

    1. A record is there once. 2. A write has no second record, and one if it was acknowledged.
    3. A record is of a write, and its old image is what that write was told to have replaced.
    4. A removal is of a delete. 5. The records of an item stand in the order of their sequence
    numbers, and of those writes of which one had ended before the other began.

    `mark` is the attribute that holds the marks. Writes to an item are matched by their marks,
    deletes by the mark that they removed or, if none was told, by their number.
    """
    changes = [_marked(record, mark) for record in records]
    known = list(writes)
    return [
        *_repeated_records(changes),
        *_wrong_images(known, changes),
        *_wrong_removals(known, changes),
        *_wrong_order(known, changes),
    ]


def wrong_fold(
    records: Iterable[Record], table: Iterable[Image], key_names: Sequence[str]
) -> list[str]:
    """Return where folding `records`, from the table's birth on, does not give `table`.

    Each old image must be what the records before left, and each event name must say what happened.
    `key_names` are the attributes of the key.
    """
    known = list(records)
    items = {_key_of(item, key_names): item for item in table}
    folded = fold(map(_change, known))
    wrong = [
        f"{_named(known[at])} has the old image {_shown(change.old)}, but the records before it"
        f" left {_shown(left)}"
        for at, change, left in folded.misfits
    ]
    wrong += [
        f"{_named(record)} is a {record['eventName']}, but its images make it a {event}"
        for record in known
        if record["eventName"] != (event := _event(_change(record)))
    ]
    wrong += [
        f"the item {key} folds to {_shown(folded.items.get(key))}, but the table has"
        f" {_shown(items.get(key))}"
        for key in differing(folded.items, items)
    ]
    return wrong


def lost_writes(
    writes: Iterable[Write], table: Iterable[Image], key_names: Sequence[str], mark: str
) -> list[str]:
    """Return the items of `table` in which an acknowledged write is lost, the stream left aside.

    An item is what some write made it, and no acknowledged write began after that one had ended.
    """
    by_key: defaultdict[str, list[Write]] = defaultdict(list)
    for write in writes:
        by_key[key_text(write.key)].append(write)
    marks = {_key_of(item, key_names): _mark(item, mark) for item in table}
    wrong = []
    for key in [*by_key, *(marks.keys() - by_key.keys())]:
        there = "nothing" if key not in marks else f"the mark {marks[key]!r}"
        makers = [write for write in by_key[key] if write.mark == marks.get(key)]
        if key in marks and not makers:
            wrong.append(f"the item {key} has {there}, which nobody wrote to it")
        since = max((write.ended for write in makers), default=float("-inf"))
        later = [write for write in by_key[key] if write.acknowledged and write.began > since]
        if later:
            wrong.append(f"the item {key} has {there}, but {_told(later[-1])} came later")
    return wrong


class StreamWatch:
    """Watches a reader of a stream: what it saw stays, and nothing new appears below it.

    Give it every page that the reader gets, over restarts and failures of the server.
    """

    def __init__(self) -> None:
        self._seen: defaultdict[str, dict[int, Record]] = defaultdict(dict)
        self._highest: dict[str, int] = {}

    @property
    def records_seen(self) -> int:
        """How many records the reader has seen."""
        return sum(map(len, self._seen.values()))

    def read_on(self, shard_id: str, page: Iterable[Record]) -> list[str]:
        """Take the next page of a reader that goes on where it was; return what is wrong."""
        wrong = []
        for record in page:
            number = _number(record)
            highest = self._highest.get(shard_id, -1)
            if number <= highest:
                wrong.append(f"{_named(record)} came after the reader of {shard_id} saw {highest}")
            self._highest[shard_id] = max(number, highest)
            self._seen[shard_id][number] = record
        return wrong

    def read_again(self, shard_id: str, records: Iterable[Record]) -> list[str]:
        """Take all records of a shard, read anew from its start; return what is wrong."""
        seen, highest = self._seen[shard_id], self._highest.get(shard_id, -1)
        found = {_number(record): record for record in records}
        wrong = [
            f"{_named(seen[n])} was seen in {shard_id} and is gone" for n in seen.keys() - found
        ]
        wrong += [
            f"{_named(record)} is new in {shard_id}, whose reader had already seen {highest}"
            for number, record in found.items()
            if number <= highest and number not in seen
        ]
        wrong += [
            f"{_named(seen[n])} was {_shown(seen[n])} and now is {_shown(found[n])}"
            for n in seen.keys() & found.keys()
            if seen[n] != found[n]
        ]
        return wrong


@dataclass(frozen=True, slots=True)
class _Marked:
    """A record with the marks of its images."""

    record: Record
    key: str
    old: str | None
    new: str | None
    removes: bool


def _marked(record: Record, mark: str) -> _Marked:
    change = _change(record)
    return _Marked(
        record, change.key, _mark(change.old, mark), _mark(change.new, mark), change.new is None
    )


def _repeated_records(changes: Iterable[_Marked]) -> Iterator[str]:
    counts = Counter(change.record["eventID"] for change in changes)
    for event_id, count in counts.items():
        if count > 1:
            yield f"the record with the eventID {event_id} is there {count} times"


def _wrong_images(writes: Iterable[Write], changes: Iterable[_Marked]) -> Iterator[str]:
    by_mark: defaultdict[tuple[str, str | None], list[_Marked]] = defaultdict(list)
    for change in changes:
        if not change.removes:
            by_mark[change.key, change.new].append(change)
    for write in writes:
        if write.mark is None:
            continue
        records = by_mark.pop((key_text(write.key), write.mark), [])
        if len(records) > 1:
            yield f"{_told(write)} has {len(records)} records: {_numbers(records)}"
        elif not records and write.acknowledged:
            yield f"{_told(write)} was acknowledged and has no record"
        for change in records:
            if write.replaced is not None and change.old != write.replaced:
                yield (
                    f"{_told(write)} replaced {write.replaced!r}, but {_named(change.record)}"
                    f" has {change.old!r} as the old mark"
                )
    for (_, found), records in by_mark.items():
        yield f"{_named(records[0].record)} has the mark {found!r}, which nobody wrote to it"


def _wrong_removals(writes: Iterable[Write], changes: Iterable[_Marked]) -> Iterator[str]:
    """Match removals with deletes: first those whose answers told what they removed."""
    by_mark: defaultdict[tuple[str, str | None], list[_Marked]] = defaultdict(list)
    for change in changes:
        if change.removes:
            by_mark[change.key, change.old].append(change)
    for (_, old), records in by_mark.items():
        if len(records) > 1:
            yield f"the item with the mark {old!r} was removed twice: {_numbers(records)}"
    untold: Counter[str] = Counter()
    for write in writes:
        key = key_text(write.key)
        if write.mark is not None:
            continue
        if write.replaced is None:
            untold[key] += 1
        elif by_mark.pop((key, write.replaced), None) is None:
            yield f"{_told(write)} removed {write.replaced!r} and has no record"
    for (key, _), records in by_mark.items():
        untold[key] -= len(records)
        if untold[key] < 0:
            yield f"{_named(records[-1].record)} is a removal that nobody asked for"


def _wrong_order(writes: Iterable[Write], changes: Iterable[_Marked]) -> Iterator[str]:
    made = {(key_text(w.key), w.mark is None, w.mark or w.replaced): w for w in writes}
    numbers: dict[str, int] = {}
    latest: dict[str, Write] = {}
    for change in changes:
        key, number = change.key, _number(change.record)
        if number <= numbers.get(key, -1):
            yield f"{_named(change.record)} stands after {numbers[key]}"
        numbers[key] = max(number, numbers.get(key, -1))
        by = change.old if change.removes else change.new
        write = made.get((key, change.removes, by))
        if write is None or by is None:
            continue
        last = latest.setdefault(key, write)
        if write.ended < last.began:
            yield (
                f"{_named(change.record)} of {_told(write)} stands after the record of"
                f" {_told(last)}, which began {last.began - write.ended:.6f} s after that had ended"
            )
        if write.began > last.began:
            latest[key] = write


def _change(record: Record) -> Change[str]:
    body = record["dynamodb"]
    return Change(key_text(body["Keys"]), body.get("OldImage"), body.get("NewImage"))


def _key_of(item: Image, key_names: Sequence[str]) -> str:
    return key_text({name: item[name] for name in key_names})


def _event(change: Change[str]) -> str:
    if change.old is None:
        return "INSERT"
    return "REMOVE" if change.new is None else "MODIFY"


def _mark(image: Image | None, name: str) -> str | None:
    found: str | None = None if image is None else image.get(name, {}).get("S")
    return found


def _number(record: Record) -> int:
    return int(record["dynamodb"]["SequenceNumber"])


def _numbers(changes: Iterable[_Marked]) -> str:
    return ", ".join(change.record["dynamodb"]["SequenceNumber"] for change in changes)


def _named(record: Record) -> str:
    body = record["dynamodb"]
    return f"record {body['SequenceNumber']} of {key_text(body['Keys'])}"


def _told(write: Write) -> str:
    what = "delete" if write.mark is None else f"write {write.mark!r}"
    return f"{what} of {key_text(write.key)}"


def _shown(value: Any) -> str:
    text = "nothing" if value is None else json.dumps(value, sort_keys=True, default=str)
    return text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "..."
