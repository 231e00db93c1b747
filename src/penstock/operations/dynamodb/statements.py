"""What the PartiQL actions share: statements bound to parameters, and the writes that they make.

A write is the very `Write` that the item's action would make, so it goes the same way to the table
and to its stream.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from penstock.base import limits
from penstock.base.errors import dynamodb, partiql
from penstock.base.errors.api import ApiError
from penstock.items.expressions.paths import Values
from penstock.items.expressions.syntax import Node
from penstock.items.keys import item_key_for_lookup, item_key_for_put
from penstock.items.partiql import (
    Delete,
    Insert,
    Select,
    Statement,
    Update,
    check_key_type,
    is_only_key,
    single_key,
    statement,
)
from penstock.items.values import Item, Value, canonical_value
from penstock.operations.dynamodb import members
from penstock.operations.dynamodb.reads import check_scalar_keys
from penstock.operations.dynamodb.transact_get_items import Lookup
from penstock.operations.dynamodb.update_item import attributes_of, updated
from penstock.operations.dynamodb.writes import (
    check_condition,
    check_condition_keys,
    check_put,
    item_within_limit,
)
from penstock.operations.operation import Context
from penstock.tables.descriptor import Table
from penstock.tables.stored_item import StoredItem
from penstock.tables.write import Change, Write
from penstock.wire.shapes import AttributeValue, ListOf, String

STATEMENT = String(1, limits.partiql_statement_chars_max)
PARAMETERS = ListOf(AttributeValue(), low=1)


class Bound(NamedTuple):
    """A statement with the values of a request, which says the rest: the table's name is plain."""

    statement: Statement
    values: Values
    table: str
    request: Mapping[str, Any]

    @property
    def reads(self) -> bool:
        """Whether it is a SELECT; EXISTS only checks, and goes with writes."""
        return isinstance(self.statement, Select) and not self.statement.is_exists

    @property
    def checks(self) -> bool:
        """Whether it is an EXISTS."""
        return isinstance(self.statement, Select) and self.statement.is_exists

    @property
    def node(self) -> Node | None:
        """The condition of its WHERE, from which keys are read."""
        return None if self.statement.where is None else self.statement.where.node


def parameters_of(request: Mapping[str, Any]) -> list[Value]:
    """Return the canonical parameters of a statement; ValidationException for what is no value."""
    return [canonical_value(raw) for raw in request.get("Parameters", ())]


def bound(context: Context, request: Mapping[str, Any], parameters: list[Value]) -> Bound:
    """Return the statement of `request`; ValidationException for what is wrong with it alone."""
    parsed = statement(request["Statement"])
    values = parsed.bind(parameters)
    return Bound(parsed, values, members.table_name(context, parsed.table), request)


def prepare_write(asked: Bound) -> Callable[[Table], Write]:
    """Return what makes the write of a statement that is no SELECT.

    What it makes raises ValidationException for what its table refuses.
    """
    match asked.statement:
        case Insert():
            return _insert(asked, asked.statement)
        case Update():
            return _update(asked, asked.statement)
        case Delete():
            return lambda table: _delete(asked, table)
        case _:
            return lambda table: _check(asked, table)


def _insert(asked: Bound, insert: Insert) -> Callable[[Table], Write]:
    item = insert.item(asked.values)
    new = item_within_limit(item, dynamodb.item_too_large)

    def decide(old: StoredItem | None) -> StoredItem:
        if old is not None:
            raise partiql.duplicate_item()
        return new

    def write(table: Table) -> Write:
        for attribute in table.schema.attributes:
            if attribute.name not in item:
                raise partiql.key_absent(attribute.name)
            check_key_type(attribute, item)
        key = item_key_for_put(table.schema, item)
        check_put(table, item, new)
        return Write(table, key, table.schema.key_of(item), decide)

    return write


def _update(asked: Bound, statement: Update) -> Callable[[Table], Write]:
    update = statement.update(asked.values)
    condition = statement.condition(asked.values)

    def write(table: Table) -> Write:
        keys = _key(asked, table)
        update.check_keys(table.schema)
        check_scalar_keys(table, update.nested)
        check_condition_keys(table, condition)

        def decide(old: StoredItem | None) -> StoredItem | None:
            if old is None:
                raise dynamodb.condition_failed()
            return updated(asked.request, condition, update, old, keys)

        return Write(table, item_key_for_lookup(table.schema, keys), keys, decide)

    return write


def _delete(asked: Bound, table: Table) -> Write:
    """Return the write of a DELETE, which has nothing to ask where there is no item."""
    keys = _key(asked, table)
    condition = None
    if not is_only_key(table.schema, asked.node, asked.values):
        condition = asked.statement.condition(asked.values)
    check_condition_keys(table, condition)

    def decide(old: StoredItem | None) -> None:
        if old is not None:
            check_condition(asked.request, condition, old)

    return Write(table, item_key_for_lookup(table.schema, keys), keys, decide)


def _check(asked: Bound, table: Table) -> Write:
    """Return the write of an EXISTS, which leaves the item as it is."""
    keys = _key(asked, table)
    condition = asked.statement.condition(asked.values)
    check_condition_keys(table, condition)

    def decide(old: StoredItem | None) -> StoredItem | None:
        check_condition(asked.request, condition, old)
        return old

    return Write(table, item_key_for_lookup(table.schema, keys), keys, decide)


def _key(asked: Bound, table: Table) -> Item:
    return single_key(table.schema, asked.node, asked.values)


def lookup_of(table: Table, asked: Bound, error: Callable[[], ApiError]) -> Lookup:
    """Return where the one item of a SELECT is; `error` where it asks for more than its key.

    An index has no key that is one item's.
    """
    of_index = isinstance(asked.statement, Select) and asked.statement.index is not None
    if of_index or not is_only_key(table.schema, asked.node, asked.values):
        raise error()
    keys = single_key(table.schema, asked.node, asked.values)
    return Lookup(table, item_key_for_lookup(table.schema, keys))


def shown(select: Statement, item: StoredItem) -> Any:
    """Return what a SELECT tells of `item`: the stored bytes as they are, or its columns."""
    assert isinstance(select, Select)  # nothing else reads items
    return msgspec.Raw(item.data) if select.columns is None else select.row(item.item())


async def change_one(context: Context, asked: Bound) -> Change:
    """Make the write of one statement, and return the change."""
    return await context.tables.change_one(context.region, asked.table, prepare_write(asked))


def returned(asked: Bound, change: Change) -> Any | None:
    """Return the attributes that RETURNING asks for; None where there are none."""
    match asked.statement:
        case Update(returning=returning) as update:
            item = attributes_of(returning, update.update(asked.values), change, {})
            return item or None
        case Delete(returning="ALL_OLD") if change.old is not None:
            return msgspec.Raw(change.old.data)
        case _:
            return None
