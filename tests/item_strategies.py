"""Hypothesis strategies for attribute values, as clients spell them, and what such values mean."""

from base64 import b64decode, b64encode
from decimal import Context, Decimal, Inexact
from typing import Any

from hypothesis import strategies as st

Raw = dict[str, Any]

EXACT = Context(prec=500, traps=[Inexact])


@st.composite
def number_texts(draw: st.DrawFn) -> str:
    """Spell a number that DynamoDB can hold in one of its many spellings, canonical or not."""
    digits = str(draw(st.integers(0, 10 ** draw(st.sampled_from([1, 3, 19, 38])) - 1)))
    leading = draw(st.integers(-130, 125) | st.integers(-3, 5))
    magnitude = EXACT.scaleb(Decimal(digits), leading - len(digits) + 1)
    return draw(spellings(magnitude.copy_negate() if draw(st.booleans()) else magnitude))


@st.composite
def spellings(draw: st.DrawFn, value: Decimal) -> str:
    """Spell exactly `value`, maybe with an exponent, zeros and signs that mean nothing."""
    sign = "-" if value.is_signed() else draw(st.sampled_from(["", "+"]))
    zeros = "0" * draw(st.integers(0, 2))
    if draw(st.booleans()):
        plain = format(value.copy_abs(), "f")
        return sign + zeros + plain + (zeros if "." in plain else "")
    shift = draw(st.integers(-150, 150))
    mantissa = format(EXACT.scaleb(value.copy_abs(), -shift), "f")
    return f"{sign}{zeros}{mantissa}{draw(st.sampled_from('eE'))}{shift:+d}"


@st.composite
def respelled(draw: st.DrawFn, raw: Raw) -> Raw:
    """Spell the same value another way: members and sets shuffled, numbers written differently."""
    ((kind, content),) = raw.items()
    if kind == "N":
        return {kind: draw(spellings(Decimal(content)))}
    if kind == "NS":
        shuffled = draw(st.permutations(content))
        return {kind: [draw(spellings(Decimal(text))) for text in shuffled]}
    if kind in {"SS", "BS"}:
        return {kind: draw(st.permutations(content))}
    if kind == "L":
        return {kind: [draw(respelled(element)) for element in content]}
    if kind == "M":
        return {kind: draw(respelled_item(content))}
    return dict(raw)


@st.composite
def respelled_item(draw: st.DrawFn, item: dict[str, Raw]) -> dict[str, Raw]:
    """Spell the same item another way."""
    return {name: draw(respelled(item[name])) for name in draw(st.permutations(list(item)))}


def meaning(raw: Raw) -> Any:
    """Return something hashable, equal for two values exactly when DynamoDB holds them equal."""
    ((kind, content),) = raw.items()
    meanings: dict[str, Any] = {
        "N": Decimal,
        "B": b64decode,
        "SS": frozenset,
        "NS": lambda texts: frozenset(map(Decimal, texts)),
        "BS": lambda texts: frozenset(map(b64decode, texts)),
        "L": lambda elements: tuple(map(meaning, elements)),
        "M": lambda members: frozenset((name, meaning(value)) for name, value in members.items()),
    }
    return kind, meanings.get(kind, lambda same: same)(content)


texts = st.text(max_size=8) | st.sampled_from(
    ["", "a", "b", "é", "\U0001f600", "\uffee", '"\\\n\0']
)
names = st.text(min_size=1, max_size=6) | st.sampled_from(["a", "b", "Z", "\uffee", "\U0001f600"])
binaries = st.binary(max_size=8).map(lambda data: b64encode(data).decode())
plain_numbers = number_texts()


def _member(kind: str, content: st.SearchStrategy[Any]) -> st.SearchStrategy[Raw]:
    return content.map(lambda value: {kind: value})


def _set_of(elements: st.SearchStrategy[str], by: Any = None) -> st.SearchStrategy[list[str]]:
    return st.lists(elements, min_size=1, max_size=4, unique_by=by or (lambda same: same))


scalars = st.one_of(
    _member("S", texts),
    _member("N", plain_numbers),
    _member("B", binaries),
    _member("BOOL", st.booleans()),
    _member("NULL", st.just(True)),
    _member("SS", _set_of(texts)),
    _member("NS", _set_of(plain_numbers, Decimal)),
    _member("BS", _set_of(binaries)),
)
values = st.recursive(
    scalars,
    lambda inner: (
        _member("L", st.lists(inner, max_size=3))
        | _member("M", st.dictionaries(names, inner, max_size=3))
    ),
    max_leaves=8,
)
items = st.dictionaries(names, values, max_size=4)
