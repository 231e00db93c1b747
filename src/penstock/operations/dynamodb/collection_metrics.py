"""ItemCollectionMetrics: how large the item collections are that a request wrote to.

Facts: only tables with local indexes keep item collections; the size is an estimate, told as the
whole GB below and above it (AWS API reference, 2026-10). The keys of a batch's or a transaction's
answer are the names of tables, and each collection stands there once.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from penstock.items.canonical import encode_item
from penstock.tables.write import Change, ItemCollection

_GB = 1024**3


def collection_metrics(request: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """Return the ItemCollectionMetrics member of the answer to one item's write, if there is one.

    There is none where the request asked for none, or the table keeps no collections.
    """
    if request.get("ReturnItemCollectionMetrics") != "SIZE" or change.collection is None:
        return {}
    return {"ItemCollectionMetrics": _metrics(change.collection)}


def collection_metrics_by_table(
    request: Mapping[str, Any], changes: Iterable[tuple[str, Change]]
) -> dict[str, Any]:
    """Return the ItemCollectionMetrics member of an answer to many writes, each with its table."""
    if request.get("ReturnItemCollectionMetrics") != "SIZE":
        return {}
    told: dict[str, dict[bytes, Any]] = {}
    for table, change in changes:
        if change.collection is not None:
            of_table = told.setdefault(table, {})
            of_table[encode_item(change.collection.key)] = _metrics(change.collection)
    metrics = {name: [*each.values()] for name, each in told.items()}
    return {"ItemCollectionMetrics": metrics} if metrics else {}


def _metrics(collection: ItemCollection) -> dict[str, Any]:
    low = float(collection.size // _GB)
    return {"ItemCollectionKey": collection.key, "SizeEstimateRangeGB": [low, low + 1.0]}
