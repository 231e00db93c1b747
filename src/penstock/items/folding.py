"""Folding a table's changes: the items that they leave, and the changes that do not fit together.

Pure: it judges what a consumer received, and is the same for whoever consumes.
"""

from collections.abc import Hashable, Iterable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)

Image = Mapping[str, Any]
"""An item as a record or a read shows it: attribute values by name."""


class Change(NamedTuple, Generic[K]):
    """One change of the item of `key`; an image is None where there was, or is, no item."""

    key: K
    old: Image | None
    new: Image | None


class Misfit(NamedTuple, Generic[K]):
    """A change whose old image is not what the changes before it left: that is `left`."""

    at: int
    change: Change[K]
    left: Image | None


class Folded(NamedTuple, Generic[K]):
    """The items that some changes leave, and those changes that do not fit."""

    items: dict[K, Image]
    misfits: list[Misfit[K]]


def fold(changes: Iterable[Change[K]]) -> Folded[K]:
    """Return what `changes`, in order and from an empty table on, make.

    A change that does not fit takes effect all the same, so that one gap is told once.
    """
    items: dict[K, Image] = {}
    misfits = []
    for at, change in enumerate(changes):
        left = items.get(change.key)
        if left != change.old:
            misfits.append(Misfit(at, change, left))
        if change.new is None:
            items.pop(change.key, None)
        else:
            items[change.key] = change.new
    return Folded(items, misfits)


def differing(folded: Mapping[K, Image], table: Mapping[K, Image]) -> list[K]:
    """Return the keys whose items differ between two tables or are in one of them only."""
    return [key for key in {**folded, **table} if folded.get(key) != table.get(key)]
