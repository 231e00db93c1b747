"""Shapes that several actions of DynamoDB share, and how a table is named in a request.

Limits, patterns and the order of enumerations: botocore 1.43 model and dynalite, 2026-10.
"""

import re
from collections.abc import Callable
from typing import Any

from penstock.base import limits
from penstock.base.errors import dynamodb
from penstock.base.errors.api import ApiError
from penstock.operations.operation import Context
from penstock.tables.descriptor import Table
from penstock.wire.shapes import (
    JAVA,
    AttributeMap,
    AttributeValue,
    Boolean,
    Integer,
    ListOf,
    MapOf,
    Shape,
    String,
    Structure,
    demanded,
    required,
)

NAME_PATTERN = "[a-zA-Z0-9_.-]+"

# The item actions take a name of any length from 1 or a table's ARN; AWS, 2026-10.
TABLE_NAME = String(1, limits.table_arn_chars_max, NAME_PATTERN, spared="arn:")
INDEX_NAME = String(limits.table_name_chars_min, limits.table_name_chars_max, NAME_PATTERN)
BOOLEAN = Boolean()
EXPRESSION = String()
KEY = AttributeMap()
ITEM = AttributeMap()
NAMES = MapOf(String(), "java.lang.String")
VALUES = AttributeMap()
RETURN_CONSUMED_CAPACITY = String(values=("INDEXES", "TOTAL", "NONE"))
RETURN_ITEM_COLLECTION_METRICS = String(values=("SIZE", "NONE"))
RETURN_VALUES = String(values=("ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW"))
RETURN_ON_FAILURE = String(values=("ALL_OLD", "NONE"))
SELECT = String(
    values=("SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES")
)
POSITIVE = Integer(low=1)
BILLING_MODE = String(values=("PROVISIONED", "PAY_PER_REQUEST"))
TABLE_CLASS = String(values=("STANDARD", "STANDARD_INFREQUENT_ACCESS"))

# The legacy parameters, from before expressions.
ATTRIBUTES_TO_GET = ListOf(String(), low=1)
CONDITIONAL_OPERATOR = String(values=("OR", "AND"))
_COMPARISON_OPERATOR = String(
    values=(
        "IN",
        "NULL",
        "BETWEEN",
        "LT",
        "NOT_CONTAINS",
        "EQ",
        "GT",
        "NOT_NULL",
        "NE",
        "LE",
        "BEGINS_WITH",
        "GE",
        "CONTAINS",
    )
)
_EXPECTED = Structure(
    "ExpectedAttributeValue",
    Value=AttributeValue(),
    Exists=BOOLEAN,
    ComparisonOperator=_COMPARISON_OPERATOR,
    AttributeValueList=ListOf(AttributeValue()),
)
CONDITIONS = MapOf(
    Structure(
        "Condition",
        AttributeValueList=ListOf(AttributeValue()),
        ComparisonOperator=required(_COMPARISON_OPERATOR),
    ),
    f"{JAVA}Condition",
)
ATTRIBUTE_UPDATES = MapOf(
    Structure(
        "AttributeValueUpdate",
        Value=AttributeValue(),
        Action=String(values=("ADD", "DELETE", "PUT")),
    ),
    f"{JAVA}AttributeValueUpdate",
)

# The control plane misses its name first, and judges its form after all other constraints.
CONTROL_TABLE_NAME = demanded(String())

_NAME = re.compile(NAME_PATTERN)
_TABLE_ARN = re.compile(r"arn:[^:]+:dynamodb:([^:]+):([^:]+):table/([a-zA-Z0-9_.-]+)")


def _absent_item_table(_name: str) -> ApiError:
    return dynamodb.resource_not_found()


def legacy_condition() -> dict[str, Shape]:
    """Return the legacy parameters of a conditional write."""
    return {
        "Expected": MapOf(_EXPECTED, f"{JAVA}ExpectedAttributeValue"),
        "ConditionalOperator": CONDITIONAL_OPERATOR,
    }


def table_name(
    context: Context, given: str, absent: Callable[[str], ApiError] = _absent_item_table
) -> str:
    """Return the table's name where a request gives a name or an ARN.

    ValidationException for what is neither; the error `absent` of the table's name for an ARN of
    another account or region, where no table of this server can be.
    """
    arn = _TABLE_ARN.fullmatch(given) if given.startswith("arn:") else None
    if arn is None:
        check_plain(given)
        return given
    region, account, name = arn.groups()
    if (region, account) != (context.region, context.tables.account):
        raise absent(name)
    return name


def check_plain(name: str) -> None:
    """Raise ValidationException for what cannot be a table's name by its characters."""
    if not _NAME.fullmatch(name):
        raise dynamodb.validation(
            f"1 validation error detected: Value '{name}' at 'tableName' failed to satisfy"
            f" constraint: Member must satisfy regular expression pattern: {NAME_PATTERN}"
        )


def existing_table(context: Context, request: dict[str, Any]) -> Table:
    """Return the table that a request of the control plane names.

    Facts: AWS, 2026-10: an unknown table has the control plane's own text; lengths are judged
    before the pattern.
    """
    given = request["TableName"]
    if not given.startswith("arn:"):
        _check_length(given)
    name = table_name(context, given, dynamodb.table_not_found)
    table = context.tables.find(context.region, name)
    if table is None:
        raise dynamodb.table_not_found(name)
    return table


def _check_length(name: str) -> None:
    if not limits.table_name_chars_min <= len(name) <= limits.table_name_chars_max:
        raise dynamodb.validation(
            f"TableName must be at least {limits.table_name_chars_min} characters long and at most"
            f" {limits.table_name_chars_max} characters long"
        )
