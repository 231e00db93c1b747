"""Expressions made at random mean what a plain model of them in Python means."""

import operator
from copy import deepcopy
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.base.errors.api import ApiError
from penstock.items.expressions import prepare

Tree = tuple[Any, ...]

VALUES: dict[str, Any] = {
    ":s0": {"S": "a"},
    ":s1": {"S": "ab"},
    ":s2": {"S": "b"},
    ":n0": {"N": "-2"},
    ":n1": {"N": "1"},
    ":n2": {"N": "2.5"},
    ":n3": {"N": "10"},
    ":ss": {"SS": ["a", "b"]},
    ":l": {"L": [{"S": "a"}, {"N": "1"}]},
    ":t": {"BOOL": True},
}
ORDERED = [placeholder for placeholder in VALUES if placeholder[1] in "sn" and placeholder != ":ss"]
NUMBERS = [":n0", ":n1", ":n2", ":n3"]
TESTS = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

paths = st.sampled_from(["a", "b", "c", "m.a", "m.b", "l[0]", "l[1]", "#x", "m.#x[0]"])
values = st.sampled_from(sorted(VALUES))
PLAIN_PATHS = {"#x": "a.x", "m.#x[0]": "m.a.x[0]"}


def items() -> st.SearchStrategy[dict[str, Any]]:
    leaves = st.sampled_from(list(VALUES.values()))
    nested = st.dictionaries(st.sampled_from(["a", "b"]), leaves, max_size=2)
    odd = st.lists(leaves, max_size=1).map(lambda elements: {"L": elements})
    return st.fixed_dictionaries(
        {},
        optional={
            "a": leaves,
            "b": leaves,
            "c": leaves,
            "a.x": leaves,
            "m": st.tuples(nested, odd).map(lambda both: {"M": {**both[0], "a.x": both[1]}})
            | leaves,
            "l": st.lists(leaves, max_size=3).map(lambda elements: {"L": elements}),
        },
    )


# --- conditions: trees, their text, and what they mean


@st.composite
def comparisons(draw: st.DrawFn) -> Tree:
    left = draw(paths)
    others = st.sampled_from(ORDERED) | paths.filter(lambda path: path != left)
    kind = draw(st.sampled_from(["compare", "equal", "between", "in", "size", "call", "exists"]))
    if kind == "compare":
        return ("compare", draw(st.sampled_from(["<", "<=", ">", ">="])), left, draw(others))
    if kind == "equal":
        right = draw(values | paths.filter(lambda path: path != left))
        return ("compare", draw(st.sampled_from(["=", "<>"])), left, right)
    if kind == "between":
        low, high = sorted(draw(st.tuples(*[st.sampled_from([0, 1, 2, 3])] * 2)))
        return ("between", left, NUMBERS[low], NUMBERS[high])
    if kind == "in":
        return ("in", left, draw(st.lists(others, min_size=1, max_size=3)))
    if kind == "size":
        return ("compare", draw(st.sampled_from(sorted(TESTS))), f"size({left})", draw(others))
    if kind == "call":
        function = draw(st.sampled_from(["begins_with", "contains"]))
        return (function, left, draw(st.sampled_from([":s0", ":s1", ":s2"])))
    return (draw(st.sampled_from(["attribute_exists", "attribute_not_exists"])), left)


trees = st.recursive(
    comparisons(),
    lambda inner: (
        st.tuples(st.just("not"), inner)
        | st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3))
    ),
    max_leaves=8,
)

STRENGTH = {"or": 0, "and": 1, "not": 2}


def text_of(tree: Tree, needed: int = 0) -> str:
    """Print a tree with the parentheses that precedence needs, and no others."""
    kind, *rest = tree
    if kind in STRENGTH:
        own = STRENGTH[kind]
        if kind == "not":
            text = f"NOT {text_of(rest[0], 2)}"
        else:
            text = f" {kind.upper()} ".join(text_of(part, own + 1) for part in rest[0])
        return f"({text})" if own < needed else text
    if kind == "compare":
        return f"{rest[1]} {rest[0]} {rest[2]}"
    if kind == "between":
        return f"{rest[0]} between {rest[1]} and {rest[2]}"
    if kind == "in":
        return f"{rest[0]} IN ({', '.join(rest[1])})"
    return f"{kind}({', '.join(rest)})"


