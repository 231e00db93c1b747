"""Shapes of requests: what JSON may stand where, and what of it the service's model forbids.

A shape reads a decoded JSON value in two ways at once, as DynamoDB does. A wrong JSON type is a
SerializationException and ends the reading; a broken constraint is noted, and all that were noted
make one ValidationException of the form `N validation errors detected: Value '…' at '…' failed to
satisfy constraint: …`. Texts: dynalite and AWS, 2026-10.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from penstock.base import limits
from penstock.base.errors import dynamodb
from penstock.items.values import check_types

Failures = list[str]


class Shape(Protocol):
    """What may stand at one place of a request."""

    def read(self, value: Any, path: str, failures: Failures) -> Any:
        """Return `value` as the service takes it; note in `failures` what its constraints forbid.

        `path` is the place in the service's own notation. Raises SerializationException for a
        wrong JSON type.
        """
        ...


def json_token(value: Any) -> str:
    """Return the name that the service's parser gives to a JSON scalar."""
    if value is True:
        return "TRUE_VALUE"
    if value is False:
        return "FALSE_VALUE"
    if isinstance(value, str):
        return "STRING_VALUE"
    return "NUMBER_VALUE" if isinstance(value, int) else "DECIMAL_VALUE"


def _not_a(java_type: str, value: Any) -> Exception:
    """Return the error for `value` where a scalar of `java_type` has to stand."""
    if isinstance(value, list):
        return dynamodb.serialization(f"Unrecognized collection type class java.lang.{java_type}")
    if isinstance(value, dict):
        return dynamodb.serialization("Start of structure or map found where not expected")
    return dynamodb.serialization(f"{json_token(value)} cannot be converted to {java_type}")


def _fail(failures: Failures, value: Any, path: str, constraint: str) -> None:
    shown = "null" if value is None else f"'{value}'"
    failures.append(
        f"Value {shown} at '{path}' failed to satisfy constraint: Member must {constraint}"
    )


def _check_length(
    failures: Failures, value: Any, path: str, length: int, low: int | None, high: int | None
) -> None:
    if low is not None and length < low:
        _fail(failures, value, path, f"have length greater than or equal to {low}")
    if high is not None and length > high:
        _fail(failures, value, path, f"have length less than or equal to {high}")


def _check_size(
    failures: Failures, value: Any, path: str, low: int | None, high: int | None
) -> None:
    size = len(value)
    if (low is not None and size < low) or (high is not None and size > high):
        _check_length(failures, java_text(value), path, size, low, high)


class String:
    """A JSON string, with the lengths (characters), pattern and values that the model allows."""

    def __init__(
        self,
        low: int | None = None,
        high: int | None = None,
        pattern: str | None = None,
        values: Sequence[str] | None = None,
    ) -> None:
        self._low, self._high, self._pattern = low, high, pattern
        self._match = re.compile(pattern).fullmatch if pattern else None
        self._values = values

    def read(self, value: Any, path: str, failures: Failures) -> Any:
        if not isinstance(value, str):
            raise _not_a("String", value)
        if self._match and not self._match(value):
            constraint = f"satisfy regular expression pattern: {self._pattern}"
            _fail(failures, value, path, constraint)
        _check_length(failures, value, path, len(value), self._low, self._high)
        if self._values is not None and value not in self._values:
            listed = ", ".join(self._values)
            _fail(failures, value, path, f"satisfy enum value set: [{listed}]")
        return value


class Integer:
    """A JSON number taken as a whole one; `java_type` is Integer or Long."""

    def __init__(
        self, low: int | None = None, high: int | None = None, java_type: str = "Integer"
    ) -> None:
        self._low, self._high, self._java_type = low, high, java_type

    def read(self, value: Any, path: str, failures: Failures) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _not_a(self._java_type, value)
        whole = int(value)
        if self._low is not None and whole < self._low:
            _fail(failures, whole, path, f"have value greater than or equal to {self._low}")
        if self._high is not None and whole > self._high:
            _fail(failures, whole, path, f"have value less than or equal to {self._high}")
        return whole


class Boolean:
    """JSON true or false."""

    def read(self, value: Any, path: str, failures: Failures) -> Any:
        if isinstance(value, bool):
            return value
        if isinstance(value, str):
            raise dynamodb.serialization("Unexpected token received from parser")
        raise _not_a("Boolean", value)


class AttributeValue:
    """An attribute value as it arrives; its contents are judged by `items.values`."""

    def read(self, value: Any, path: str, failures: Failures) -> Any:
        check_types(value)
        return value


