"""Holding the changes that were found against those expected, and telling the difference.

Per item the order counts, between items it does not. Both sides of an item are brought beside each
other so that as few changes as possible are missing, unexpected or different, and what is told is
that: item by item, attribute by attribute, in plain values.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import accumulate
from typing import Any

from penstock.app.difference import (
    Edit,
    Image,
    Kind,
    item_difference,
    path_name,
    shortened,
    shortened_pair,
    value_text,
)
from penstock.testing.changes import ItemChange, Plain
from penstock.testing.plain import as_image, item_edits, plain_item, wire_image

Record = Mapping[str, Any]
"""A stream record as GetRecords or an event of Lambda has it."""

_ITEMS_SHOWN_MAX = 20
_CHANGES_SHOWN_MAX = 60
_CONTEXT_CHANGES = 2  # as expected, before and after those that are not
_PAIRS_MAX = 40_000  # of one item; beyond it changes are compared in their places


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedChange(ItemChange):
    """A change as a stream record tells it; an image is None also where the view leaves it out."""

    keys: Plain
    shard_id: str
    record: Record

    @property
    def sequence_number(self) -> str:
        """The record's sequence number."""
        number: str = self.record["dynamodb"]["SequenceNumber"]
        return number

    @property
    def image(self) -> Plain:
        """The item after the change, or before it, or as much of it as the view shows."""
        return (self.old if self.new is None else self.new) or self.keys


class _Verdict(Enum):
    FITS = "            "
    MISSING = "- missing   "
    UNEXPECTED = "+ unexpected"
    DIFFERS = "~ differs   "


_COSTS = {  # so that a change in the wrong place is shown as that, not as two that differ
    _Verdict.FITS: 0,
    _Verdict.MISSING: 2,
    _Verdict.UNEXPECTED: 2,
    _Verdict.DIFFERS: 3,
}


@dataclass(frozen=True, slots=True)
class _Row:
    """An expected change, the record beside it, or one of them alone; `edits` where they differ."""

    verdict: _Verdict
    expected: ItemChange | None
    record: Record | None
    edits: tuple[Edit, ...] = ()


@dataclass(slots=True)
class _Item:
    """All that is expected and all that was found of the item of one key."""

    title: str
    expected: list[ItemChange] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)


def captured(record: Record, shard_id: str) -> CapturedChange:
    """Return the change that a record of a shard tells, in plain values."""
    body = record["dynamodb"]
    old, new = (
        plain_item(wire_image(body[side])) if side in body else None
        for side in ("OldImage", "NewImage")
    )
    return CapturedChange(
        record["eventName"],
        old,
        new,
        _by_time_to_live(record),
        keys=plain_item(wire_image(body["Keys"])),
        shard_id=shard_id,
        record=record,
    )


def mismatch(
    expected: Sequence[ItemChange], records: Sequence[Record], key_names: Sequence[str] = ()
) -> str | None:
    """Return how `records` differ from the changes `expected`, or None where they do not.

    Raises TypeError where either is not what it should be.
    """
    items = _by_item(expected, records, key_names or _key_names(expected, records))
    rows = [(item.title, _beside(item.expected, item.records)) for item in items]
    wrong = [
        (title, found)
        for title, found in rows
        if any(row.verdict is not _Verdict.FITS for row in found)
    ]
    if not wrong:
        return None
    lines = [_summary(len(expected), len(records), [row for _, found in wrong for row in found])]
    for title, found in wrong[:_ITEMS_SHOWN_MAX]:
        lines += ["", title, *_told(found)]
    if len(wrong) > _ITEMS_SHOWN_MAX:
        lines += ["", f"and {len(wrong) - _ITEMS_SHOWN_MAX} more items"]
    return "\n".join(lines)


# --- items


def _key_names(expected: Sequence[ItemChange], records: Sequence[Record]) -> list[str]:
    for record in records:
        return list(_body(record)["Keys"])
    for change in expected:
        if isinstance(change, CapturedChange):
            return list(change.keys)
    return []


def _by_item(
    expected: Sequence[ItemChange], records: Sequence[Record], key_names: Sequence[str]
) -> list[_Item]:
    items: dict[str, _Item] = {}

    def of(key: Image) -> _Item:
        title = " ".join(f"{path_name(name)} {value_text(key[name])}" for name in key_names)
        return items.setdefault(repr(key), _Item(f"item {title}" if title else "any item"))

    for number, change in enumerate(expected, 1):
        of(_expected_key(change, key_names, number)).expected.append(change)
    for record in records:
        key = wire_image(_body(record)["Keys"])
        of({name: key[name] for name in key_names}).records.append(record)
    return list(items.values())


