"""BatchWriteItem: up to 25 puts and deletes, each judged alone, made in one transaction.

AWS promises each element alone; making all of them at once is stronger. What is left unprocessed
are the elements whose items a transaction is about to change or checks: of BatchWriteItem, AWS's
model has no error for such a conflict, and says to try again what is left.
"""

from collections.abc import Iterable, Sequence
from itertools import compress
from operator import not_
from typing import Any, NamedTuple

from penstock.base import limits
from penstock.base.errors import dynamodb
from penstock.items.keys import item_key_for_batch_put, item_key_for_lookup
from penstock.items.values import Item, canonical_item
from penstock.operations.dynamodb import capacity, members
from penstock.operations.dynamodb.collection_metrics import collection_metrics_by_table
from penstock.operations.dynamodb.writes import check_put, item_within_limit
from penstock.operations.operation import Context
from penstock.tables.descriptor import Table
from penstock.tables.stored_item import StoredItem
from penstock.tables.write import Write
from penstock.wire.shapes import JAVA, ListOf, MapOf, Structure, required

_WRITE_REQUEST = Structure(
    "WriteRequest",
    PutRequest=Structure("PutRequest", Item=required(members.ITEM)),
    DeleteRequest=Structure("DeleteRequest", Key=required(members.KEY)),
)

SHAPE = Structure(
    "BatchWriteItemInput",
    RequestItems=required(
        MapOf(
            ListOf(_WRITE_REQUEST),
            f"java.util.List<{JAVA}WriteRequest>",
            lengths=(1, limits.batch_write_requests_max),
        )
    ),
    ReturnConsumedCapacity=members.RETURN_CONSUMED_CAPACITY,
    ReturnItemCollectionMetrics=members.RETURN_ITEM_COLLECTION_METRICS,
)


class Element(NamedTuple):
    """One put (`new` is the item) or delete (`new` is None) of a batch."""

    given_name: str
    asked: dict[str, Any]
    attributes: Item
    new: StoredItem | None


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Make the writes and answer with those that are left."""
    elements = _elements(request["RequestItems"])
    names = {given: members.table_name(context, given) for given in request["RequestItems"]}
    order = list(dict.fromkeys(names.values()))
    free: list[bool] = []

    def prepare(tables: Sequence[Table]) -> list[Write]:
        by_name = dict(zip(order, tables, strict=True))
        writes = [_write(by_name[names[element.given_name]], element) for element in elements]
        places = [write.place for write in writes]
        if len(set(places)) < len(places):
            raise dynamodb.validation("Provided list of item keys contains duplicates")
        claimed = context.tables.claims.items
        refused = context.tables.without_throughput(tables, "write")
        free[:] = [
            place not in claimed and write.table.key not in refused
            for place, write in zip(places, writes, strict=True)
        ]
        return list(compress(writes, free))

    changes = await context.tables.change(context.region, order, prepare)
    tables = [names[element.given_name] for element in compress(elements, free)]
    answer: dict[str, Any] = {
        "UnprocessedItems": _requests(compress(elements, map(not_, free))),
        **collection_metrics_by_table(request, zip(tables, changes, strict=True)),
    }
    if capacity.counts(context, request):
        parts = list(zip(tables, map(capacity.of_write, changes), strict=True))
        capacity.charge(context, "write", parts)
        answer.update(capacity.consumed_by_table(request, parts))
    return answer


def _requests(elements: Iterable[Element]) -> dict[str, list[dict[str, Any]]]:
    """Return `elements` as a request has them."""
    requests: dict[str, list[dict[str, Any]]] = {}
    for element in elements:
        requests.setdefault(element.given_name, []).append(element.asked)
    return requests


def _elements(requested: dict[str, list[dict[str, Any]]]) -> list[Element]:
    """Return the batch's elements; ValidationException for what breaks a rule of its own."""
    if not requested:
        raise dynamodb.validation("The requestItems parameter is required for BatchWriteItem")
    if sum(map(len, requested.values())) > limits.batch_write_requests_max:
        raise dynamodb.validation("Too many items requested for the BatchWriteItem call")
    return [_element(name, write) for name, requests in requested.items() for write in requests]


def _element(given_name: str, write: dict[str, Any]) -> Element:
    if len(write) != 1:
        how_many = "has more than one datatypes set" if write else "is empty"
        raise dynamodb.validation(
            f"Supplied AttributeValue {how_many}, must contain exactly one of the supported"
            " datatypes"
        )
    if "PutRequest" in write:
        item = canonical_item(write["PutRequest"]["Item"])
        return Element(given_name, write, item, item_within_limit(item, dynamodb.item_too_large))
    return Element(given_name, write, canonical_item(write["DeleteRequest"]["Key"]), None)


def _write(table: Table, element: Element) -> Write:
    """Return the write of an element."""
    if element.new is None:
        key = item_key_for_lookup(table.schema, element.attributes)
        return Write(table, key, element.attributes, lambda _: None)
    key = item_key_for_batch_put(table.schema, element.attributes)
    check_put(table, element.attributes, element.new)
    return Write(table, key, table.schema.key_of(element.attributes), lambda _: element.new)