class ListOf:
    """A JSON list of one shape."""

    def __init__(self, member: Shape, low: int | None = None, high: int | None = None) -> None:
        self._member, self._low, self._high = member, low, high

    def read(self, value: Any, path: str, failures: Failures) -> Any:
        if isinstance(value, dict):
            raise dynamodb.serialization("Start of structure or map found where not expected")
        if not isinstance(value, list):
            raise dynamodb.serialization("Unexpected field type")
        _check_size(failures, value, path, self._low, self._high)
        return [
            self._member.read(member, f"{path}.{place}.member", failures)
            for place, member in enumerate(value, 1)
        ]


class MapOf:
    """A JSON object with names of the client's choice and values of one shape."""

    def __init__(
        self,
        member: Shape,
        low: int | None = None,
        high: int | None = None,
        java_type: str = "com.amazonaws.dynamodb.v20120810.AttributeValue",
        name: Callable[[str, str, Failures], None] | None = None,
    ) -> None:
        self._member, self._low, self._high = member, low, high
        self._java_type, self._check_name = java_type, name

    def read(self, value: Any, path: str, failures: Failures) -> Any:
        if isinstance(value, list):
            raise dynamodb.serialization(
                f"Unrecognized collection type java.util.Map<java.lang.String, {self._java_type}>"
            )
        if not isinstance(value, dict):
            raise dynamodb.serialization("Unexpected field type")
        _check_size(failures, value, path, self._low, self._high)
        read = self._member.read
        result = {}
        for name, member in value.items():
            if self._check_name:
                self._check_name(name, path, failures)
            if member is not None:
                result[name] = read(member, f"{path}.{name}.member", failures)
        return result


class Member:
    """A member of a structure: its shape, whether it has to be there, and what we lack of it."""

    __slots__ = ("later", "required", "shape")

    def __init__(self, shape: Shape, *, required: bool = False, later: str | None = None) -> None:
        self.shape, self.required, self.later = shape, required, later


def required(shape: Shape) -> Member:
    """Return the member that has to be there."""
    return Member(shape, required=True)


def later(what: str, shape: Shape) -> Member:
    """Return a member that is read and then refused: this release does not have `what`."""
    return Member(shape, later=what)


class Structure:
    """A JSON object with the members of the service's model; members it does not know are dropped.

    AWS drops unknown members in silence too, so a client that is newer than the model keeps
    working.
    """

    def __init__(self, java_name: str, **members: Shape | Member) -> None:
        self._java_name = java_name
        self._members = [
            (name, lower_camel(name), shape if isinstance(shape, Member) else Member(shape))
            for name, shape in members.items()
        ]

    def read(self, value: Any, path: str, failures: Failures) -> Any:
        if isinstance(value, list):
            raise dynamodb.serialization(
                "Unrecognized collection type class"
                f" com.amazonaws.dynamodb.v20120810.{self._java_name}"
            )
        if not isinstance(value, dict):
            raise dynamodb.serialization("Unexpected field type")
        prefix = f"{path}." if path else ""
        result = {}
        for name, camel, member in self._members:
            given = value.get(name)
            if given is not None:
                result[name] = member.shape.read(given, prefix + camel, failures)
            elif member.required:
                _fail(failures, None, prefix + camel, "not be null")
        return result

    def request(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return the members of a whole request; ApiError for what the model forbids.

        A parameter that this release lacks is refused here, never dropped.
        """
        failures: Failures = []
        request: dict[str, Any] = self.read(body, "", failures)
        raise_failures(failures)
        for name, _, member in self._members:
            if member.later is not None and name in request:
                raise dynamodb.not_yet(member.later)
        return request


def raise_failures(failures: Failures) -> None:
    """Raise the one ValidationException that lists what constraints were broken, if any were."""
    if failures:
        count = len(failures)
        plural = "s" if count > 1 else ""
        listed = "; ".join(failures[: limits.validation_errors_listed_max])
        raise dynamodb.validation(f"{count} validation error{plural} detected: {listed}")


def lower_camel(name: str) -> str:
    """Return a member's name as the service spells it in a path."""
    return name[0].lower() + name[1:]


def java_text(value: Any) -> str:
    """Return a JSON collection roughly as the service prints it in a text about its length."""
    if isinstance(value, list):
        return "[" + ", ".join(java_text(member) for member in value) + "]"
    if isinstance(value, dict):
        return (
            "{" + ", ".join(f"{name}={java_text(member)}" for name, member in value.items()) + "}"
        )
    return str(value)
