"""The names and values that the expressions of one request stand placeholders for."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from penstock.base.errors.api import ApiError
from penstock.base.errors.expressions import (
    empty_placeholder,
    empty_substitutions,
    invalid_placeholder,
    invalid_substitute,
    name_too_long,
    names_without_expression,
    placeholder_too_long,
    undefined_name,
    undefined_value,
    unused_placeholders,
    values_without_expression,
)
from penstock.base.limits import attribute_name_bytes_max, expression_placeholder_bytes_max
from penstock.items.expressions.syntax import Parsed
from penstock.items.values import Value, canonical_value

NAMES: Final = "ExpressionAttributeNames"
VALUES: Final = "ExpressionAttributeValues"

_LABEL = f"[A-Za-z0-9_]{{1,{expression_placeholder_bytes_max - 1}}}"
_NAME = re.compile("#" + _LABEL).fullmatch
_VALUE = re.compile(":" + _LABEL).fullmatch
_SHORT_NAME_CHARS_MAX = attribute_name_bytes_max // 4  # so many characters are never too many bytes


class Substitutions:
    """Names and values of one request; it keeps which of them its expressions used."""

    __slots__ = ("_used_names", "_used_values", "names", "values")

    def __init__(self, names: Mapping[str, str], values: Mapping[str, Value]) -> None:
        self.names = names
        """Attribute names by placeholder."""
        self.values = values
        """Canonical values by placeholder."""
        self._used_names: set[str] = set()
        self._used_values: set[str] = set()

    @classmethod
    def of(cls, request: Mapping[str, Any], kinds: Sequence[str]) -> "Substitutions":
        """Read the placeholders of a request, whose expressions are the members `kinds`.

        Raises ValidationException where nothing could use them, or a placeholder or what it stands
        for is invalid. Names come before values, and all placeholders before what they stand for.
        """
        check_expressions_given(request, kinds)
        names, values = request.get(NAMES), request.get(VALUES)
        if names is not None:
            _check_names(names)
        return cls(names or {}, {} if values is None else _canonical_values(values))

    def used_by(self, expression: Parsed) -> tuple[str, ...]:
        """Note what an expression uses, and return the names that its name placeholders stand for.

        Raises ValidationException for a placeholder that the request does not define.
        """
        for placeholder in expression.names:
            if placeholder not in self.names:
                raise undefined_name(expression.kind, placeholder)
        for placeholder in expression.values:
            if placeholder not in self.values:
                raise undefined_value(expression.kind, placeholder)
        self._used_names.update(expression.names)
        self._used_values.update(expression.values)
        return tuple([self.names[placeholder] for placeholder in expression.names])

    def check_all_used(self) -> None:
        """Raise ValidationException for placeholders that no expression used."""
        if len(self._used_names) < len(self.names):
            raise unused_placeholders(NAMES, [n for n in self.names if n not in self._used_names])
        if len(self._used_values) < len(self.values):
            raise unused_placeholders(
                VALUES, [v for v in self.values if v not in self._used_values]
            )


def check_expressions_given(request: Mapping[str, Any], kinds: Sequence[str]) -> None:
    """Raise ValidationException for names or values where no expression could use them.

    `kinds` are the members of a request that are expressions. This needs nothing but the presence
    of members, and comes before any value of an item or a key (so DynamoDB Local and dynalite).
    """
    if NAMES in request and not _has_one_of(request, kinds):
        raise names_without_expression()
    if VALUES in request:
        users = [kind for kind in kinds if kind != "ProjectionExpression"]
        if not _has_one_of(request, users):
            raise values_without_expression(users)


def _has_one_of(request: Mapping[str, Any], kinds: Sequence[str]) -> bool:
    return any(request.get(kind) is not None for kind in kinds)


def _check_names(names: Mapping[str, str]) -> None:
    _check_placeholders(NAMES, names, _NAME)
    for placeholder, name in names.items():
        if not name:
            raise invalid_substitute(NAMES, "Empty attribute name", placeholder)
        if len(name) > _SHORT_NAME_CHARS_MAX and _bytes(name) > attribute_name_bytes_max:
            raise name_too_long()


def _canonical_values(values: Mapping[str, Any]) -> dict[str, Value]:
    _check_placeholders(VALUES, values, _VALUE)
    canonical = {}
    for placeholder, raw in values.items():
        try:
            canonical[placeholder] = canonical_value(raw)
        except ApiError as error:
            raise invalid_substitute(VALUES, error.message or "", placeholder) from None
    return canonical


def _check_placeholders(
    member: str, given: Mapping[str, Any], matches: Callable[[str], object]
) -> None:
    """Raise ValidationException where there is none, or one that is none; length comes first."""
    if not given:
        raise empty_substitutions(member)
    for placeholder in given:
        if matches(placeholder):
            continue
        if not placeholder:
            raise empty_placeholder(member)
        if _bytes(placeholder) > expression_placeholder_bytes_max:
            raise placeholder_too_long(member)
        raise invalid_placeholder(member, placeholder)


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
