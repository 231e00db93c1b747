"""TransactGetItems: read up to 100 items as they are at one moment."""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from penstock.base import limits
from penstock.base.errors.transactions import transaction_answer_too_large
from penstock.items.expressions import Projection, prepare
from penstock.items.keys import ItemKey, item_key_for_lookup
from penstock.items.values import Item, canonical_item
from penstock.operations.dynamodb import members
from penstock.operations.dynamodb.reads import check_scalar_keys, shown
from penstock.operations.dynamodb.transactions import (
    check_reads,
    consumed_by_reads,
    with_used_placeholders,
)
from penstock.operations.operation import Context
from penstock.storage.waist import Reader
from penstock.tables.descriptor import Table
from penstock.tables.read import get_item
from penstock.tables.stored_item import StoredItem
from penstock.tables.transaction import fitting
from penstock.wire.shapes import ListOf, Structure, required

_GET = Structure(
    "Get",
    TableName=required(members.TABLE_NAME),
    Key=required(members.KEY),
    ProjectionExpression=members.EXPRESSION,
    ExpressionAttributeNames=members.NAMES,
)

SHAPE = Structure(
    "TransactGetItemsInput",
    TransactItems=required(
        ListOf(Structure("TransactGetItem", Get=required(_GET)), 1, limits.transaction_actions_max)
    ),
    ReturnConsumedCapacity=members.RETURN_CONSUMED_CAPACITY,
)


class Get(NamedTuple):
    """One action: the table as it is given, the key of an item, and what is shown of the item."""

    given_name: str
    keys: Item
    projection: Projection | None


class Lookup(NamedTuple):
    """Where the item of an action is."""

    table: Table
    key: ItemKey

    @property
    def place(self) -> bytes:
        """Return the key under which the item is stored."""
        return self.table.item_key(self.key)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with the items in the order of the actions, with nothing for those that are absent."""
    gets = [_get(member["Get"]) for member in request["TransactItems"]]
    names = [members.table_name(context, get.given_name) for get in gets]
    lookups = _lookups(context, names, gets)
    context.tables.claims.check_all_free([lookup.place for lookup in lookups])
    check_reads(context, (lookup.table for lookup in lookups))
    items = context.tables.read(lambda reader: read_together(reader, lookups))
    responses = list(map(_response, items, gets))
    return {"Responses": responses} | consumed_by_reads(context, request, names, items)


def _get(asked: dict[str, Any]) -> Get:
    """Return an action; ValidationException for what is wrong with it without a table."""
    keys = canonical_item(asked["Key"])
    prepared = prepare(with_used_placeholders(asked), ("ProjectionExpression",))
    return Get(asked["TableName"], keys, prepared.projection)


def _response(item: StoredItem | None, get: Get) -> dict[str, Any]:
    """Return what is told of one item: nothing where it is absent, or has nothing of what is asked.

    Fact: AWS API reference, 2026-11; GetItem tells an Item without attributes in the latter case.
    """
    told = {} if item is None else shown(item, get.projection)
    return {} if told == {} else {"Item": told}


def _lookups(context: Context, names: Sequence[str], gets: Sequence[Get]) -> list[Lookup]:
    found = {name: context.tables.table(context.region, name) for name in set(names)}
    return fitting(
        [partial(_lookup, found[name], get) for name, get in zip(names, gets, strict=True)],
        lambda lookup: lookup.place,
    )


def _lookup(table: Table, get: Get) -> Lookup:
    key = item_key_for_lookup(table.schema, get.keys)
    if get.projection is not None:
        check_scalar_keys(table, get.projection.nested)
    return Lookup(table, key)


def read_together(reader: Reader, lookups: Sequence[Lookup]) -> list[StoredItem | None]:
    """Return the items; ValidationException where they are more than 4 MB together."""
    size = 0
    items = []
    for lookup in lookups:
        item = get_item(reader, lookup.table, lookup.key)
        size += 0 if item is None else item.size
        if size > limits.transaction_bytes_max:
            raise transaction_answer_too_large(size)
        items.append(item)
    return items
