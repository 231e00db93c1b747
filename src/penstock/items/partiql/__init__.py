"""PartiQL for DynamoDB: statements, from text to what an operation runs."""

from penstock.items.partiql.access import (
    asks_for_key,
    check_key_type,
    is_only_key,
    key_ranges,
    single_key,
)
from penstock.items.partiql.parse import statement
from penstock.items.partiql.statement import Delete, Insert, Select, Statement, Update

__all__ = [
    "Delete",
    "Insert",
    "Select",
    "Statement",
    "Update",
    "asks_for_key",
    "check_key_type",
    "is_only_key",
    "key_ranges",
    "single_key",
    "statement",
]
