"""BatchGetItem: read up to 100 items by their keys, from one or more tables.

An answer holds at most 16 MB; the keys that do not fit come back as UnprocessedKeys.
"""

from collections.abc import Container
from typing import Any, NamedTuple

from penstock.base import limits
from penstock.base.errors import dynamodb
from penstock.base.errors.api import ApiError
from penstock.items.canonical import encode_item
from penstock.items.expressions import Projection
from penstock.items.keys import ItemKey, item_key_for_lookup
from penstock.items.legacy import Parameters
from penstock.items.values import Item, canonical_item
from penstock.operations.dynamodb import capacity, members
from penstock.operations.dynamodb.reads import check_scalar_keys, shown
from penstock.operations.operation import Context
from penstock.storage.waist import Reader
from penstock.tables.descriptor import Table
from penstock.tables.read import get_item
from penstock.tables.stored_item import StoredItem
from penstock.wire.shapes import JAVA, ListOf, MapOf, Structure, required

_KEYS_AND_ATTRIBUTES = Structure(
    "KeysAndAttributes",
    Keys=required(ListOf(members.KEY, low=1)),
    ConsistentRead=members.BOOLEAN,
    ProjectionExpression=members.EXPRESSION,
    ExpressionAttributeNames=members.NAMES,
    AttributesToGet=members.ATTRIBUTES_TO_GET,
)
_PARAMETERS = Parameters(("ProjectionExpression",), ("AttributesToGet",))

SHAPE = Structure(
    "BatchGetItemInput",
    RequestItems=required(MapOf(_KEYS_AND_ATTRIBUTES, f"{JAVA}KeysAndAttributes")),
    ReturnConsumedCapacity=members.RETURN_CONSUMED_CAPACITY,
)


class Part(NamedTuple):
    """What a batch asks of one table."""

    given_name: str
    asked: dict[str, Any]
    keys: list[Item]
    projection: Projection | None


class Lookup(NamedTuple):
    """One key of a batch, and the part that it belongs to."""

    part: Part
    place: int
    table: Table
    key: ItemKey


class Found(NamedTuple):
    """One key's item, where there is one and it still fitted."""

    lookup: Lookup
    item: StoredItem | None
    fits: bool


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with the items that there are, in no promised order."""
    parts = _parts(request["RequestItems"])
    lookups = [lookup for part in parts for lookup in _lookups(context, part)]
    if len({lookup.table.item_key(lookup.key) for lookup in lookups}) < len(lookups):
        raise _duplicates()  # of one table by two names
    refused = context.tables.without_throughput((each.table for each in lookups), "read")
    found = context.tables.read(lambda reader: _read(reader, lookups, refused))
    responses: dict[str, list[Any]] = {part.given_name: [] for part in parts}
    units: list[tuple[str, capacity.Consumed]] = []
    unprocessed: dict[str, dict[str, Any]] = {}
    for (part, place, table, _), item, fits in found:
        name = part.given_name
        if not fits:
            left = unprocessed.setdefault(name, part.asked | {"Keys": []})
            left["Keys"].append(part.keys[place])
            continue
        consistent = part.asked.get("ConsistentRead", False)
        units.append((table.name, capacity.of_item(item, consistent=consistent)))
        if item is not None:
            responses[name].append(shown(item, part.projection))
    capacity.charge(context, "read", units)
    answer = {"Responses": responses, "UnprocessedKeys": unprocessed}
    return answer | capacity.consumed_by_table(request, units)


def _parts(requested: dict[str, dict[str, Any]]) -> list[Part]:
    """Return what is asked of each table; ValidationException for what breaks a rule of its own."""
    if not requested:
        raise dynamodb.validation(
            "1 validation error detected: Value at 'RequestItems' failed to satisfy constraint:"
            " Member must have length greater than or equal to 1"
        )
    # Both styles are refused also where each table has its own (AWS, 2026-07: dynoxide 0.11.3).
    _PARAMETERS.check_style({k: v for asked in requested.values() for k, v in asked.items()})
    for name, asked in requested.items():
        _PARAMETERS.check_style(asked)
        if len(asked["Keys"]) > limits.batch_get_keys_max:
            raise dynamodb.validation(
                f"1 validation error detected: Value at 'RequestItems.{name}.member.Keys' failed to"
                " satisfy constraint: Member must have length less than or equal to"
                f" {limits.batch_get_keys_max}"
            )
    if sum(len(asked["Keys"]) for asked in requested.values()) > limits.batch_get_keys_max:
        raise dynamodb.validation("Too many items requested for the BatchGetItem call")
    return [
        Part(name, asked, _distinct_keys(asked), _PARAMETERS.prepare(asked).projection)
        for name, asked in requested.items()
    ]


def _distinct_keys(asked: dict[str, Any]) -> list[Item]:
    """Return the keys of one table; two that are one are told before the table is looked for.

    Fact: AWS, 2026-06, as ExtendDB pull request 192 captured it.
    """
    keys = [canonical_item(key) for key in asked["Keys"]]
    if len(set(map(encode_item, keys))) < len(keys):
        raise _duplicates()
    return keys


def _duplicates() -> ApiError:
    return dynamodb.validation("Provided list of item keys contains duplicates")


def _lookups(context: Context, part: Part) -> list[Lookup]:
    name = members.table_name(context, part.given_name)
    table = context.tables.table(context.region, name)
    keys = [item_key_for_lookup(table.schema, key) for key in part.keys]
    if part.projection is not None:
        check_scalar_keys(table, part.projection.nested)
    return [Lookup(part, place, table, key) for place, key in enumerate(keys)]


def _read(reader: Reader, lookups: list[Lookup], refused: Container[bytes]) -> list[Found]:
    """Read the items, without those of tables that are `refused`, as long as they fit."""
    size = 0
    found = []
    for lookup in lookups:
        if lookup.table.key in refused:
            found.append(Found(lookup, None, fits=False))
            continue
        item = get_item(reader, lookup.table, lookup.key)
        size += 0 if item is None else item.size
        found.append(Found(lookup, item, fits=size <= limits.batch_get_bytes_max))
    return found
