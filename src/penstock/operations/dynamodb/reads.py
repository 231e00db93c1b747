"""What actions share that read items, or judge expressions by the keys of a table."""

from typing import Any

import msgspec

from penstock.base.errors.expressions import index_key_not_scalar
from penstock.items.expressions import Projection
from penstock.items.expressions import check_scalar_keys as check_own_keys
from penstock.tables.descriptor import Table
from penstock.tables.stored_item import StoredItem


def shown(item: StoredItem, projection: Projection | None) -> Any:
    """Return what is told of `item`: the stored bytes as they are, or what the projection takes."""
    return msgspec.Raw(item.data) if projection is None else projection.apply(item.item())


def check_scalar_keys(table: Table, nested: frozenset[str]) -> None:
    """Raise ValidationException where an expression names a part of a key attribute.

    Those of the table's indexes are judged as well as its own. `nested` are the attributes of which
    the expression names a part.
    """
    if not nested:
        return
    check_own_keys(table.schema, nested)
    for index in table.indexes.values():
        for name in index.schema.names:
            if name in nested:
                raise index_key_not_scalar(name)
