"""The parameters of one action that an expression gives, or a legacy parameter in its place.

Whichever style a request has, it becomes the same objects, so that an action has one way to go.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from penstock.base.errors.legacy import styles_mixed
from penstock.items.expressions.prepare import Prepared, prepare
from penstock.items.expressions.substitutions import NAMES, VALUES, check_expressions_given
from penstock.items.legacy.conditions import condition_of
from penstock.items.legacy.key_conditions import key_condition_of
from penstock.items.legacy.projections import projection_of
from penstock.items.legacy.updates import update_of

_LISTED: Final = (
    "ProjectionExpression",
    "FilterExpression",
    "KeyConditionExpression",
    "UpdateExpression",
    "ConditionExpression",
)
"""Expressions in the order in which AWS lists them, which is not that in which it checks them."""

_NOTHING: Final = Prepared()

_CONDITIONS: Final = {"Expected": "condition", "QueryFilter": "filter", "ScanFilter": "filter"}
_OTHERS: Final[dict[str, tuple[str, Callable[[Any], object]]]] = {
    "AttributeUpdates": ("update", update_of),
    "AttributesToGet": ("projection", projection_of),
    "KeyConditions": ("key_condition", key_condition_of),
}


class Parameters:
    """Which expressions an action has, and which legacy parameters."""

    def __init__(self, expressions: Sequence[str], legacy: Sequence[str]) -> None:
        """Take the members of a request: expressions in the order in which they are checked, legacy
        parameters in the order in which AWS lists them.
        """
        self._expressions, self._legacy = expressions, legacy
        self._all = frozenset((*expressions, *legacy, NAMES, VALUES))
        self._conditions = next((name for name in legacy if name in _CONDITIONS), None)

    def check_style(self, request: Mapping[str, Any]) -> None:
        """Raise ValidationException where a request has parameters of both styles, or names or
        values that no expression could use.

        KeyConditions go with the other expressions of a Query (ExtendDB pull request 213, captured
        from AWS), and not with a KeyConditionExpression. AWS judges this before any value.
        """
        if self._all.isdisjoint(request):
            return
        legacy = [name for name in self._legacy if name in request]
        if legacy:
            self._check_not_mixed(request, legacy)
        check_expressions_given(request, self._expressions)

    def _check_not_mixed(self, request: Mapping[str, Any], legacy: list[str]) -> None:
        if "KeyConditionExpression" not in request and "KeyConditions" in legacy:
            legacy.remove("KeyConditions")
        expressions = [name for name in _LISTED if name in self._expressions and name in request]
        if legacy and expressions:
            raise styles_mixed(legacy, expressions)

    def prepare(self, request: Mapping[str, Any]) -> Prepared:
        """Read, check and compile what a request gives, in either style.

        Raises ValidationException: for expressions and their placeholders first, then for legacy
        conditions, their operator, and the rest.
        """
        if self._all.isdisjoint(request):
            return _NOTHING
        prepared = prepare(request, self._expressions)
        if not any(name in request for name in self._legacy):
            return prepared
        ready: dict[str, Any] = {}
        condition = condition_of(request, self._conditions)
        if condition is not None and self._conditions is not None:
            ready[_CONDITIONS[self._conditions]] = condition
        for name, (ready_as, read) in _OTHERS.items():
            if name in self._legacy and name in request:
                ready[ready_as] = read(request[name])
        return prepared._replace(**ready)
