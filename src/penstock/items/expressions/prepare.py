"""From the expressions of one request to what an operation runs.

What depends only on texts and attribute names is compiled once and kept; a request adds its values.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from penstock.base.errors.expressions import empty_expression, expression_too_long
from penstock.base.limits import (
    expression_bytes_max,
    expression_cache_entries_max,
    expression_cache_long_entries_max,
    expression_cached_names_chars_max,
    expression_cached_short_chars_max,
)
from penstock.items.expressions.conditions import Condition, compile_condition
from penstock.items.expressions.key_conditions import (
    KeyCondition,
    KeyConditionProgram,
    compile_key_condition,
)
from penstock.items.expressions.parse import parsed
from penstock.items.expressions.paths import Values
from penstock.items.expressions.projections import Projection, compile_projection
from penstock.items.expressions.substitutions import Substitutions
from penstock.items.expressions.updates import Update, compile_update


class Prepared(NamedTuple):
    """The expressions of one request, ready to run; None for those that it does not have."""

    condition: Condition | None = None
    filter: Condition | None = None
    update: Update | None = None
    projection: Projection | None = None
    key_condition: KeyCondition | None = None


class _Kind(NamedTuple):
    """What becomes of the expressions of one kind: a program, and with values what is run."""

    ready_as: str
    compile: Callable[[str, Any, Mapping[str, str]], Any]
    with_values: Callable[[Any, Values], Any] | None = None


_KINDS = {
    "ConditionExpression": _Kind("condition", compile_condition, Condition),
    "FilterExpression": _Kind("filter", compile_condition, Condition),
    "UpdateExpression": _Kind("update", compile_update, Update),
    "ProjectionExpression": _Kind("projection", compile_projection),
    "KeyConditionExpression": _Kind(
        "key_condition", compile_key_condition, KeyConditionProgram.with_values
    ),
}


def prepare(request: Mapping[str, Any], kinds: Sequence[str]) -> Prepared:
    """Read, check and compile the expressions of a request.

    `kinds` are the members to look at, in the order in which DynamoDB checks them; the values of
    ExpressionAttributeValues have passed `check_types`. Raises ValidationException: placeholders
    come first, then each expression, then placeholders that nothing uses.
    """
    substitutions = Substitutions.of(request, kinds)
    ready: dict[str, Any] = {}
    for kind in kinds:
        text = request.get(kind)
        if text is not None:
            _check_size(kind, text, kinds)
            ready[_KINDS[kind].ready_as] = _ready(kind, text, substitutions)
    substitutions.check_all_used()
    return Prepared(**ready)


def _check_size(kind: str, text: str, kinds: Sequence[str]) -> None:
    if not text:
        raise empty_expression(kind)
    if len(text) * 4 <= expression_bytes_max:  # so many characters are never too many bytes
        return
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > expression_bytes_max:
        of_scan = kind == "FilterExpression" and "KeyConditionExpression" not in kinds
        raise expression_too_long(kind, size if of_scan else None)


def _ready(kind: str, text: str, substitutions: Substitutions) -> Any:
    """Return the expression that a request gives in `kind`, with the request's values."""
    expression = parsed(kind, text)
    names = substitutions.used_by(expression)
    program = _program(kind, text, names)
    with_values = _KINDS[kind].with_values
    if with_values is None:
        return program
    for demand in program.demands:
        demand(substitutions.values)
    return with_values(program, substitutions.values)


def _program(kind: str, text: str, names: tuple[str, ...]) -> Any:
    """Return the compiled expression, kept where its text and names are not too large to keep."""
    if sum(map(len, names)) > expression_cached_names_chars_max:
        return _compiled(kind, text, names)
    if len(text) <= expression_cached_short_chars_max:
        return _compiled_short(kind, text, names)
    return _compiled_long(kind, text, names)


def _compiled(kind: str, text: str, names: tuple[str, ...]) -> Any:
    expression = parsed(kind, text)
    by_placeholder = dict(zip(expression.names, names, strict=True))
    return _KINDS[kind].compile(kind, expression.tree, by_placeholder)


_compiled_short = lru_cache(expression_cache_entries_max)(_compiled)
_compiled_long = lru_cache(expression_cache_long_entries_max)(_compiled)
