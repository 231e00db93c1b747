"""Makes random programs: few keys, few attributes and few values, so that everything meets."""

from collections.abc import Callable
from dataclasses import replace

from model.choices import Choices, chance, pick, some
from model.expressions import (
    Absent,
    Action,
    Add,
    Append,
    Attribute,
    BeginsWith,
    Between,
    Both,
    Compare,
    Condition,
    Contains,
    Either,
    Exists,
    Joined,
    Literal,
    Not,
    OneOf,
    Operand,
    OrElse,
    Path,
    Remove,
    Set,
    Size,
    Sum,
)
from model.expressions import Delete as DeleteMembers
from model.model import TTL_ATTRIBUTE
from model.steps import (
    EPOCH_S,
    GLOBAL_INDEXES,
    KEYS_PER_SIDE,
    LOCAL_INDEXES,
    VIEW_TYPES,
    AddIndex,
    Advance,
    Audit,
    Batch,
    Check,
    CreateTable,
    DeleteTable,
    IndexSpec,
    ItemAction,
    Key,
    Put,
    RemoveIndex,
    Repeat,
    Restart,
    SetStream,
    SetTimeToLive,
    Single,
    Step,
    Style,
    TableSpec,
    Transaction,
    Update,
)
from model.steps import Remove as RemoveItem
from model.values import Item, Value, number, text

TABLES = 2
_NUMBERS = (number(1), number("1.0"), number(2), number("-3"), number("1E+2"), number("100"))
_TEXTS = (text("x"), text("xy"), text("é"), text("\U0001f600"))
_LIST: Value = ("L", (number(1), text("x")))
_MAP: Value = ("M", {"x": number(1), "y": ("L", (text("x"),))})
_ANY: tuple[Value, ...] = (
    *_NUMBERS[:3],
    *_TEXTS[:2],
    text(""),
    ("B", b"\x00\xff"),
    ("BOOL", True),
    ("NULL", True),
    ("SS", frozenset({"x", "y"})),
    _LIST,
    _MAP,
)
_STRING_SETS: tuple[Value, ...] = tuple(
    ("SS", frozenset(members)) for members in (["x"], ["x", "y"], ["y", "z"])
)
_NUMBER_SETS: tuple[Value, ...] = tuple(
    ("NS", frozenset(number(spelt)[1] for spelt in members))
    for members in (("1",), ("1.0", "2"), ("2E0", "-3"))
)
_TIMES: tuple[Value, ...] = (
    *(number(EPOCH_S + after) for after in (100, 700, 2_000, 5_000, 9_000)),
    number("1790001000.5"),
    number(EPOCH_S - 6 * 365 * 86_400),
    number(EPOCH_S - 4 * 365 * 86_400),
    text("soon"),
)
_USUAL: dict[str, tuple[Value, ...]] = {
    "a": _ANY,
    "g": _TEXTS[:3],
    "n": _NUMBERS,
    "z": (("B", b"\x00"), ("B", b"\x00\x01"), ("B", b"\xff")),
    "l": (_LIST, ("L", ()), ("L", (_MAP, number(2)))),
    "m": (_MAP, ("M", {}), ("M", {"x": text("x"), "y": ("L", ())})),
    "s": _STRING_SETS,
    "k": _NUMBER_SETS,
    TTL_ATTRIBUTE: _TIMES,
}
_NAMES = tuple(_USUAL)
_PATHS: tuple[Path, ...] = (
    *((name,) for name in _NAMES),
    ("m", "x"),
    ("m", "y"),
    ("m", "y", 0),
    ("l", 0),
    ("l", 1),
    ("l", 7),
    ("l", 0, "x"),
)
_READ_PATHS: tuple[Path, ...] = (*_PATHS, ("pk",), ("sk",), ("nowhere",))
_STYLES: tuple[Style, ...] = ("expressions", "legacy", "partiql")


def value(choices: Choices, name: str) -> Value:
    """Choose a value for an attribute: mostly of the type that it usually has."""
    return pick(choices, _ANY if chance(choices, 12) else _USUAL.get(name, _ANY))


def attributes(choices: Choices) -> Item:
    """Choose attributes beside the key."""
    return {name: value(choices, name) for name in some(choices, _NAMES, 5)}


def key(choices: Choices) -> Key:
    """Choose a key."""
    return Key(choices.below(KEYS_PER_SIDE), choices.below(KEYS_PER_SIDE))


# --- conditions


def condition(choices: Choices, style: Style, one_in: int) -> Condition | None:
    """Choose a condition once in so many times."""
    if not chance(choices, one_in):
        return None
    if style == "legacy":
        names = [(name,) for name in (*_NAMES, "nowhere")]
        leaves = [_leaf(choices, path, style) for path in some(choices, names, 2)]
        if not leaves:
            return None
        if len(leaves) == 1:
            return leaves[0]
        return Either(*leaves) if chance(choices, 2) else Both(*leaves)
    return _condition(choices, style, 2)


