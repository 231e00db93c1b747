"""Shapes of requests: what JSON may stand where, and what of it the service's model forbids.

A shape reads a decoded JSON value in two ways at once, as DynamoDB does. A wrong JSON type is a
SerializationException and ends the reading; a broken constraint is noted, and all that were noted
make one ValidationException of the form `N validation errors detected: Value '…' at '…' failed to
satisfy constraint: …`. Texts: dynalite and AWS, 2026-10.

Most requests break nothing. So a request is first read as it comes, keeping no account of places;
only where anything is amiss it is read anew, in the order of the model, to be told of it.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, Protocol, TypeVar

from penstock.base import limits
from penstock.base.errors import dynamodb
from penstock.base.errors.api import ApiError
from penstock.items.values import check_types, check_types_of_all

T = TypeVar("T")

JAVA = "com.amazonaws.dynamodb.v20120810."
"""Where the service's own types live, which its texts name."""

_SHOWN_MAX = 100

Place = str | None
"""The place of a value in the service's own notation; None in a reading that nobody is told of."""


class Failures:
    """The constraints that a request breaks: all are counted, as many kept as are ever listed."""

    __slots__ = ("count", "listed")

    def __init__(self) -> None:
        self.count = 0
        self.listed: list[str] = []

    def add(self, value: str | None, path: Place, constraint: str) -> None:
        """Note that the value at `path`, shown as it is given, does not satisfy `constraint`."""
        self.count += 1
        if len(self.listed) < limits.validation_errors_listed_max:
            shown = "null" if value is None else f"'{value}'"
            self.listed.append(
                f"Value {shown} at '{path}' failed to satisfy constraint: {constraint}"
            )

    def extend(self, later: "Failures") -> None:
        """Note what another part of the request breaks."""
        self.count += later.count
        self.listed += later.listed[: limits.validation_errors_listed_max - len(self.listed)]

    def raise_any(self) -> None:
        """Raise the one ValidationException that lists what is broken, if anything is."""
        if self.count:
            plural = "s" if self.count > 1 else ""
            listed = "; ".join(self.listed)
            raise dynamodb.validation(f"{self.count} validation error{plural} detected: {listed}")


class Shape(Protocol):
    """What may stand at one place of a request."""

    def read(self, value: Any, path: Place, failures: Failures) -> Any:
        """Return `value` as the service takes it; note in `failures` what its constraints forbid.

        Raises SerializationException for a wrong JSON type.
        """
        ...

    def text(self, value: Any) -> str:
        """Return `value`, which was read before, as the service prints it in its texts."""
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


class _Length:
    """How many characters or members there may be."""

    __slots__ = ("high", "low")

    def __init__(self, low: int | None, high: int | None) -> None:
        self.low, self.high = low, high

    def allows(self, length: int) -> bool:
        return (self.low is None or length >= self.low) and (
            self.high is None or length <= self.high
        )

    @property
    def at_least(self) -> str:
        return f"Member must have length greater than or equal to {self.low}"

    @property
    def at_most(self) -> str:
        return f"Member must have length less than or equal to {self.high}"

    def check(self, failures: Failures, length: int, value: str, path: Place) -> None:
        """Note what a `length` that is not allowed breaks; `value` is shown."""
        if not self.allows(length):
            too_short = self.low is not None and length < self.low
            failures.add(value, path, self.at_least if too_short else self.at_most)


class String:
    """A JSON string, with the lengths (characters), pattern and values that the model allows.

    The pattern is not asked of an empty text, whose length says it all unless `empty_is_matched`,
    nor of one that begins with `spared`.
    """

    def __init__(
        self,
        low: int | None = None,
        high: int | None = None,
        pattern: str | None = None,
        values: Sequence[str] | None = None,
        spared: str | None = None,
        empty_is_matched: bool = False,
    ) -> None:
        self._length, self._pattern, self._spared = _Length(low, high), pattern, spared
        self._empty_is_matched = empty_is_matched
        self._match = re.compile(pattern).fullmatch if pattern else None
        self._values = values

    def read(self, value: Any, path: Place, failures: Failures) -> Any:
        if not isinstance(value, str):
            raise _not_a("String", value)
        if self._match and not self._match(value) and not self._is_spared(value):
            constraint = f"Member must satisfy regular expression pattern: {self._pattern}"
            failures.add(value, path, constraint)
        self._length.check(failures, len(value), value, path)
        if self._values is not None and value not in self._values:
            listed = ", ".join(self._values)
            failures.add(value, path, f"Member must satisfy enum value set: [{listed}]")
        return value

    def text(self, value: Any) -> str:
        return str(value)

    def _is_spared(self, value: str) -> bool:
        """Say whether a value that does not match the pattern is not asked to."""
        if not value:
            return not self._empty_is_matched
        return self._spared is not None and value.startswith(self._spared)


