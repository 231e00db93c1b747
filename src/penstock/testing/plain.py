"""Plain Python values against attribute values: both ways, and where a wanted item differs.

What a test wants is plain and may hold matchers (see `changes`); what a stream record holds is
attribute values, from GetRecords or, with binary as base64, from an event of Lambda.
"""

import base64
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import Binary, TypeDeserializer

from penstock.app.difference import Edit, Image, Value, item_difference
from penstock.base.errors.api import ApiError
from penstock.items.numbers import canonical_number

_deserialize: Callable[[Any], Any] = TypeDeserializer().deserialize


def plain_item(image: Image) -> dict[str, Any]:
    """Return an item as plain values, its numbers as Decimal and its binary as bytes."""
    return {name: _bare(_deserialize(value)) for name, value in image.items()}


def item_edits(wanted: Mapping[str, Any], found: Image) -> tuple[Edit, ...]:
    """Return what leads from the `wanted` item, plain, to the one `found`; nothing where it fits.

    Raises TypeError, with the attribute's path, where `wanted` holds what no item can.
    """
    image = wire_image(found)
    return item_difference(as_image(wanted, image), image).edits


def as_image(wanted: Mapping[str, Any], found: Image | None = None) -> dict[str, Value]:
    """Return a plain item as attribute values; a matcher that fits `found` becomes what is there.

    Raises TypeError as `item_edits`.
    """
    there = found or {}
    return {name: _value(value, there.get(name), name) for name, value in wanted.items()}


def wire_image(image: Image) -> dict[str, Value]:
    """Return an image with binary as bytes and sets in order, wherever it came from."""
    return {name: _normal(value) for name, value in image.items()}


def _bare(plain: Any) -> Any:
    """Return a value of boto3 with `bytes` for its own class of binary."""
    if isinstance(plain, Binary):
        return _bytes(plain)
    if isinstance(plain, dict):
        return {name: _bare(value) for name, value in plain.items()}
    if isinstance(plain, list):
        return [_bare(value) for value in plain]
    return {_bare(value) for value in plain} if isinstance(plain, set) else plain


def _normal(value: Value) -> Value:
    ((kind, content),) = value.items()
    match kind:
        case "B":
            return {"B": _bytes(content)}
        case "BS":
            return {"BS": sorted(_bytes(element) for element in content)}
        case "SS" | "NS":
            return {kind: sorted(content)}
        case "L":
            return {"L": [_normal(element) for element in content]}
        case "M":
            return {"M": wire_image(content)}
        case _:
            return value


def _bytes(content: Any) -> bytes:
    """Return binary as bytes: that of boto3, or of an event of Lambda."""
    return base64.b64decode(content) if isinstance(content, str) else bytes(content)


def _value(plain: Any, found: Value | None, path: str) -> Value:
    match plain:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": plain}
        case Mapping():
            inner = (found or {}).get("M", {})
            return {"M": {n: _value(v, inner.get(n), f"{path}.{n}") for n, v in plain.items()}}
        case list() | tuple():
            inner = dict(enumerate((found or {}).get("L", ())))
            pairs = ((v, inner.get(at), f"{path}[{at}]") for at, v in enumerate(plain))
            return {"L": [_value(*pair) for pair in pairs]}
        case AbstractSet():
            return _set_value(plain, path)
        case _:
            return _scalar(plain, path) or _matched(plain, found)


def _scalar(plain: Any, path: str) -> Value | None:
    match plain:
        case str():
            return {"S": plain}
        case int() | Decimal() | float():
            return {"N": _number(plain, path)}
        case bytes() | bytearray() | Binary():
            return {"B": _bytes(plain)}
        case _:
            return None


def _number(plain: Decimal | float, path: str) -> str:
    try:
        return canonical_number(str(plain))
    except ApiError as error:
        raise TypeError(f"{path}: {plain!r} is no number of DynamoDB: {error.message}") from None


def _set_value(plain: AbstractSet[Any], path: str) -> Value:
    values = [
        None if isinstance(element, bool) else _scalar(element, path + "{}") for element in plain
    ]
    kinds = {kind for value in values for kind in (value or {"": None})}
    if len(kinds) != 1 or "" in kinds:
        raise TypeError(
            f"{path}: {plain!r} is no set of DynamoDB, which holds only strings, only numbers"
            " or only bytes, and one at least"
        )
    kind = kinds.pop()
    return {f"{kind}S": sorted(value[kind] for value in values if value)}


def _matched(matcher: Any, found: Value | None) -> Value:
    """Return `found` where `matcher` fits it, else what shows the matcher in a difference.

    That is its repr in place of a number: the one kind that is shown as it stands.
    """
    if found is not None and matcher == _bare(_deserialize(found)):
        return found
    return {"N": repr(matcher)}