def plain(value: dict[str, Any] | None) -> Any:
    """Return a value as its type and something of Python's that compares as it does."""
    if value is None:
        return None
    ((kind, content),) = value.items()
    return (kind, Decimal(content)) if kind == "N" else (kind, content)


def read(item: dict[str, Any], text: str) -> Any:
    """Return what an operand is in an item: its type and content, or None."""
    if text.startswith(":"):
        return plain(VALUES[text])
    if text.startswith("size("):
        found = read(item, text[5:-1])
        return None if found is None or found[0] in {"N", "BOOL"} else ("N", len(found[1]))
    if text in PLAIN_PATHS:
        value = item.get("a.x")
        if text != "#x":
            value = item.get("m", {}).get("M", {}).get("a.x")
            value = next(iter(value["L"]), None) if value else None
        return plain(value)
    if "[" in text:
        elements = item.get("l", {}).get("L", [])
        return plain(elements[int(text[2])]) if int(text[2]) < len(elements) else None
    if "." in text:
        return plain(item.get("m", {}).get("M", {}).get(text[2:]))
    return plain(item.get(text))


def compare(test: str, left: Any, right: Any) -> bool:
    if test in {"=", "<>"}:
        return (left is not None and left == right) == (test == "=")
    both = left is not None and right is not None and left[0] == right[0]
    return both and left[0] in {"S", "N"} and TESTS[test](left[1], right[1])


def means(tree: Tree, item: dict[str, Any]) -> bool:
    kind, *rest = tree
    if kind == "not":
        return not means(rest[0], item)
    if kind in {"and", "or"}:
        return (all if kind == "and" else any)([means(part, item) for part in rest[0]])
    if kind == "compare":
        return compare(rest[0], read(item, rest[1]), read(item, rest[2]))
    found = read(item, rest[0])
    if kind == "between":
        low, high = (read(item, bound) for bound in rest[1:])
        return compare("<=", low, found) and compare("<=", found, high)
    if kind == "in":
        return any(compare("=", found, read(item, other)) for other in rest[1])
    if kind.startswith("attribute"):
        return bool((found is not None) == (kind == "attribute_exists"))
    if found is None:
        return False
    wanted = read(item, rest[1])[1]
    if kind == "begins_with":
        return bool(found[0] == "S" and found[1].startswith(wanted))
    if found[0] == "L":
        return {"S": wanted} in found[1]
    return found[0] in {"S", "SS"} and wanted in found[1]


def request_of(kind: str, text: str) -> dict[str, Any]:
    request: dict[str, Any] = {kind: text}
    used = {placeholder: value for placeholder, value in VALUES.items() if _uses(text, placeholder)}
    if used:
        request["ExpressionAttributeValues"] = used
    if "#x" in text:
        request["ExpressionAttributeNames"] = {"#x": "a.x"}
    return request


def _uses(text: str, placeholder: str) -> bool:
    at = text.find(placeholder)
    while at >= 0:
        if not text[at + len(placeholder) : at + len(placeholder) + 1].isalnum():
            return True
        at = text.find(placeholder, at + 1)
    return False


@settings(max_examples=300)
@given(trees, items())
def test_a_condition_means_what_its_tree_means(tree: Tree, item: dict[str, Any]) -> None:
    condition = prepare(
        request_of("ConditionExpression", text_of(tree)), ("ConditionExpression",)
    ).condition
    assert condition is not None
    assert condition.holds(item) is means(tree, item)


@given(trees, items())
def test_not_is_the_contrary(tree: Tree, item: dict[str, Any]) -> None:
    kinds = ("ConditionExpression",)
    straight = prepare(request_of(kinds[0], text_of(tree)), kinds).condition
    contrary = prepare(request_of(kinds[0], f"NOT ({text_of(tree, 0)})"), kinds).condition
    assert straight is not None
    assert contrary is not None
    assert straight.holds(item) is not contrary.holds(item)


