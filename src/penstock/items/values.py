"""Attribute values: from the JSON that a client sent to the canonical form used everywhere inside.

A canonical value is DynamoDB's own wire form with exactly one member: numbers in canonical text,
binary in canonical base64, sets sorted (by code point, by number, by bytes) and without duplicates.
What arrives is first checked for its JSON types (`check_types`, SerializationException) and then
for the rules of values (`canonical_value`, ValidationException). Each walks a value once, no deeper
than values may nest.

The canonical form shares what it can with the JSON it was made of: treat both as immutable.
Texts of the errors: AWS, 2026-10, as measured by dynalite, Dynoxide and ExtendDB, except where a
comment says that a text is unconfirmed.
"""

import binascii
from collections.abc import Callable, Iterable
from typing import Any

from penstock.base.errors.api import ApiError
from penstock.base.errors.dynamodb import parameter_values_invalid, serialization, validation
from penstock.base.limits import attribute_name_bytes_max, nesting_levels_max
from penstock.items.numbers import as_decimal, canonical_number, is_canonical

Value = dict[str, Any]
"""One canonical attribute value: exactly one member, its name the type."""

Item = dict[str, Value]
"""The attributes of an item, or the members of a map, by name."""

_UTF8_BYTES_PER_CHAR_MAX = 4
_SHORT_NAME_CHARS_MAX = attribute_name_bytes_max // _UTF8_BYTES_PER_CHAR_MAX


# --- the JSON types of what arrives


def check_types(raw: Any) -> None:
    """Check that `raw` has the JSON types of an attribute value; null stands for nothing at all.

    Members that no attribute value has are ignored. Raises SerializationException.
    """
    _check_value(raw, 1)


def check_types_of_all(raw: dict[str, Any]) -> None:
    """Check each member of `raw` as `check_types` does."""
    for value in raw.values():
        if type(value) is dict and len(value) == 1:  # spares most values the walk
            (kind,) = value
            if (kind == "S" or kind == "N") and type(value[kind]) is str:  # noqa: PLR1714 - faster
                continue
        _check_value(value, 1)


def _check_value(raw: Any, level: int) -> None:
    if raw is None or level > nesting_levels_max:  # too deep: canonical_value says so
        return
    if type(raw) is not dict:
        raise _wrong_structure(raw)
    for kind, content in raw.items():
        check = _CHECKS.get(kind)
        if check is not None and content is not None:
            check(content, level)


def _check_text(raw: Any, _level: int) -> None:
    if type(raw) is not str:
        raise _wrong_scalar(raw, "String")


def _check_boolean(raw: Any, _level: int) -> None:
    if type(raw) is not bool:
        raise _wrong_scalar(raw, "Boolean")


def _check_binary(raw: Any, _level: int) -> None:
    if type(raw) is not str:
        raise _wrong_binary(raw)
    try:
        encoded_again = binascii.b2a_base64(binascii.a2b_base64(raw), newline=False)
    except ValueError:
        raise _bad_base64(raw) from None
    if encoded_again != raw.encode():
        raise _bad_base64(raw)


def _check_list(raw: Any, level: int) -> None:
    _check_is_list(raw)
    for element in raw:
        _check_value(element, level + 1)


def _check_map(raw: Any, level: int) -> None:
    if type(raw) is not dict:
        raise _wrong_map(raw)
    for member in raw.values():
        _check_value(member, level + 1)


def _check_set_of(check: Callable[[Any, int], None]) -> Callable[[Any, int], None]:
    def check_set(raw: Any, level: int) -> None:
        _check_is_list(raw)
        for member in raw:
            if member is not None:
                check(member, level)

    return check_set


def _check_is_list(raw: Any) -> None:
    if type(raw) is dict:
        raise _unexpected_structure()
    if type(raw) is not list:
        raise serialization("Unexpected field type")


