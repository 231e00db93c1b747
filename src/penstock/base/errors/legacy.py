"""The errors of the legacy parameters, those from before expressions: one constructor each.

Texts: AWS, 2026-08, as quoted in public issues, and DynamoDB Local, 2026-11, for the rest.
"""

from collections.abc import Iterable

from penstock.base.errors.api import ApiError
from penstock.base.errors.dynamodb import parameter_values_invalid, validation


def styles_mixed(legacy: Iterable[str], expressions: Iterable[str]) -> ApiError:
    """Return the error for a request with legacy parameters and expressions, by their names."""
    return validation(
        "Can not use both expression and non-expression parameters in the same request: "
        f"Non-expression parameters: {{{', '.join(legacy)}}} "
        f"Expression parameters: {{{', '.join(expressions)}}}"
    )


# --- conditions


def operator_without_conditions() -> ApiError:
    """Return the error for ConditionalOperator with nothing to join."""
    return validation("ConditionalOperator cannot be used without Filter or Expected")


def operator_with_one_condition() -> ApiError:
    """Return the error for ConditionalOperator with a single condition."""
    return validation(
        "ConditionalOperator can only be used when Filter or Expected has two or more elements"
    )


def exists_with_operator(attribute: str) -> ApiError:
    """Return the error for an expectation with Exists and ComparisonOperator."""
    return _expectation("Exists and ComparisonOperator cannot be used together", attribute)


def value_with_list(attribute: str) -> ApiError:
    """Return the error for an expectation with Value and AttributeValueList."""
    return _expectation("Value and AttributeValueList cannot be used together", attribute)


def list_without_operator(attribute: str) -> ApiError:
    """Return the error for an expectation with AttributeValueList alone, or with Exists."""
    return _expectation("AttributeValueList can only be used with a ComparisonOperator", attribute)


def operator_without_values(operator: str, attribute: str) -> ApiError:
    """Return the error for an expectation whose operator has nothing to compare with."""
    return _expectation(
        f"Value or AttributeValueList must be used with ComparisonOperator: {operator}", attribute
    )


def value_missing(exists: bool | None, attribute: str) -> ApiError:
    """Return the error for an expectation without Value that says nothing of absence."""
    shown = "null" if exists is None else "true"
    return _expectation(f"Value must be provided when Exists is {shown}", attribute)


def value_of_absent(attribute: str) -> ApiError:
    """Return the error for an expectation of a value where there shall be none."""
    return _expectation("Value cannot be used when Exists is false", attribute)


def _expectation(what: str, attribute: str) -> ApiError:
    return parameter_values_invalid(f"{what} for Attribute: {attribute}")


def wrong_argument_count(operator: str) -> ApiError:
    """Return the error for an operator with too few or too many values."""
    return parameter_values_invalid(
        f"Invalid number of argument(s) for the {operator} ComparisonOperator"
    )


def wrong_argument_type(operator: str, type_name: str) -> ApiError:
    """Return the error for a value of a type that its operator cannot take."""
    return parameter_values_invalid(
        f"ComparisonOperator {operator} is not valid for {type_name} AttributeValue type"
    )


def argument_types_differ() -> ApiError:
    """Return the error for BETWEEN and IN with values of several types."""
    return parameter_values_invalid(
        "AttributeValues inside AttributeValueList must be of same type"
    )


def bounds_reversed() -> ApiError:
    """Return the error for a BETWEEN whose bounds hold nothing."""
    return validation(
        "The BETWEEN condition was provided a range where the lower bound is greater than the"
        " upper bound"
    )


def not_indexable() -> ApiError:
    """Return the error for an operator that cannot choose a range of sort keys."""
    return validation("Attempted conditional constraint is not an indexable operation")


# --- updates and projections


def update_without_value() -> ApiError:
    """Return the error for PUT and ADD without a value."""
    return parameter_values_invalid(
        "Only DELETE action is allowed when no attribute value is specified"
    )


def add_not_supported(type_name: str) -> ApiError:
    """Return the error for ADD with a value that nothing can be added to, as STRING."""
    return parameter_values_invalid(f"ADD action is not supported for the type {type_name}")


def delete_not_supported(type_name: str) -> ApiError:
    """Return the error for DELETE with a value that is no set, as STRING."""
    return parameter_values_invalid(
        f"DELETE action with value is not supported for the type {type_name}"
    )


def update_types_differ() -> ApiError:
    """Return the error for ADD and DELETE with a value of another type than the attribute's."""
    return validation("Type mismatch for attribute to update")


def attribute_asked_twice(attribute: str) -> ApiError:
    """Return the error for AttributesToGet with a name that stands in it twice."""
    return parameter_values_invalid(f"Duplicate value in attribute name: {attribute}")
