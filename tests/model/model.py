"""The model: tables as dicts, and what each step makes of them, their indexes and their streams.

Plain and slow: an index is worked out of the items whenever somebody asks.
"""

import contextlib
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from model.expressions import Invalid, holds, updated
from model.steps import (
    INDEXES,
    Check,
    IndexSpec,
    ItemAction,
    Put,
    Remove,
    Style,
    TableSpec,
    Update,
    ViewType,
)
from model.values import Item, Value, frozen_item

TTL_ATTRIBUTE = "t"
TTL_SECONDS_MAX = 5 * 365 * 86_400


class Refused(Exception):
    """A write that the server must refuse; where it is `whole`, all of a transaction with it."""

    def __init__(self, code: str, reasons: list[str] | None = None, *, whole: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.reasons = reasons
        self.whole = whole


class Change(NamedTuple):
    """What an item was and is."""

    old: Item | None
    new: Item | None


class Recorded(NamedTuple):
    """A record that a stream must hold."""

    key: Item
    change: Change
    by_service: bool


@dataclass
class ModelStream:
    """A stream, its records in the order of the changes."""

    view_type: ViewType
    is_whole: bool
    """Whether it has every change since the table was made."""
    records: list[Recorded] = field(default_factory=list)
    arn: str = ""


class ModelTable:
    """A table: its items by their keys, and its stream while it has one."""

    def __init__(self, spec: TableSpec) -> None:
        self.spec = spec
        self.items: dict[Any, Item] = {}
        self.indexes = [INDEXES[name] for name in spec.indexes]
        self.creating: str | None = None
        """The index that is not filled yet."""
        self.stream: ModelStream | None = None
        self.expires = False
        if spec.view_type is not None:
            self.stream = ModelStream(spec.view_type, True)

    def item(self, key: Item) -> Item | None:
        """Return the item of `key`, None where there is none."""
        return self.items.get(frozen_item(key))

    def change(self, key: Item, new: Item | None, by_service: bool = False) -> None:
        """Make the item of `key` what it shall be, and record it unless it was that before."""
        old = self.item(key)
        if old == new:
            return
        if new is None:
            del self.items[frozen_item(key)]
        else:
            self.items[frozen_item(key)] = new
        if self.stream is not None:
            self.stream.records.append(Recorded(key, Change(old, new), by_service))

    def check_indexes(self, item: Item) -> None:
        """Refuse an item that has, where an index has a key, what cannot be one."""
        for index in sorted(self.indexes):  # the first by name tells the error
            for name in index.partition + index.sort:
                kind, content = item.get(name, (None, None))
                if kind is not None and kind != self.spec.types[name]:
                    raise Refused("ValidationException")
                if content in {"", b""}:
                    raise Refused("ValidationException", whole=True)

    def entries(self, index: IndexSpec) -> list[Item]:
        """Return what the index must hold, in any order."""
        names = index.partition + index.sort
        return [
            self._projected(index, item)
            for item in self.items.values()
            if all(_is_key(item.get(name), self.spec.types[name]) for name in names)
        ]

    def _projected(self, index: IndexSpec, item: Item) -> Item:
        if index.projection == "ALL":
            return item
        shown = {*index.partition, *index.sort, *self.spec.key_names, *index.included}
        return {name: value for name, value in item.items() if name in shown}

    def expire(self, now_ms: int) -> None:
        """Delete the items whose time has passed, where the table has a time to live."""
        for item in list(self.items.values()):
            if self.expires and _is_expired(item, now_ms):
                key = {name: item[name] for name in self.spec.key_names}
                self.change(key, None, by_service=True)


def _is_key(value: Value | None, kind: str) -> bool:
    return value is not None and value[0] == kind and value[1] not in {"", b""}


def _is_expired(item: Item, now_ms: int) -> bool:
    kind, content = item.get(TTL_ATTRIBUTE, ("NULL", 0))
    now = now_ms // 1000
    return kind == "N" and now - TTL_SECONDS_MAX < int(content) < now


def check_fit(table: ModelTable, action: ItemAction) -> None:
    """Refuse an action that its table cannot take, whatever is in it."""
    if isinstance(action, Put):
        table.check_indexes(table.spec.key(action.key) | action.attributes)


def decided(table: ModelTable, action: ItemAction, style: Style) -> Item | None:
    """Return what `action` makes of its item; Refused where it is refused."""
    check_fit(table, action)
    key = table.spec.key(action.key)
    old = table.item(key)
    if style == "partiql":
        _check_presence(action, old)
        if isinstance(action, Remove) and old is None:
            return None  # whatever the condition
    if action.condition is not None and not holds(action.condition, old or {}):
        raise Refused("ConditionalCheckFailedException")
    match action:
        case Put(attributes=attributes):
            new: Item | None = key | attributes
        case Update(actions=actions):
            try:
                new = updated(actions, old, key)
            except Invalid:
                raise Refused("ValidationException") from None
        case Remove():
            new = None
        case Check():
            new = old
    if new is not None and new != old:
        table.check_indexes(new)
    return new


def _check_presence(action: ItemAction, old: Item | None) -> None:
    """Refuse INSERT where there is an item, UPDATE and EXISTS where there is none."""
    if isinstance(action, Put) and old is not None:
        raise Refused("DuplicateItemException")
    if isinstance(action, Update | Check) and old is None:
        raise Refused("ConditionalCheckFailedException")


class Model:
    """All tables of one program, by their places in it; None where there is none now."""

    def __init__(self, count: int) -> None:
        self.tables: list[ModelTable | None] = [None] * count
        self.streams: list[list[ModelStream]] = [[] for _ in range(count)]

    def table(self, place: int) -> ModelTable:
        """Return a table; Refused where there is none."""
        table = self.tables[place]
        if table is None:
            raise Refused("ResourceNotFoundException")
        return table

    def create(self, place: int, spec: TableSpec) -> None:
        """Make a table; Refused where there is one."""
        if self.tables[place] is not None:
            raise Refused("ResourceInUseException")
        table = self.tables[place] = ModelTable(spec)
        if table.stream is not None:
            self.streams[place].append(table.stream)

    def delete(self, place: int) -> None:
        """Delete a table; Refused where there is none, or an index of it is not filled yet."""
        if self.table(place).creating is not None:
            raise Refused("ResourceInUseException")
        self.tables[place] = None

    def set_stream(self, place: int, view_type: ViewType | None) -> None:
        """Switch a stream on or off; Refused where it is so already."""
        table = self.table(place)
        if (table.stream is None) == (view_type is None):
            raise Refused("ValidationException")
        table.stream = None
        if view_type is not None:
            table.stream = ModelStream(view_type, not table.items)
            self.streams[place].append(table.stream)

    def add_index(self, place: int, name: str) -> None:
        """Add an index that is not filled yet; one at a time."""
        table = self.table(place)
        if table.creating is not None:
            raise Refused("LimitExceededException")
        if INDEXES[name] in table.indexes:
            raise Refused("ValidationException")
        table.indexes.append(INDEXES[name])
        table.creating = name

    def remove_index(self, place: int, name: str) -> None:
        """Remove an index, while another is not filled yet only that one."""
        table = self.table(place)
        if INDEXES[name] not in table.indexes:
            raise Refused("ResourceNotFoundException")
        if table.creating not in {None, name}:
            raise Refused("LimitExceededException")
        table.indexes.remove(INDEXES[name])
        table.creating = None

    def set_time_to_live(self, place: int, enabled: bool) -> None:
        """Switch expiry on or off; Refused where it is so already."""
        table = self.table(place)
        if table.expires == enabled:
            raise Refused("ValidationException")
        table.expires = enabled

    def catch_up(self, now_ms: int) -> None:
        """Do what the server does beside the requests."""
        for table in self.tables:
            if table is not None:
                table.creating = None
                table.expire(now_ms)

    def write(self, action: ItemAction, style: Style) -> Change:
        """Carry out one action; Refused where the server must refuse it."""
        table = self.table(action.table)
        key = table.spec.key(action.key)
        change = Change(table.item(key), decided(table, action, style))
        table.change(key, change.new)
        return change

    def write_all(self, actions: tuple[ItemAction, ...], style: Style) -> None:
        """Carry out a batch in which each action is possible if all of them are."""
        keys = self._keys(actions)
        if len(set(keys)) < len(keys):
            raise Refused("ValidationException")
        made = [decided(self.table(action.table), action, style) for action in actions]
        for action, new in zip(actions, made, strict=True):
            table = self.table(action.table)
            table.change(table.spec.key(action.key), new)

    def execute_all(self, actions: tuple[ItemAction, ...]) -> list[Change | str]:
        """Carry out statements one by one; return the change or the error's code of each."""
        fit = []
        for action in actions:
            with contextlib.suppress(Refused):
                check_fit(self.table(action.table), action)
                fit.append(action)
        keys = self._keys(tuple(fit))
        if len(set(keys)) < len(keys):
            raise Refused("ValidationException")
        answers: list[Change | str] = []
        for action in actions:
            try:
                answers.append(self.write(action, "partiql"))
            except Refused as refused:
                answers.append(_REASONS[refused.code])
        return answers

    def transact(self, actions: tuple[ItemAction, ...], style: Style) -> None:
        """Carry out a transaction, or none of it."""
        self._check_fit(actions)
        made, reasons = [], []
        for action in actions:
            try:
                made.append(decided(self.table(action.table), action, style))
                reasons.append("None")
            except Refused as refused:
                if refused.whole:
                    raise
                reasons.append(_REASONS[refused.code])
        if len(made) < len(actions):
            raise Refused("TransactionCanceledException", reasons)
        for action, new in zip(actions, made, strict=True):
            table = self.table(action.table)
            table.change(table.spec.key(action.key), new)

    def _check_fit(self, actions: tuple[ItemAction, ...]) -> None:
        """Cancel for the first action that its table cannot take, before any condition."""
        keys = self._keys(actions)
        unfit = []
        for place, action in enumerate(actions):
            try:
                check_fit(self.table(action.table), action)
            except Refused as refused:
                if refused.whole:
                    raise
                unfit.append(place)
        fit = [key for place, key in enumerate(keys) if place not in unfit]
        if len(set(fit)) < len(fit):
            raise Refused("ValidationException")
        if unfit:
            reasons = ["ValidationError" if n == unfit[0] else "None" for n in range(len(keys))]
            raise Refused("TransactionCanceledException", reasons)

    def _keys(self, actions: tuple[ItemAction, ...]) -> list[Any]:
        """Return what tells the actions' items apart; Refused where there is no such table."""
        tables = [self.table(action.table) for action in actions]
        return [
            (action.table, frozen_item(table.spec.key(action.key)))
            for action, table in zip(actions, tables, strict=True)
        ]


_REASONS = {
    "ResourceNotFoundException": "ResourceNotFound",
    "ConditionalCheckFailedException": "ConditionalCheckFailed",
    "ValidationException": "ValidationError",
    "DuplicateItemException": "DuplicateItem",
}