def _condition(choices: Choices, style: Style, depth: int) -> Condition:
    kind = choices.below(6)
    if depth and kind == 3:
        return Both(_condition(choices, style, depth - 1), _condition(choices, style, depth - 1))
    if depth and kind == 4:
        return Either(_condition(choices, style, depth - 1), _condition(choices, style, depth - 1))
    if depth and kind == 5:
        return Not(_condition(choices, style, depth - 1))
    # What a statement says of the key in its WHERE says where the item is.
    paths = _READ_PATHS if style == "expressions" else (*_PATHS, ("nowhere",))
    return _leaf(choices, pick(choices, paths), style)


def _leaf(choices: Choices, path: Path, style: Style) -> Condition:
    name = str(path[0])
    match choices.below(7 if style == "legacy" else 8):
        case 0:
            return Exists(path)
        case 1:
            return Absent(path)
        case 2:
            sign = pick(choices, ("=", "<>"))
            return Compare(path, sign, value(choices, name))
        case 3:
            sign = pick(choices, ("<", "<=", ">", ">="))
            return Compare(path, sign, pick(choices, (*_NUMBERS, *_TEXTS)))
        case 4:
            low, high = pick(choices, ((_NUMBERS[3], _NUMBERS[2]), (_TEXTS[0], _TEXTS[2])))
            return Between(path, low, high)
        case 5:
            other = pick(choices, _NUMBERS if style == "legacy" else _TEXTS)
            return OneOf(path, (pick(choices, _NUMBERS), other))
        case 6:
            return _holding(choices, path)
        case _:
            return Size(path, pick(choices, ("=", "<", ">=")), choices.below(3))


def _holding(choices: Choices, path: Path) -> Condition:
    if chance(choices, 2):
        return BeginsWith(path, pick(choices, _TEXTS[:3]))
    return Contains(path, pick(choices, (_TEXTS[0], _NUMBERS[0])))


# --- updates


def actions(choices: Choices, style: Style) -> tuple[Action, ...]:
    """Choose the actions of an update, on paths that are apart."""
    paths: tuple[Path, ...] = tuple((name,) for name in _NAMES)
    if style != "legacy" and chance(choices, 2):
        paths = _PATHS
    taken: list[Path] = []
    for path in some(choices, paths, 4):
        if not any(path[: len(t)] == t or t[: len(path)] == path for t in taken):
            taken.append(path)
    if style == "partiql" and not taken:
        taken.append(("a",))
    action = {"expressions": _action, "legacy": _legacy_action, "partiql": _assignment}[style]
    return tuple(action(choices, path) for path in taken)


def _action(choices: Choices, path: Path) -> Action:
    name = str(path[0])
    match choices.below(5):
        case 0:
            return Set(path, Literal(value(choices, name)))
        case 1:
            return Set(path, _operand(choices, path))
        case 2:
            return Remove(path)
        case 3:
            return Add(path, pick(choices, _addable(choices, path)))
        case _:
            return DeleteMembers(path, pick(choices, _sets(choices, name)))


def _assignment(choices: Choices, path: Path) -> Action:
    """Choose an action that PartiQL has: it adds to sets alone."""
    action = _action(choices, path)
    if isinstance(action, Add) and action.value[0] == "N":
        return Set(path, Literal(action.value))
    return action


def _addable(choices: Choices, path: Path) -> tuple[Value, ...]:
    """Return what may be added to what a path usually has, and sometimes what may not."""
    is_number = path in {("n",), (TTL_ATTRIBUTE,), ("m", "x"), ("l", 0)}
    if is_number or chance(choices, 8):
        return (*_NUMBERS, number(0))
    return _sets(choices, str(path[0]))


def _sets(choices: Choices, name: str) -> tuple[Value, ...]:
    return _NUMBER_SETS if (name == "k") != chance(choices, 10) else _STRING_SETS


def _operand(choices: Choices, path: Path) -> Operand:
    kind = choices.below(4)
    if kind == 0:
        return Attribute(pick(choices, _READ_PATHS))
    if path == ("l",) and kind > 1:
        return Joined(OrElse(path, Literal(("L", ()))), Literal(_LIST))
    if path[0] in {"n", "m"} and kind > 1:
        sign = pick(choices, ("+", "-"))
        return Sum(OrElse(path, Literal(_NUMBERS[0])), sign, Literal(pick(choices, _NUMBERS)))
    return OrElse(path, Literal(value(choices, str(path[0]))))


def _set_or_remove(choices: Choices, path: Path) -> Action:
    if chance(choices, 3):
        return Remove(path)
    return Set(path, Literal(value(choices, str(path[0]))))