# --- updates: actions on the members of one map and one list, against a model of both

Content = dict[str, Any]
targets = st.sampled_from(["m.a", "m.b", "m.c", "l[0]", "l[1]", "l[2]", "l[3]", "l[5]"])
operands = st.sampled_from(
    [":n1", ":n3", ":s0", "m.a", "l[0]", "m.b + :n1", "if_not_exists(m.c, :n1)"]
)


@st.composite
def updates(draw: st.DrawFn) -> dict[str, tuple[str, str]]:
    chosen = draw(st.lists(targets, unique=True, min_size=1, max_size=5))
    return {
        target: draw(
            st.tuples(st.just("SET"), operands)
            | st.just(("REMOVE", ""))
            | st.tuples(st.just("ADD"), st.sampled_from([":n1", ":n3"]))
        )
        for target in chosen
    }


def update_text(actions: dict[str, tuple[str, str]]) -> str:
    sections = []
    for section in ("SET", "REMOVE", "ADD"):
        joint = " = " if section == "SET" else " "
        parts = [
            f"{target}{joint}{operand}".strip()
            for target, (kind, operand) in actions.items()
            if kind == section
        ]
        if parts:
            sections.append(f"{section} {', '.join(parts)}")
    return " ".join(sections)


class Impossible(Exception):
    """The model says that the update is refused."""


def number(value: Any) -> Decimal:
    if value is None or "N" not in value:
        raise Impossible
    return Decimal(value["N"])


def numeric(value: Decimal) -> dict[str, str]:
    return {"N": format(value.normalize(), "f")}


def fetched(members: Content, elements: list[Any], path: str) -> Any:
    if path.startswith("m."):
        return members.get(path[2:])
    index = int(path[2:-1])
    return elements[index] if index < len(elements) else None


def computed(members: Content, elements: list[Any], target: str, action: tuple[str, str]) -> Any:
    section, operand = action
    current = fetched(members, elements, target)
    if section == "REMOVE":
        return None
    if section == "ADD":
        given_number = number(VALUES[operand])
        return numeric(given_number if current is None else number(current) + given_number)
    if operand == "m.b + :n1":
        return numeric(number(members.get("b")) + 1)
    if operand.startswith("if_not"):
        return members.get("c", VALUES[":n1"])
    value = VALUES.get(operand) or fetched(members, elements, operand)
    if value is None:
        raise Impossible
    return value


def modelled(item: Content, actions: dict[str, tuple[str, str]]) -> Content:
    """Apply the actions: all operands first, from the old item; then by place."""
    members, elements = item["m"]["M"], item["l"]["L"]
    results = {
        target: computed(members, elements, target, action) for target, action in actions.items()
    }
    new_members = {
        name: value
        for name in [*members, "a", "b", "c"]
        if (value := results.get(f"m.{name}", members.get(name))) is not None
    }
    places = [results.get(f"l[{at}]", old) for at, old in enumerate(elements)]
    places += [results.get(f"l[{at}]") for at in range(len(elements), 6)]
    return {"m": {"M": new_members}, "l": {"L": [place for place in places if place is not None]}}


leaf = st.sampled_from([{"N": "7"}, {"N": "-1.5"}, {"S": "q"}, {"N": "0"}])
contents = st.fixed_dictionaries(
    {
        "m": st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), leaf).map(lambda m: {"M": m}),
        "l": st.lists(leaf, max_size=4).map(lambda elements: {"L": elements}),
    }
)


@settings(max_examples=300)
@given(contents, updates())
def test_an_update_makes_what_the_model_makes(
    item: Content, actions: dict[str, tuple[str, str]]
) -> None:
    kinds = ("UpdateExpression",)
    update = prepare(request_of(kinds[0], update_text(actions)), kinds).update
    assert update is not None
    before = deepcopy(item)
    try:
        expected: Content | None = modelled(item, actions)
    except Impossible:
        expected = None
    try:
        found: Content | None = update.apply(item, {}).new
    except ApiError as error:
        assert error.code == "ValidationException"
        found = None
    assert found == expected
    assert item == before
