"""Projections: the parts of an item that a read returns."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from penstock.items.expressions.paths import PathTree, chosen, elements_of, tree_of
from penstock.items.expressions.syntax import Path
from penstock.items.values import Item


class Projection(NamedTuple):
    """A projection of one request; it has no values, so requests with the same names share it."""

    tree: PathTree

    @property
    def names(self) -> frozenset[str]:
        """The top-level attributes that it takes, whole or in part."""
        return frozenset(map(str, self.tree))

    @property
    def nested(self) -> frozenset[str]:
        """The top-level attributes of which it takes a part."""
        return frozenset(str(name) for name, below in self.tree.items() if below is not None)

    def apply(self, item: Item) -> Item:
        """Return the projected parts of `item`; what it does not have is left out."""
        return chosen(item, self.tree)


def compile_projection(kind: str, paths: Sequence[Path], names: Mapping[str, str]) -> Projection:
    """Return the projection; raises ValidationException where paths overlap or conflict."""
    return Projection(tree_of(kind, [(elements_of(path, names), None) for path in paths]))