def _legacy_action(choices: Choices, path: Path) -> Action:
    match choices.below(5):
        case 0 | 1:
            return _set_or_remove(choices, path)
        case 2:
            return Add(path, pick(choices, _addable(choices, path)))
        case 3:
            return DeleteMembers(path, pick(choices, _sets(choices, str(path[0]))))
        case _:
            return Append(path, _LIST)


# --- actions on items


def item_action(choices: Choices, style: Style, one_in: int = 3) -> ItemAction:
    """Choose an action on one item, with a condition once in so many times."""
    table, at = min(choices.below(3), TABLES - 1), key(choices)
    match choices.below(5):
        case 0 | 1:
            asked = None if style == "partiql" else condition(choices, style, one_in)
            return Put(table, at, attributes(choices), asked)
        case 2 | 3:
            return Update(table, at, actions(choices, style), condition(choices, style, one_in))
        case _:
            return RemoveItem(table, at, condition(choices, style, one_in))


def transacted_action(choices: Choices, style: Style) -> ItemAction:
    """Choose an action of a transaction."""
    if chance(choices, 5):
        asked = condition(choices, style, 3) or Absent(("nowhere",))
        return Check(choices.below(TABLES), key(choices), asked)
    action = item_action(choices, style, 8)
    if isinstance(action, Update) and not action.actions:
        return replace(action, actions=(Remove(("a",)),))
    return action


def _apart(choices: Choices, actions: list[ItemAction]) -> tuple[ItemAction, ...]:
    """Leave one action for each item, but for once in a while."""
    if chance(choices, 10):
        return tuple(actions)
    return tuple({(action.table, action.key): action for action in actions}.values())


def batched_action(choices: Choices) -> ItemAction:
    """Choose an action of a batch without conditions."""
    table, at = choices.below(TABLES), key(choices)
    return RemoveItem(table, at) if chance(choices, 3) else Put(table, at, attributes(choices))


# --- steps


def table_spec(choices: Choices) -> TableSpec:
    """Choose a table."""
    types = ("S", "N", "B")
    sort = pick(choices, (None, *types))
    indexes: tuple[IndexSpec, ...] = some(choices, GLOBAL_INDEXES, 3)
    if sort is not None:
        indexes += some(choices, LOCAL_INDEXES, 2)
    view_type = pick(choices, (VIEW_TYPES[3], *VIEW_TYPES, None))
    names = tuple(index.name for index in indexes)
    return TableSpec(pick(choices, types), sort, names, view_type, chance(choices, 2))


def _single(choices: Choices) -> Step:
    style = pick(choices, _STYLES)
    return Single(item_action(choices, style), style)


def _batch(choices: Choices) -> Step:
    count = 1 + choices.below(5)
    if chance(choices, 3):
        statements = [item_action(choices, "partiql") for _ in range(count)]
        return Batch(_apart(choices, statements), "partiql")
    batched = [batched_action(choices) for _ in range(count)]
    return Batch(_apart(choices, batched), "expressions")


def _transaction(choices: Choices) -> Step:
    style: Style = "partiql" if chance(choices, 3) else "expressions"
    count = 1 + choices.below(4)
    token = choices.below(3) if chance(choices, 2) else None
    acting = [transacted_action(choices, style) for _ in range(count)]
    return Transaction(_apart(choices, acting), style, token)


def _repeat(choices: Choices) -> Step:
    return Repeat(not chance(choices, 4))


def _control(choices: Choices) -> Step:
    table = choices.below(TABLES)
    match choices.below(12):
        case 0 | 1 | 2:
            return SetStream(table, pick(choices, (None, *VIEW_TYPES)))
        case 3 | 4:
            return AddIndex(table, pick(choices, GLOBAL_INDEXES).name, chance(choices, 2))
        case 5 | 6:
            return RemoveIndex(table, pick(choices, GLOBAL_INDEXES).name)
        case 7 | 8:
            return SetTimeToLive(table, not chance(choices, 3))
        case 9:
            return DeleteTable(table, None if chance(choices, 4) else table_spec(choices))
        case _:
            return CreateTable(table, table_spec(choices))


def _advance(choices: Choices) -> Step:
    return Advance(pick(choices, (60, 300, 601, 1_000)))


def _restart(_choices: Choices) -> Step:
    return Restart()


def _audit(choices: Choices) -> Step:
    return Audit(1 + choices.below(4))


KINDS: tuple[tuple[Callable[[Choices], Step], int], ...] = (
    (_single, 10),
    (_batch, 3),
    (_transaction, 4),
    (_repeat, 1),
    (_advance, 3),
    (_control, 3),
    (_restart, 1),
    (_audit, 1),
)
_WEIGHTED = tuple(make for make, weight in KINDS for _ in range(weight))


def step(choices: Choices) -> Step:
    """Choose a step."""
    return pick(choices, _WEIGHTED)(choices)
