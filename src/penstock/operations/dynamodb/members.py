"""Shapes that several actions of DynamoDB share, and how a table is named in a request.

Limits, patterns and the order of enumerations: botocore 1.43 model and dynalite, 2026-10.
"""

import re
from typing import Any

from penstock.base import limits
from penstock.base.errors import dynamodb
from penstock.operations.operation import Context
from penstock.tables.descriptor import Table
from penstock.wire.shapes import (
    AttributeValue,
    Boolean,
    Integer,
    MapOf,
    Member,
    String,
    Structure,
    later,
)

NAME_PATTERN = "[a-zA-Z0-9_.-]+"
LEGACY = "the legacy parameter {}"

# The item actions take a name of any length from 1 or a table's ARN; AWS, 2026-10.
TABLE_NAME = String(1, limits.table_arn_chars_max)
BOOLEAN = Boolean()
EXPRESSION = String()
KEY = MapOf(AttributeValue())
ITEM = MapOf(AttributeValue())
NAMES = MapOf(String(), java_type="java.lang.String")
VALUES = MapOf(AttributeValue())
RETURN_CONSUMED_CAPACITY = String(values=("INDEXES", "TOTAL", "NONE"))
RETURN_ITEM_COLLECTION_METRICS = String(values=("SIZE", "NONE"))
RETURN_VALUES = String(values=("ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW"))
RETURN_ON_FAILURE = String(values=("ALL_OLD", "NONE"))
SELECT = String(
    values=("SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES")
)
POSITIVE = Integer(low=1)

_NAME = re.compile(NAME_PATTERN)
_TABLE_ARN = re.compile(r"arn:[^:]+:dynamodb:([^:]+):([^:]+):table/([a-zA-Z0-9_.-]+)")


def legacy(**shapes: Any) -> dict[str, Member]:
    """Return legacy parameters, which are read by their shapes and then refused by name."""
    return {name: later(LEGACY.format(name), shape) for name, shape in shapes.items()}


def legacy_condition() -> dict[str, Member]:
    """Return the legacy parameters of a conditional write."""
    return legacy(
        Expected=MapOf(Structure("ExpectedAttributeValue")),
        ConditionalOperator=String(values=("OR", "AND")),
    )


def table_name(context: Context, given: str) -> str:
    """Return the table's name where a request gives a name or an ARN.

    ValidationException for what is neither; ResourceNotFoundException for an ARN of another account
    or region, where no table of this server can be.
    """
    arn = _TABLE_ARN.fullmatch(given)
    if arn is None:
        return plain_table_name(given)
    region, account, name = arn.groups()
    if (region, account) != (context.region, context.tables.account):
        raise dynamodb.resource_not_found()
    return name


def plain_table_name(given: str) -> str:
    """Return `given` where it is a table's name; ValidationException where it cannot be one."""
    if not _NAME.fullmatch(given):
        raise dynamodb.validation(
            f"1 validation error detected: Value '{given}' at 'tableName' failed to satisfy"
            f" constraint: Member must satisfy regular expression pattern: {NAME_PATTERN}"
        )
    return given


def existing_table(context: Context, request: dict[str, Any]) -> Table:
    """Return the table that a request of the control plane names.

    Facts: AWS, 2026-10: a missing name and an unknown table have the control plane's own texts;
    lengths are judged before the pattern.
    """
    given = request.get("TableName")
    if given is None:
        raise dynamodb.validation(
            "The parameter 'TableName' is required but was not present in the request"
        )
    if not given.startswith("arn:"):
        check_length(given)
    name = table_name(context, given)
    table = context.tables.find(context.region, name)
    if table is None:
        raise dynamodb.table_not_found(name)
    return table


def check_length(name: str) -> None:
    """Raise ValidationException for a table name of less than 3 or more than 255 characters."""
    if not limits.table_name_chars_min <= len(name) <= limits.table_name_chars_max:
        raise dynamodb.validation(
            f"TableName must be at least {limits.table_name_chars_min} characters long and at most"
            f" {limits.table_name_chars_max} characters long"
        )