class Integer:
    """A JSON number taken as a whole one; `java_type` is Integer or Long."""

    def __init__(
        self, low: int | None = None, high: int | None = None, java_type: str = "Integer"
    ) -> None:
        self._low, self._high, self._java_type = low, high, java_type

    def read(self, value: Any, path: Place, failures: Failures) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _not_a(self._java_type, value)
        whole = int(value)
        if self._low is not None and whole < self._low:
            constraint = f"Member must have value greater than or equal to {self._low}"
            failures.add(str(whole), path, constraint)
        if self._high is not None and whole > self._high:
            constraint = f"Member must have value less than or equal to {self._high}"
            failures.add(str(whole), path, constraint)
        return whole

    def text(self, value: Any) -> str:
        return str(int(value))


class Boolean:
    """JSON true or false."""

    def read(self, value: Any, path: Place, failures: Failures) -> Any:
        if isinstance(value, bool):
            return value
        if isinstance(value, str):
            raise dynamodb.serialization("Unexpected token received from parser")
        raise _not_a("Boolean", value)

    def text(self, value: Any) -> str:
        return "true" if value else "false"


class ListOf:
    """A JSON list of one shape; null is not a member (text unconfirmed)."""

    def __init__(self, member: Shape, low: int | None = None, high: int | None = None) -> None:
        self._member, self._length = member, _Length(low, high)

    def read(self, value: Any, path: Place, failures: Failures) -> Any:
        if isinstance(value, dict):
            raise dynamodb.serialization("Start of structure or map found where not expected")
        if not isinstance(value, list):
            raise dynamodb.serialization("Unexpected field type")
        below = Failures()
        read = [
            self._member.read(member, path and f"{path}.{place}.member", below)
            for place, member in enumerate(_looked_at(value), 1)
            if member is not None
        ]
        if not self._length.allows(len(value)):
            self._length.check(failures, len(value), self.text(value), path)
        if None in value:
            constraint = "Member must satisfy constraint: [Member must not be null]"
            failures.add(self.text(value), path, constraint)
        failures.extend(below)
        return read

    def text(self, value: Any) -> str:
        return f"[{', '.join(_text(self._member, member) for member in value[:_SHOWN_MAX])}]"


def _looked_at(members: Iterable[T]) -> Iterable[T]:
    """Return as many members of a list or map as are looked at: one with more is refused later."""
    return islice(members, limits.request_members_max)


def _check_is_map(value: Any, java_type: str) -> None:
    if isinstance(value, list):
        raise dynamodb.serialization(
            f"Unrecognized collection type java.util.Map<java.lang.String, {java_type}>"
        )
    if not isinstance(value, dict):
        raise dynamodb.serialization("Unexpected field type")


class MapOf:
    """A JSON object with names of the client's choice and values of one shape.

    Where the values are lists, `lengths` says how long they may be: the service judges that as a
    constraint on the map. Null is not a value (text unconfirmed).
    """

    def __init__(
        self, member: Shape, java_type: str, lengths: tuple[int, int] | None = None
    ) -> None:
        self._member, self._java_type = member, java_type
        self._lengths = None if lengths is None else _Length(*lengths)

    def read(self, value: Any, path: Place, failures: Failures) -> Any:
        _check_is_map(value, self._java_type)
        below = Failures()
        read = {
            name: self._member.read(member, path and f"{path}.{name}.member", below)
            for name, member in _looked_at(value.items())
            if member is not None
        }
        constraint = self._broken(value)
        if constraint:
            constraint = f"Map value must satisfy constraint: [{constraint}]"
            failures.add(self.text(value), path, constraint)
        failures.extend(below)
        return read

    def text(self, value: Any) -> str:
        shown = islice(value.items(), _SHOWN_MAX)
        members = (f"{name}={_text(self._member, member)}" for name, member in shown)
        return f"{{{', '.join(members)}}}"

    def _broken(self, value: dict[str, Any]) -> str | None:
        """Return what a value of the map has to satisfy, where one does not."""
        if None in value.values():
            return "Member must not be null"
        lengths = self._lengths
        members = _looked_at(value.values())
        if lengths and not all(lengths.allows(len(member)) for member in members):
            return f"{lengths.at_most}, {lengths.at_least}"
        return None


_ATTRIBUTE_VALUE = f"{JAVA}AttributeValue"


class AttributeValue:
    """One attribute value as it arrives: `items.values` judges what it holds."""

    def read(self, value: Any, path: Place, failures: Failures) -> Any:
        check_types(value)
        return value

    def text(self, value: Any) -> str:
        """Return the value as the service prints it, which is without what it is."""
        return _ATTRIBUTE_VALUE


