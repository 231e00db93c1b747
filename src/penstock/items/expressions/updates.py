"""Updates: from an old item to a new one, by the actions of an update expression.

1. Every operand is read from the old item, whatever other actions of the same update do to it.
2. List indexes are those of the old item. Elements set beyond the end of a list are appended in the
   order of their indexes (AWS developer guide); removed elements go last.
3. ADD and DELETE take nested paths too: the developer guide says otherwise, AWS allows them.
4. The parent of a path must be there and be of the right type, also for REMOVE.

The old item is never changed; the new one shares with it what no action touched.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from penstock.base.errors.expressions import (
    update_attribute_missing,
    update_of_key,
    update_operand_wrong,
    update_path_invalid,
    update_too_large,
)
from penstock.base.limits import item_bytes_max
from penstock.items.expressions.demands import (
    Demand,
    check_distinct,
    operand_types,
    section_operand,
)
from penstock.items.expressions.paths import (
    Elements,
    Operand,
    PathTree,
    Values,
    check_scalar_keys,
    chosen,
    elements_of,
    reader,
    tree_of,
)
from penstock.items.expressions.syntax import Action, Arithmetic, Call, Path, ValueRef
from penstock.items.expressions.syntax import Operand as OperandNode
from penstock.items.keys import KeySchema
from penstock.items.numbers import add, as_decimal, subtract
from penstock.items.values import Item, Value, binary

Change = Callable[[Item, Values], Value | None]
"""What one action puts at its path, from the old item; None leaves nothing there."""

_CREATING: Final = frozenset({"SET", "ADD"})
_SETS: Final[dict[str, Callable[[str], Any]]] = {"SS": str, "NS": as_decimal, "BS": binary}


class UpdateProgram(NamedTuple):
    """An update ready to run with the values of any request that has its text and names."""

    changes: PathTree
    written: PathTree
    paths: tuple[Elements, ...]
    nested: frozenset[str]
    creates: bool
    demands: tuple[Demand, ...]


class Updated(NamedTuple):
    """What an update made of an item."""

    new: Item
    program: UpdateProgram

    def updated_new(self) -> Item:
        """Return what UPDATED_NEW shows: only what actions wrote, by the paths that they name.

        A removed element shows nothing, nor does one that was appended at an index beyond the end
        (ExtendDB issue 98, measured on AWS).
        """
        return chosen(self.new, self.program.written)

    def updated_old(self, old: Item | None) -> Item:
        """Return what UPDATED_OLD shows: what was at the paths of the update before it."""
        return {} if old is None else chosen(old, self.program.changes)


class Update:
    """An update of one request."""

    __slots__ = ("_program", "_values")

    def __init__(self, program: UpdateProgram, values: Values) -> None:
        self._program = program
        self._values = values

    @property
    def nested(self) -> frozenset[str]:
        """The top-level attributes of which it writes or reads a part."""
        written = {str(name) for name, *below in self._program.paths if below}
        return self._program.nested | written

    def check_keys(self, schema: KeySchema) -> None:
        """Raise ValidationException where the update touches an attribute of the table's key, or
        reads a part of one.
        """
        for name, *_ in self._program.paths:
            if name in schema.names:
                raise update_of_key(str(name))
        check_scalar_keys(schema, self._program.nested)

    def creates(self, old: Item | None) -> bool:
        """Say whether there is an item afterwards.

        REMOVE and DELETE alone do not make one where there was none (ScyllaDB Alternator).
        """
        return old is not None or self._program.creates

    def apply(self, old: Item | None, key: Item) -> Updated:
        """Return what the update makes of `old`, or of a new item with only `key`.

        Raises ValidationException where an operand is missing or of a wrong type, a number leaves
        its range, or a path has no parent.
        """
        source = key if old is None else old
        new = _changed_members(source, self._program.changes, _Reading(source, self._values))
        return Updated(new, self._program)


class _Reading(NamedTuple):
    """What changes are computed from."""

    source: Item
    values: Values


def _changed_members(members: Item, changes: PathTree, reading: _Reading) -> Item:
    """Return a copy of an item, or of the members of a map, with the changes below it made."""
    result = dict(members)
    for name, below in changes.items():
        assert isinstance(name, str)  # paths.py: all names or all indexes
        if type(below) is dict:
            result[name] = _changed(members.get(name), below, reading)
            continue
        value = below(*reading)
        if value is None:
            result.pop(name, None)
        else:
            result[name] = value
    return result


def _changed_elements(elements: list[Value], changes: PathTree, reading: _Reading) -> list[Value]:
    """Return a copy of a list with the changes below it made."""
    result = list(elements)
    removed: list[int] = []
    for index, below in sorted(changes.items()):
        assert isinstance(index, int)  # as above
        there = index < len(elements)
        value: Value | None
        if type(below) is dict:
            value = _changed(elements[index] if there else None, below, reading)
        else:
            value = below(*reading)
        if value is None:
            removed.append(index)
        elif there:
            result[index] = value
        else:
            result.append(value)
    for index in reversed(removed):
        if index < len(elements):
            del result[index]
    return result


def _changed(value: Value | None, changes: PathTree, reading: _Reading) -> Value:
    wanted = "M" if isinstance(next(iter(changes)), str) else "L"
    if value is None or wanted not in value:
        raise update_path_invalid()
    if wanted == "M":
        return {"M": _changed_members(value["M"], changes, reading)}
    return {"L": _changed_elements(value["L"], changes, reading)}


# --- compiling


def compile_update(kind: str, actions: Sequence[Action], names: Mapping[str, str]) -> UpdateProgram:
    """Return the program of an update; raises ValidationException where paths clash."""
    compiler = _Compiler(kind, names)
    paths = [elements_of(action.path, names) for action in actions]
    changes = [compiler.change(action) for action in actions]
    tree = tree_of(kind, list(zip(paths, changes, strict=True)))
    written = [
        (path, None)
        for path, action in zip(paths, actions, strict=True)
        if action.section != "REMOVE"
    ]
    return UpdateProgram(
        tree,
        tree_of(kind, written),
        tuple(paths),
        frozenset(compiler.nested),
        any(action.section in _CREATING for action in actions),
        tuple(compiler.demands),
    )


class _Compiler:
    """Turns actions into changes, and gathers what they demand of values on the way, and the
    attributes of which they read a part.
    """

    def __init__(self, kind: str, names: Mapping[str, str]) -> None:
        self._kind = kind
        self._names = names
        self.demands: list[Demand] = []
        self.nested: set[str] = set()

    def change(self, action: Action) -> Change:
        section, path, operand = action
        if operand is None:
            return _nothing
        if section == "SET":
            return _present(self._operand(operand))
        assert isinstance(operand, ValueRef)  # the grammar, for ADD and DELETE
        self.demands.append(section_operand(self._kind, section, operand.placeholder))
        read = reader(elements_of(path, self._names))
        return (_added if section == "ADD" else _without)(read, operand.placeholder)

    def _operand(self, node: OperandNode) -> Operand:
        match node:
            case Path():
                elements = elements_of(node, self._names)
                if len(elements) > 1:
                    self.nested.add(str(elements[0]))
                return reader(elements)
            case ValueRef(placeholder):
                return lambda _item, values: values[placeholder]
            case Call(function, nodes):
                if function == "if_not_exists":
                    self._check_distinct(function, nodes)
                self.demands += operand_types(self._kind, function, nodes)
                first, second = (self._operand(operand) for operand in nodes)
                return (_or_else if function == "if_not_exists" else _joined)(first, second)
            case Arithmetic(sign, left, right):
                self.demands += operand_types(self._kind, sign, (left, right))
                compute = add if sign == "+" else subtract
                return _computed(compute, self._operand(left), self._operand(right))

    def _check_distinct(self, function: str, nodes: Sequence[OperandNode]) -> None:
        first, *others = [elements_of(n, self._names) for n in nodes if isinstance(n, Path)]
        check_distinct(self._kind, function, first, others)


def _nothing(_item: Item, _values: Values) -> Value | None:
    return None


def _present(operand: Operand) -> Change:
    def value(item: Item, values: Values) -> Value | None:
        found = operand(item, values)
        if found is None:
            raise update_attribute_missing()
        return found

    return value


def _or_else(operand: Operand, other: Operand) -> Operand:
    def value(item: Item, values: Values) -> Value | None:
        found = operand(item, values)
        return other(item, values) if found is None else found

    return value


def _joined(head: Operand, tail: Operand) -> Operand:
    def value(item: Item, values: Values) -> Value | None:
        joined = _content(head(item, values), "L") + _content(tail(item, values), "L")
        if len(joined) > item_bytes_max:  # no item can hold it, and an update may have many more
            raise update_too_large()
        return {"L": joined}

    return value


def _computed(compute: Callable[[str, str], str], left: Operand, right: Operand) -> Operand:
    def value(item: Item, values: Values) -> Value | None:
        a, b = _content(left(item, values), "N"), _content(right(item, values), "N")
        return {"N": compute(a, b)}

    return value


def _content(value: Value | None, kind: str) -> Any:
    if value is None:
        raise update_attribute_missing()
    if kind not in value:
        raise update_operand_wrong()
    return value[kind]


def _added(read: Operand, placeholder: str) -> Change:
    def value(item: Item, values: Values) -> Value | None:
        current, given = read(item, values), values[placeholder]
        if current is None:
            return given
        _content(current, next(iter(given)))
        return added(current, given)

    return value


def _without(read: Operand, placeholder: str) -> Change:
    def value(item: Item, values: Values) -> Value | None:
        current, given = read(item, values), values[placeholder]
        if current is None:
            return None
        _content(current, next(iter(given)))
        return without(current, given)

    return value


def added(current: Value, given: Value) -> Value:
    """Return the sum of two numbers, or the union of two sets of one type."""
    ((kind, content),) = given.items()
    if kind == "N":
        return {"N": add(current["N"], content)}
    return {kind: sorted({*current[kind], *content}, key=_SETS[kind])}


def without(current: Value, given: Value) -> Value | None:
    """Return a set without the members of another of its type; None where none is left."""
    ((kind, content),) = given.items()
    gone = frozenset(content)
    left = [member for member in current[kind] if member not in gone]
    return {kind: left} if left else None