_CHECKS: dict[str, Callable[[Any, int], None]] = {
    "S": _check_text,
    "N": _check_text,
    "B": _check_binary,
    "BOOL": _check_boolean,
    "NULL": _check_boolean,
    "SS": _check_set_of(_check_text),
    "NS": _check_set_of(_check_text),
    "BS": _check_set_of(_check_binary),
    "L": _check_list,
    "M": _check_map,
}


def _unexpected_structure() -> ApiError:
    return serialization("Start of structure or map found where not expected")


def _wrong_structure(raw: Any) -> ApiError:
    if type(raw) is list:
        return serialization(
            "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue"
        )
    return serialization("Unexpected field type")


def _wrong_map(raw: Any) -> ApiError:
    if type(raw) is list:
        return serialization("Start of list found where not expected")
    return serialization("Unexpected field type")


def _wrong_binary(raw: Any) -> ApiError:
    if type(raw) is dict:
        return _unexpected_structure()
    if type(raw) is list:
        return serialization("Unrecognized collection type class java.nio.ByteBuffer")
    return serialization("only base64-encoded strings are convertible to bytes")


def _wrong_scalar(raw: Any, wanted: str) -> ApiError:
    if type(raw) is dict:
        return _unexpected_structure()
    if type(raw) is list:
        return serialization(f"Unrecognized collection type class java.lang.{wanted}")
    if type(raw) is str:
        return serialization("Unexpected token received from parser")
    if type(raw) is bool:
        return serialization(f"{'TRUE' if raw else 'FALSE'}_VALUE cannot be converted to {wanted}")
    found = "NUMBER" if type(raw) is int else "DECIMAL"
    return serialization(f"{found}_VALUE cannot be converted to {wanted}")


def _bad_base64(text: str) -> ApiError:
    if len(text) % 4:
        return serialization(
            f"Base64 encoded length is expected a multiple of 4 bytes but found: {len(text)}"
        )
    body = text.removesuffix("=").removesuffix("=")
    for char in body:
        if not (char.isascii() and (char.isalnum() or char in "+/")):
            return serialization(f"Invalid Base64 character: '{char}'")
    return serialization("Invalid last non-pad Base64 character dectected")  # sic


# --- the rules of values


def canonical_value(raw: Any) -> Value:
    """Return the canonical form of an attribute value that passed `check_types`.

    Raises ValidationException. Empty strings and empty binary are values; keys refuse them later.
    """
    return _canonical(raw, 1)


def canonical_item(raw: dict[str, Any]) -> Item:
    """Return the canonical form of the attributes of an item or of a key, each of which passed
    `check_types`; errors as `canonical_value`.
    """
    return _canonical_members(raw, 1)


def check_nesting(item: Item) -> None:
    """Raise ValidationException where an item that was computed is nested too deep.

    A SET can put a value below itself, level by level.
    """
    for value in item.values():
        if "M" in value or "L" in value:
            break
    else:
        return
    below = list(item.values())
    for _ in range(nesting_levels_max):
        if not below:
            return
        below = [value for each in below for value in _children(each)]
    if below:
        raise _nested_too_deep()


def _children(value: Value) -> Iterable[Value]:
    ((kind, content),) = value.items()
    if kind == "M":
        members: Item = content
        return members.values()
    return content if kind == "L" else ()


def binary(encoded: str) -> bytes:
    """Return the bytes that canonical base64 text stands for."""
    return binascii.a2b_base64(encoded)


def _canonical(raw: Any, level: int) -> Value:
    if level > nesting_levels_max:
        raise _nested_too_deep()
    if raw is not None and len(raw) == 1:
        for kind, content in raw.items():
            if content is not None and kind in _CANONICAL:
                return _CANONICAL[kind](raw, content, level)
    return _canonical_of_several(raw, level)