class AttributeMap:
    """A JSON object of attribute values as they arrive: `items.values` judges what they hold."""

    def read(self, value: Any, path: Place, failures: Failures) -> Any:
        _check_is_map(value, _ATTRIBUTE_VALUE)
        check_types_of_all(value)
        return value

    def text(self, value: Any) -> str:
        """Return the map as the service prints it, which is without what the values are."""
        members = (f"{name}={_ATTRIBUTE_VALUE}" for name in islice(value, _SHOWN_MAX))
        return f"{{{', '.join(members)}}}"


class Member:
    """A member of a structure: its shape, whether it has to be there, and what we lack of it.

    One that is `alone` is told by itself where it is there and breaks a constraint.
    """

    __slots__ = ("alone", "demanded", "later", "required", "shape")

    def __init__(
        self,
        shape: Shape,
        *,
        required: bool = False,
        demanded: bool = False,
        later: str | None = None,
        alone: bool = False,
    ) -> None:
        self.shape, self.required, self.demanded, self.later = shape, required, demanded, later
        self.alone = alone


def required(shape: Shape) -> Member:
    """Return the member that has to be there."""
    return Member(shape, required=True)


def alone(shape: Shape, *, required: bool = False) -> Member:
    """Return the member of a whole request whose broken constraint is told without others."""
    return Member(shape, required=required, alone=True)


def demanded(shape: Shape) -> Member:
    """Return the member of a whole request that is missed before any constraint is judged."""
    return Member(shape, demanded=True)


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
        self._shapes = {name: member.shape for name, _, member in self._members}
        self._required = [name for name, _, member in self._members if member.required]
        self._demanded = [name for name, _, member in self._members if member.demanded]
        self._later = any(member.later is not None for _, _, member in self._members)

    def read(self, value: Any, path: Place, failures: Failures) -> Any:
        if isinstance(value, list):
            raise dynamodb.serialization(
                f"Unrecognized collection type class {JAVA}{self._java_name}"
            )
        if not isinstance(value, dict):
            raise dynamodb.serialization("Unexpected field type")
        if path is None:
            return self._read_as_it_comes(value, failures)
        prefix = f"{path}." if path else ""
        result = {}
        for name, camel, member in self._members:
            given = value.get(name)
            if given is not None:
                result[name] = member.shape.read(given, prefix + camel, failures)
            elif member.required:
                failures.add(None, prefix + camel, "Member must not be null")
        return result

    def text(self, value: Any) -> str:
        members = (
            f"{camel}={_text(member.shape, value.get(name))}"
            for name, camel, member in self._members
        )
        return f"{self._java_name}({', '.join(members)})"

    def request(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return the members of a whole request; ApiError for what the model forbids.

        A parameter that this release lacks is refused here, never dropped.
        """
        if self._later or self._demanded:
            return self._judged(body)
        failures = Failures()
        try:
            request = self._read_as_it_comes(body, failures)
        except ApiError:
            return self._judged(body)
        return self._judged(body) if failures.count else request

    def shape_of(self, name: str) -> Shape | None:
        """Return the shape of a member, or None for one that the model does not have."""
        return self._shapes.get(name)

    def _read_as_it_comes(self, value: dict[str, Any], failures: Failures) -> dict[str, Any]:
        """Return what `read` returns; `failures` then only say whether there are any."""
        result = {}
        shapes = self._shapes
        for name, given in value.items():
            if given is not None and (shape := shapes.get(name)) is not None:
                result[name] = shape.read(given, None, failures)
        for name in self._required:
            if name not in result:
                failures.add(None, None, "Member must not be null")
        return result

    def _judged(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return the members of a whole request, judged in the order of the model."""
        failures = Failures()
        request: dict[str, Any] = self.read(body, "", failures)
        for name in self._demanded:
            if name not in request:
                raise dynamodb.parameter_missing(name)
        if failures.count > 1:
            self._tell_alone(body)
        failures.raise_any()
        for name, _, member in self._members:
            if member.later is not None and name in request:
                raise dynamodb.not_yet(member.later)
        return request

    def _tell_alone(self, body: dict[str, Any]) -> None:
        """Raise ValidationException for the first member that is told alone and is broken."""
        for name, camel, member in self._members:
            if member.alone and body.get(name) is not None:
                failures = Failures()
                member.shape.read(body[name], camel, failures)
                failures.raise_any()


def lower_camel(name: str) -> str:
    """Return a member's name as the service spells it in a path."""
    return name[0].lower() + name[1:]


def _text(shape: Shape, value: Any) -> str:
    return "null" if value is None else shape.text(value)
