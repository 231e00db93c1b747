"""Document paths with their names filled in: reading one, and choosing several out of an item."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from penstock.base.errors.api import ApiError
from penstock.base.errors.expressions import key_not_scalar, paths_conflict, paths_overlap
from penstock.items.expressions.syntax import Path
from penstock.items.keys import KeySchema
from penstock.items.values import Item, Value

Elements = tuple[str | int, ...]
"""A path: an attribute's name, then names of members and indexes into lists."""

Values = Mapping[str, Value]
"""The canonical values of a request, by placeholder."""

Operand = Callable[[Item, Values], Value | None]
"""An operand ready to be read from an item and the values of a request; None where it is absent."""

PathTree = dict[str | int, Any]
"""Paths as a tree: below each name or index another tree, or what a path ending there leads to."""


def elements_of(path: Path, names: Mapping[str, str]) -> Elements:
    """Return `path` with the names that its placeholders stand for."""
    first = path.elements[0]
    if len(path.elements) == 1 and type(first) is str:
        return (names.get(first, first),)
    return tuple(names.get(e, e) if type(e) is str else e for e in path.elements)


def check_scalar_keys(schema: KeySchema, nested: frozenset[str]) -> None:
    """Raise ValidationException where an expression reads a part of a key attribute.

    `nested` are the attributes of which it reads a part.
    """
    for name in schema.names:
        if name in nested:
            raise key_not_scalar(name)


def path_text(elements: Elements) -> str:
    """Return a path as AWS writes it in errors: `[a, [1], b]`."""
    parts = (e if type(e) is str else f"[{e}]" for e in elements)
    return f"[{', '.join(parts)}]"


def reader(elements: Elements) -> Operand:
    """Return the operand that reads the value at a path."""
    name, *rest = elements
    assert isinstance(name, str)  # the grammar: a path begins with a name

    def read_attribute(item: Item, _values: Values) -> Value | None:
        return item.get(name)

    def read_below(item: Item, _values: Values) -> Value | None:
        value = item.get(name)
        for element in rest:
            value = _below(value, element)
        return value

    return read_below if rest else read_attribute


def _below(value: Value | None, element: str | int) -> Value | None:
    if value is None:
        return None
    if isinstance(element, str):
        members: Item = value.get("M", {})
        return members.get(element)
    elements: list[Value] = value.get("L", [])
    return elements[element] if element < len(elements) else None


def tree_of(kind: str, leaves: Sequence[tuple[Elements, object]]) -> PathTree:
    """Return the tree of paths that lead to `leaves`, which are no dicts.

    Raises ValidationException where two of the paths overlap or conflict.
    """
    tree: PathTree = {}
    for at, (path, leaf) in enumerate(leaves):
        if not _add(tree, path, leaf):
            raise _clash(kind, [earlier for earlier, _ in leaves[:at]], path)
    return tree


def _add(tree: PathTree, path: Elements, leaf: object) -> bool:
    """Add one path to the tree; False where it overlaps or conflicts with one that is there."""
    for element in path[:-1]:
        if _is_of_other_kind(tree, element):
            return False
        tree = tree.setdefault(element, {})
        if type(tree) is not dict:
            return False
    if path[-1] in tree or _is_of_other_kind(tree, path[-1]):
        return False
    tree[path[-1]] = leaf
    return True


def _is_of_other_kind(tree: PathTree, element: str | int) -> bool:
    return bool(tree) and type(next(iter(tree))) is not type(element)


def _clash(kind: str, earlier: Sequence[Elements], path: Elements) -> ApiError:
    for other in earlier:
        differing = next(((a, b) for a, b in zip(other, path, strict=False) if a != b), None)
        if differing is None:
            return paths_overlap(kind, path_text(other), path_text(path))
        if type(differing[0]) is not type(differing[1]):
            return paths_conflict(kind, path_text(other), path_text(path))
    raise AssertionError(path)


def chosen(item: Item, tree: PathTree) -> Item:
    """Return only what the paths of `tree` lead to in `item`, in the maps and lists around it.

    The chosen elements of a list close up, in the order of the list.
    """
    result: Item = {}
    for name, below in tree.items():
        assert isinstance(name, str)  # the grammar, and `_chosen_part`
        value = item.get(name)
        if value is not None:
            part = _chosen_part(value, below)
            if part is not None:
                result[name] = part
    return result


def _chosen_part(value: Value, below: Any) -> Value | None:
    if type(below) is not dict:
        return value
    if type(next(iter(below))) is str:
        members = chosen(value.get("M", {}), below)
        return {"M": members} if members else None
    elements: list[Value] = value.get("L", [])
    parts = (_chosen_part(elements[at], below[at]) for at in sorted(below) if at < len(elements))
    kept = [part for part in parts if part is not None]
    return {"L": kept} if kept else None