def _canonical_of_several(raw: Any, level: int) -> Value:
    """Handle what has not exactly one member; an error inside one comes before their number."""
    known = [
        {kind: content}
        for kind, content in (raw or {}).items()
        if content is not None and kind in _CANONICAL
    ]
    values = [_canonical(one, level) for one in known]
    if len(values) == 1:
        return values[0]
    problem = "has more than one datatypes set" if values else "is empty"
    raise validation(
        f"Supplied AttributeValue {problem}, must contain exactly one of the supported datatypes"
    )


def _canonical_members(raw: dict[str, Any], level: int) -> Item:
    members: Item = {}
    may_stand = level <= nesting_levels_max
    for name, value in raw.items():
        if not 0 < len(name) <= _SHORT_NAME_CHARS_MAX:
            check_attribute_name(name)
        if may_stand and value is not None and len(value) == 1:
            # Most values are as they are to be: what `_canonical` would say of them, sooner.
            (kind,) = value
            content = value[kind]
            if content is not None and (kind == "S" or (kind == "N" and is_canonical(content))):
                members[name] = value
                continue
        members[name] = _canonical(value, level)
    return members


def check_attribute_name(name: str) -> None:
    """Raise ValidationException for an attribute name that is empty or above 64 KB."""
    if not name:  # AWS's words for the same in ExpressionAttributeNames; so DynamoDB Local
        raise validation("Empty attribute name")
    if len(name.encode()) > attribute_name_bytes_max:
        raise validation(
            "1 validation error detected: Attribute name is too large, must be less than "
            f"{attribute_name_bytes_max + 1} bytes"
        )


def _as_it_is(raw: Value, _content: Any, _level: int) -> Value:
    return raw


def _number(raw: Value, content: str, _level: int) -> Value:
    canonical = canonical_number(content)
    return raw if canonical == content else {"N": canonical}


def _null(raw: Value, content: bool, _level: int) -> Value:
    if not content:
        raise parameter_values_invalid("Null attribute value types must have the value of true")
    return raw


def _list(_raw: Value, content: list[Any], level: int) -> Value:
    below = level + 1
    return {"L": [_canonical(element, below) for element in content]}


def _map(_raw: Value, content: dict[str, Any], level: int) -> Value:
    return {"M": _canonical_members(content, level + 1)}


def _string_set(_raw: Value, content: list[str], _level: int) -> Value:
    if not content:
        raise parameter_values_invalid("An string set  may not be empty")
    if None in content:
        raise parameter_values_invalid("An string set may not have a null string as a member")
    _check_distinct(content)
    return {"SS": sorted(content)}


def _binary_set(_raw: Value, content: list[str], _level: int) -> Value:
    if not content:
        raise parameter_values_invalid("Binary sets should not be empty")
    _check_members(content)
    _check_distinct(content)
    return {"BS": sorted(content, key=binary)}


def _number_set(_raw: Value, content: list[str], _level: int) -> Value:
    if not content:
        raise parameter_values_invalid("An number set  may not be empty")
    _check_members(content)
    numbers = [canonical_number(text) for text in content]
    if len(set(numbers)) < len(numbers):
        raise validation("Input collection contains duplicates")
    return {"NS": sorted(numbers, key=as_decimal)}


def _check_members(content: list[Any]) -> None:
    if None in content:  # text unconfirmed
        raise parameter_values_invalid("A set must not contain null")


def _check_distinct(content: list[str]) -> None:
    if len(set(content)) < len(content):
        raise parameter_values_invalid(
            f"Input collection [{', '.join(content)}] contains duplicates."
        )


_CANONICAL: dict[str, Callable[[Value, Any, int], Value]] = {
    "S": _as_it_is,
    "N": _number,
    "B": _as_it_is,
    "BOOL": _as_it_is,
    "NULL": _null,
    "SS": _string_set,
    "NS": _number_set,
    "BS": _binary_set,
    "L": _list,
    "M": _map,
}


def _nested_too_deep() -> ApiError:
    return validation(
        "Nesting Levels have exceeded supported limits: "
        "Attributes in the item have nested levels beyond supported limit"
    )
