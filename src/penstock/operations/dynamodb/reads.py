"""What the actions that read items share: how an item is shown, and what not of its key."""

from typing import Any

import msgspec

from penstock.base.errors.expressions import key_not_scalar
from penstock.items.expressions import Projection
from penstock.items.keys import KeySchema
from penstock.tables.stored_item import StoredItem


def shown(item: StoredItem, projection: Projection | None) -> Any:
    """Return what is told of `item`: the stored bytes as they are, or what the projection takes."""
    return msgspec.Raw(item.data) if projection is None else projection.apply(item.item())


def check_scalar_keys(schema: KeySchema, nested: frozenset[str]) -> None:
    """Raise ValidationException where an expression reads a part of a key attribute.

    `nested` are the attributes of which it reads a part.
    """
    for name in schema.names:
        if name in nested:
            raise key_not_scalar(name)
