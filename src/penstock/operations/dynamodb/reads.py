"""What the actions that read items share: how an item is shown."""

from typing import Any

import msgspec

from penstock.items.expressions import Projection
from penstock.tables.stored_item import StoredItem


def shown(item: StoredItem, projection: Projection | None) -> Any:
    """Return what is told of `item`: the stored bytes as they are, or what the projection takes."""
    return msgspec.Raw(item.data) if projection is None else projection.apply(item.item())
