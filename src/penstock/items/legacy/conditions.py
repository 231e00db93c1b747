"""Expected, QueryFilter and ScanFilter: conditions on whole attributes, joined by AND or by OR."""

from collections.abc import Mapping
from typing import Any, Final

from penstock.base.errors.legacy import (
    exists_with_operator,
    list_without_operator,
    operator_with_one_condition,
    operator_without_conditions,
    operator_without_values,
    value_missing,
    value_of_absent,
    value_with_list,
)
from penstock.items.expressions.conditions import Condition, ConditionProgram
from penstock.items.expressions.paths import Values
from penstock.items.legacy.operators import Test, operator_test
from penstock.items.values import Item, check_attribute_name

_WITHOUT_VALUES: Final = frozenset({"NULL", "NOT_NULL"})


def condition_of(request: Mapping[str, Any], member: str | None) -> Condition | None:
    """Return the condition that a request gives in `member`; None where it gives none.

    `member` is Expected, QueryFilter or ScanFilter, or None for a request that has none of them.
    Raises ValidationException for the first condition that is wrong, then for a ConditionalOperator
    with less than two to join.
    """
    test = _expectation if member == "Expected" else _comparison
    conditions = request.get(member) if member is not None else None
    tests = {name: test(name, given) for name, given in (conditions or {}).items()}
    operator = request.get("ConditionalOperator")
    if operator is not None:
        if not tests:
            raise operator_without_conditions()
        if len(tests) == 1:
            raise operator_with_one_condition()
    return _joined(tests, any_of=operator == "OR") if tests else None


def _comparison(name: str, given: Mapping[str, Any]) -> Test:
    """Return what a filter asks of the attribute `name`."""
    check_attribute_name(name)
    return operator_test(given["ComparisonOperator"], given.get("AttributeValueList", ()))


def _expectation(name: str, given: Mapping[str, Any]) -> Test:
    """Return what Expected asks of the attribute `name`: by an operator, or by Exists and Value.

    AWS takes Value beside a ComparisonOperator, though its documentation does not (floci issue
    2126, measured on AWS in 2026-08).
    """
    check_attribute_name(name)
    operator = given.get("ComparisonOperator")
    if operator is None:
        return _expected_value(name, given)
    if "Exists" in given:
        raise exists_with_operator(name)
    if "AttributeValueList" in given:
        if "Value" in given:
            raise value_with_list(name)
        return operator_test(operator, given["AttributeValueList"])
    if "Value" in given:
        return operator_test(operator, [given["Value"]])
    if operator not in _WITHOUT_VALUES:
        raise operator_without_values(operator, name)
    return operator_test(operator, ())


def _expected_value(name: str, given: Mapping[str, Any]) -> Test:
    exists = given.get("Exists")
    if "AttributeValueList" in given:
        raise value_with_list(name) if "Value" in given else list_without_operator(name)
    if "Value" in given:
        if exists is False:
            raise value_of_absent(name)
        return operator_test("EQ", [given["Value"]])
    if exists is not False:
        raise value_missing(exists, name)
    return operator_test("NULL", ())


def _joined(tests: Mapping[str, Test], *, any_of: bool) -> Condition:
    join = any if any_of else all

    def predicate(item: Item, _values: Values) -> bool:
        return join(test(item.get(name)) for name, test in tests.items())

    names = frozenset(tests)
    return Condition(ConditionProgram(predicate, demands=(), names=names, nested=frozenset()), {})
