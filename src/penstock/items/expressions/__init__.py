"""Expressions: conditions, filters, updates, projections and key conditions, from text to deed."""

from penstock.items.expressions.conditions import Condition
from penstock.items.expressions.key_conditions import KeyCondition, KeyRange, KeyTerm
from penstock.items.expressions.paths import check_scalar_keys
from penstock.items.expressions.prepare import Prepared, prepare
from penstock.items.expressions.projections import Projection
from penstock.items.expressions.substitutions import Substitutions
from penstock.items.expressions.updates import Update, Updated

__all__ = [
    "Condition",
    "KeyCondition",
    "KeyRange",
    "KeyTerm",
    "Prepared",
    "Projection",
    "Substitutions",
    "Update",
    "Updated",
    "check_scalar_keys",
    "prepare",
]