def _expected_key(change: Any, key_names: Sequence[str], number: int) -> Image:
    if not isinstance(change, ItemChange):
        raise TypeError(
            f"expected change {number} is {change!r}; make it with inserted(), modified(),"
            " removed() or expired()"
        )
    for name in key_names:
        if name not in change.image:
            raise TypeError(f"expected change {number} has no {name!r}, which is in the key")
    key = as_image({name: change.image[name] for name in key_names})
    if any(kind not in {"S", "N", "B"} for value in key.values() for kind in value):
        raise TypeError(
            f"expected change {number} has a key that is not of strings, numbers, bytes"
        )
    return key


def _body(record: Any) -> Mapping[str, Any]:
    try:
        body: Mapping[str, Any] = record["dynamodb"]
        if body["Keys"] and record["eventName"] in {"INSERT", "MODIFY", "REMOVE"}:
            return body
    except (TypeError, KeyError, IndexError):
        pass
    raise TypeError(f"not a record of a stream: {shortened(repr(record))}")


# --- changes of one item beside each other


def _beside(expected: Sequence[ItemChange], records: Sequence[Record]) -> list[_Row]:
    """Return the rows of one item, with as few that do not fit as can be."""
    first = 0
    while first < min(len(expected), len(records)) and _fits(expected[first], records[first]):
        first += 1
    rows = [
        _Row(_Verdict.FITS, change, record)
        for change, record in zip(expected[:first], records[:first], strict=True)
    ]
    left, right = expected[first:], records[first:]
    if len(left) * len(right) > _PAIRS_MAX:
        return rows + list(_in_places(left, right))
    return rows + _aligned(left, right)


def _in_places(expected: Sequence[ItemChange], records: Sequence[Record]) -> Iterator[_Row]:
    shared = min(len(expected), len(records))
    for change, record in zip(expected, records, strict=False):
        yield from _pair(change, record)
    yield from (_Row(_Verdict.MISSING, change, None) for change in expected[shared:])
    yield from (_Row(_Verdict.UNEXPECTED, None, record) for record in records[shared:])


def _pair(change: ItemChange, record: Record) -> list[_Row]:
    if not _same_event(change, record):
        missing = _Row(_Verdict.MISSING, change, None)
        return [missing, _Row(_Verdict.UNEXPECTED, None, record)]
    edits = _edits(change, record)
    return [_Row(_Verdict.DIFFERS if edits else _Verdict.FITS, change, record, edits)]


def _aligned(expected: Sequence[ItemChange], records: Sequence[Record]) -> list[_Row]:
    """Return the cheapest rows; a pair that fits costs nothing."""
    alone = [_Row(_Verdict.UNEXPECTED, None, record) for record in records]
    ways = list(accumulate(alone, _Way.on, initial=_Way()))
    for change in expected:
        missing = _Row(_Verdict.MISSING, change, None)
        above, ways = ways, [ways[0].on(missing)]
        for at, record in enumerate(records):
            choices = [ways[at].on(alone[at]), above[at + 1].on(missing)]
            pair = _pair(change, record)
            if len(pair) == 1:
                choices.insert(0, above[at].on(pair[0]))
            ways.append(min(choices, key=lambda way: way.cost))
    return ways[-1].rows()


@dataclass(frozen=True, slots=True)
class _Way:
    """Some rows and what they cost; the last one, and the way to it."""

    cost: int = 0
    before: "_Way | None" = None
    row: _Row | None = None

    def on(self, row: _Row) -> "_Way":
        return _Way(self.cost + _COSTS[row.verdict], self, row)

    def rows(self) -> list[_Row]:
        found = []
        way: _Way | None = self
        while way is not None and way.row is not None:
            found.append(way.row)
            way = way.before
        return found[::-1]


def _fits(change: ItemChange, record: Record) -> bool:
    return _same_event(change, record) and not _edits(change, record)


def _same_event(change: ItemChange, record: Record) -> bool:
    return change.event == record["eventName"] and change.expired == _by_time_to_live(record)


def _by_time_to_live(record: Record) -> bool:
    identity = record.get("userIdentity") or {}  # Lambda writes its members small
    return identity.get("Type", identity.get("type")) == "Service"


