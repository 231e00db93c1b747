"""The filters of a mapping: what says which records its function is given.

A record passes where it meets any of the patterns, or where there are none. What is matched is the
record as the function gets it. A record is decoded only where there is a pattern, and then only
what the patterns name.
"""

from collections.abc import Iterable, Sequence
from typing import Any, TypedDict

import msgspec

from penstock.functions.filter_pattern import (
    BadPattern,
    NumberText,
    compile_pattern,
    read_pattern,
)

__all__ = ["BadPattern", "Filters", "compile_filters"]

_Wanted = dict[str, "_Wanted | None"]
"""The names in an object that are asked for; None under a name where its whole value is."""

_decode_all = msgspec.json.Decoder(float_hook=NumberText).decode


class Filters:
    """The compiled filters of a mapping."""

    __slots__ = ("_decode", "_tests")

    def __init__(self, patterns: Sequence[dict[str, Any]]) -> None:
        self._tests = tuple(compile_pattern(pattern) for pattern in patterns)
        wanted: _Wanted = {}
        for pattern in patterns:
            _add_wanted(wanted, pattern)
        self._decode = msgspec.json.Decoder(_shape(wanted), float_hook=NumberText).decode

    def __bool__(self) -> bool:
        """Say whether there is a filter at all."""
        return bool(self._tests)

    def matches(self, record: dict[str, Any]) -> bool:
        """Say whether the function is to get a record, which is decoded.

        A float in it has the text that Python gives it.
        """
        return not self._tests or any(test(record, record) for test in self._tests)

    def matches_bytes(self, data: bytes) -> bool:
        """Say whether the function is to get a record, which is a JSON object."""
        if not self._tests:
            return True
        try:
            record = self._decode(data)
        except msgspec.ValidationError:  # an object was expected where there is something else
            record = _decode_all(data)
        return any(test(record, record) for test in self._tests)


def compile_filters(patterns: Iterable[str]) -> Filters:
    """Return the filters of a mapping; BadPattern where one of `patterns` is none."""
    return Filters([read_pattern(text) for text in patterns])


def _add_wanted(wanted: _Wanted, pattern: dict[str, Any]) -> None:
    for name, member in pattern.items():
        if name == "$or":
            for alternative in member:
                _add_wanted(wanted, alternative)
        elif not isinstance(member, dict):
            wanted[name] = None
        elif (below := wanted.setdefault(name, {})) is not None:
            _add_wanted(below, member)


def _shape(wanted: _Wanted) -> Any:
    """Return the type of a record of which only `wanted` is decoded, two levels deep."""
    members = {
        name: _typed_dict(dict.fromkeys(below, Any)) if below else Any
        for name, below in wanted.items()
    }
    return _typed_dict(members)


def _typed_dict(members: dict[str, Any]) -> Any:
    return TypedDict("_Named", members, total=False)  # type: ignore[operator]
