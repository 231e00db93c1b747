"""What a program consists of: tables, actions on items, and the steps that carry them out.

A key is numbers that the schema of the table, as it then is, turns into attributes; so a step has a
meaning whatever came before it.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from model.expressions import Action, Condition
from model.values import Item, Value, number, text

EPOCH_S = 1_790_000_000
"""The time at which every program begins."""

ViewType = Literal["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"]
VIEW_TYPES: tuple[ViewType, ...] = ("KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES")

PARTITIONS: dict[str, tuple[Value, ...]] = {
    "S": (text("p"), text("é"), text("p\0")),
    "N": (number(1), number("-2.5"), number("1E+3")),
    "B": (("B", b"\0"), ("B", b"\0\xff"), ("B", b"z")),
}
SORTS: dict[str, tuple[Value, ...]] = {
    "S": (text("a"), text("ab"), text("\U0001f600")),
    "N": (number(0), number("1.0"), number("-3")),
    "B": (("B", b"\xff"), ("B", b"\x01"), ("B", b"\x01\0")),
}
KEYS_PER_SIDE = 3


class Key(NamedTuple):
    """An item's key, by the places of its attributes' values in PARTITIONS and SORTS."""

    partition: int
    sort: int


class IndexSpec(NamedTuple):
    """A secondary index; the attributes of its keys are of the types in INDEX_TYPES."""

    name: str
    is_local: bool
    partition: tuple[str, ...]
    sort: tuple[str, ...]
    projection: Literal["ALL", "KEYS_ONLY", "INCLUDE"]
    included: tuple[str, ...] = ()


INDEX_TYPES = {"g": "S", "n": "N", "z": "B"}
GLOBAL_INDEXES = (
    IndexSpec("g-all", False, ("g",), (), "ALL"),
    IndexSpec("g-keys", False, ("g",), ("n",), "KEYS_ONLY"),
    IndexSpec("g-include", False, ("n",), ("pk",), "INCLUDE", ("a", "m")),
    IndexSpec("g-multi", False, ("g", "n"), ("z", "pk"), "ALL"),
    IndexSpec("g-multi-keys", False, ("z",), ("g", "n"), "KEYS_ONLY"),
)
LOCAL_INDEXES = (
    IndexSpec("l-all", True, ("pk",), ("n",), "ALL"),
    IndexSpec("l-keys", True, ("pk",), ("g",), "KEYS_ONLY"),
    IndexSpec("l-include", True, ("pk",), ("z",), "INCLUDE", ("a", "t")),
)
INDEXES = {index.name: index for index in GLOBAL_INDEXES + LOCAL_INDEXES}


@dataclass(frozen=True)
class TableSpec:
    """A table at its creation; `sort` is None for a simple key."""

    partition: str
    sort: str | None
    indexes: tuple[str, ...]
    view_type: ViewType | None
    expires: bool
    """Whether it gets a time to live at once."""

    @property
    def key_names(self) -> tuple[str, ...]:
        """The attributes of the key."""
        return ("pk",) if self.sort is None else ("pk", "sk")

    @property
    def types(self) -> dict[str, str]:
        """The types of the attributes that any key of the table or of an index may have."""
        of_key = {"pk": self.partition} | ({} if self.sort is None else {"sk": self.sort})
        return of_key | INDEX_TYPES

    def key(self, key: Key) -> Item:
        """Return the attributes of `key`."""
        partition = {"pk": PARTITIONS[self.partition][key.partition]}
        return partition if self.sort is None else partition | {"sk": SORTS[self.sort][key.sort]}


# --- what is done to one item


@dataclass(frozen=True)
class Put:
    """Put an item of these attributes and the key's."""

    table: int
    key: Key
    attributes: Item
    condition: Condition | None = None


@dataclass(frozen=True)
class Update:
    """Update an item."""

    table: int
    key: Key
    actions: tuple[Action, ...]
    condition: Condition | None = None


@dataclass(frozen=True)
class Remove:
    """Delete an item."""

    table: int
    key: Key
    condition: Condition | None = None


@dataclass(frozen=True)
class Check:
    """Check a condition on an item, in a transaction."""

    table: int
    key: Key
    condition: Condition


ItemAction = Put | Update | Remove | Check

Style = Literal["expressions", "legacy", "partiql"]


# --- steps


@dataclass(frozen=True)
class Single:
    """PutItem, UpdateItem, DeleteItem, or ExecuteStatement."""

    action: ItemAction
    style: Style


@dataclass(frozen=True)
class Batch:
    """BatchWriteItem, or BatchExecuteStatement."""

    actions: tuple[ItemAction, ...]
    style: Style


@dataclass(frozen=True)
class Transaction:
    """TransactWriteItems, or ExecuteTransaction; `token` is the number of its request token."""

    actions: tuple[ItemAction, ...]
    style: Style
    token: int | None


@dataclass(frozen=True)
class Repeat:
    """Send the latest transaction that had a token again, or another one with its token."""

    is_same: bool


@dataclass(frozen=True)
class Advance:
    """Let time pass, and expire what has expired."""

    seconds: int


@dataclass(frozen=True)
class SetTimeToLive:
    """Switch the expiry by the attribute t on or off."""

    table: int
    enabled: bool


@dataclass(frozen=True)
class SetStream:
    """Switch the stream on with a view type, or off."""

    table: int
    view_type: ViewType | None


@dataclass(frozen=True)
class AddIndex:
    """Add a global secondary index to a table that may have items.

    With `beside` it is filled while the next steps are carried out, else when the jobs run next.
    """

    table: int
    name: str
    beside: bool


@dataclass(frozen=True)
class RemoveIndex:
    """Remove a global secondary index."""

    table: int
    name: str


@dataclass(frozen=True)
class DeleteTable:
    """Delete the table, and maybe create it again at once, with other keys than it had before."""

    table: int
    again: TableSpec | None


@dataclass(frozen=True)
class CreateTable:
    """Create the table."""

    table: int
    spec: TableSpec


@dataclass(frozen=True)
class Restart:
    """Stop the server and start it again."""


@dataclass(frozen=True)
class Audit:
    """Compare all there is, reading pages of so many items and records."""

    page: int


Step = (
    Single
    | Batch
    | Transaction
    | Repeat
    | Advance
    | SetTimeToLive
    | SetStream
    | AddIndex
    | RemoveIndex
    | DeleteTable
    | CreateTable
    | Restart
    | Audit
)


@dataclass(frozen=True)
class Program:
    """Tables, and what is done to them."""

    tables: tuple[TableSpec, ...]
    steps: tuple[Step, ...]