def _edits(change: ItemChange, record: Record) -> tuple[Edit, ...]:
    """Return what differs in the images that the record's view shows and the change tells of."""
    body, edits = record["dynamodb"], []
    for side, name, wanted in (("old", "OldImage", change.old), ("new", "NewImage", change.new)):
        if wanted is not None and name in body:
            found = item_edits(wanted, body[name])
            edits += [Edit(e.kind, f"{side}.{e.path}", e.old, e.new) for e in found]
    return tuple(edits)


# --- telling


def _summary(expected: int, found: int, rows: Sequence[_Row]) -> str:
    verdicts = [row.verdict for row in rows]
    counts = (
        (verdicts.count(_Verdict.MISSING), "missing"),
        (verdicts.count(_Verdict.UNEXPECTED), "unexpected"),
        (verdicts.count(_Verdict.DIFFERS), "different"),
    )
    told = ", ".join(f"{count} {word}" for count, word in counts if count)
    return f"{_number(expected, 'change')} expected, {found} found: {told}"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _told(rows: Sequence[_Row]) -> Iterator[str]:
    """Yield the lines of one item: what does not fit, and a little of what stands around it."""
    wrong = [at for at, row in enumerate(rows) if row.verdict is not _Verdict.FITS]
    near = {at + by for at in wrong for by in range(-_CONTEXT_CHANGES, _CONTEXT_CHANGES + 1)}
    shown = sorted(near & set(range(len(rows))))[:_CHANGES_SHOWN_MAX]
    after = 0
    for at in shown:
        if at > after:
            yield f"    … {_number(at - after, 'change')} as expected"
        yield from _row_lines(rows[at], rows)
        after = at + 1
    if after < len(rows):
        rest = "as expected" if wrong[-1] < after else "more"
        yield f"    … {_number(len(rows) - after, 'change')} {rest}"


def _row_lines(row: _Row, rows: Sequence[_Row]) -> Iterator[str]:
    if row.verdict is _Verdict.UNEXPECTED:
        assert row.record is not None
        text = _record_text(row.record) + _elsewhere(row.record, rows)
    else:
        assert row.expected is not None
        text = _change_text(row.expected) + _found_elsewhere(row, rows)
    yield f"  {row.verdict.value} {text}"
    widest = max((len(edit.path) for edit in row.edits), default=0)
    for edit in row.edits:
        yield f"      {edit.path:<{widest}}  {_edit_text(edit)}"


def _edit_text(edit: Edit) -> str:
    match edit.kind:
        case Kind.ADDED:
            return f"not expected, found {shortened(edit.new or '')}"
        case Kind.REMOVED:
            return f"expected {shortened(edit.old or '')}, not found"
        case _:
            wanted, found = shortened_pair(edit.old or "", edit.new or "")
            return f"expected {wanted}, found {found}"


def _elsewhere(record: Record, rows: Sequence[_Row]) -> str:
    """Return a note on a record that nobody expects where it is, if it is expected elsewhere."""
    for row in rows:
        if row.expected is not None and _fits(row.expected, record):
            return " (out of order)" if row.verdict is _Verdict.MISSING else " (a repetition)"
    return ""


def _found_elsewhere(missing: _Row, rows: Sequence[_Row]) -> str:
    if missing.verdict is not _Verdict.MISSING or missing.expected is None:
        return ""
    others = (row.record for row in rows if row.verdict is _Verdict.UNEXPECTED)
    found = any(record is not None and _fits(missing.expected, record) for record in others)
    return " (out of order)" if found else ""


def _change_text(change: ItemChange) -> str:
    old, new = (None if image is None else as_image(image) for image in (change.old, change.new))
    return _text(change.event, old, new, change.expired)


def _record_text(record: Record) -> str:
    body = record["dynamodb"]
    old, new = (
        wire_image(body[side]) if side in body else None for side in ("OldImage", "NewImage")
    )
    return _text(record["eventName"], old, new, _by_time_to_live(record))


def _text(event: str, old: Image | None, new: Image | None, by_time_to_live: bool) -> str:
    """Return a change on one line: what a MODIFY changes, the whole item of any other."""
    name = f"{event} by time to live" if by_time_to_live else event
    if old is not None and new is not None:
        edits = item_difference(old, new).edits
        return shortened(f"{name} " + ", ".join(map(_step_text, edits)))
    image = old if new is None else new
    return name if image is None else f"{name} {shortened(value_text({'M': image}))}"


def _step_text(edit: Edit) -> str:
    if edit.kind is Kind.CHANGED:
        return f"{edit.path} {edit.old} → {edit.new}"
    return f"{edit.kind.value}{edit.path} {edit.new or edit.old}"
