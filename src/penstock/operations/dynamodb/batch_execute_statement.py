"""BatchExecuteStatement: up to 25 PartiQL statements, all of them reads of one item or all writes.

Each is judged and answered for itself, and every write is made in a transaction of its own. Two
statements about one item refuse the whole batch, as in the other batches.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

from penstock.base import limits
from penstock.base.errors import partiql
from penstock.base.errors.api import ApiError
from penstock.items.partiql import Select
from penstock.operations.dynamodb import capacity, members
from penstock.operations.dynamodb.statements import (
    PARAMETERS,
    STATEMENT,
    Bound,
    bound,
    change_one,
    lookup_of,
    parameters_of,
    prepare_write,
    returned,
    shown,
)
from penstock.operations.operation import Context
from penstock.storage.fibers import alike
from penstock.tables.read import get_item
from penstock.wire.shapes import ListOf, Structure, required

SHAPE = Structure(
    "BatchExecuteStatementInput",
    Statements=required(
        ListOf(
            Structure(
                "BatchStatementRequest",
                Statement=required(STATEMENT),
                Parameters=PARAMETERS,
                ConsistentRead=members.BOOLEAN,
                ReturnValuesOnConditionCheckFailure=members.RETURN_ON_FAILURE,
            ),
            1,
            limits.batch_statements_max,
        )
    ),
    ReturnConsumedCapacity=members.RETURN_CONSUMED_CAPACITY,
)

T = TypeVar("T")


class Answer(NamedTuple):
    """What one statement is answered, and what it consumed of which table."""

    response: dict[str, Any]
    consumed: tuple[str, capacity.Consumed] | None = None


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer each statement at its place, with an item, an error or nothing."""
    asked = request["Statements"]
    parameters = [parameters_of(each) for each in asked]
    statements = [
        _or_error(partial(bound, context, *pair)) for pair in zip(asked, parameters, strict=True)
    ]
    _check_kinds(statements)
    places = [
        each if isinstance(each, ApiError) else _or_error(partial(_place, context, each))
        for each in statements
    ]
    found = [place for place in places if isinstance(place, bytes)]
    if len(set(found)) < len(found):
        raise partiql.batch_duplicates()
    answers = await asyncio.gather(
        *(alike(_answer(context, *pair)) for pair in zip(statements, places, strict=True))
    )
    responses = [answer.response for answer in answers]
    parts = [answer.consumed for answer in answers if answer.consumed is not None]
    return {"Responses": responses} | capacity.consumed_by_table(request, parts)


def _or_error(make: Callable[[], T]) -> T | ApiError:
    """Return what `make` makes, or the error that is one statement's alone."""
    try:
        return make()
    except ApiError as error:
        if partiql.of_statement(error) is None:
            raise
        return error


def _check_kinds(statements: Sequence[Bound | ApiError]) -> None:
    kinds = {each.reads for each in statements if isinstance(each, Bound) and not each.checks}
    if len(kinds) > 1:
        raise partiql.batch_mixed()


def _place(context: Context, asked: Bound) -> bytes:
    """Return where the item of a statement is stored; ValidationException where it says no key."""
    if asked.checks:
        raise partiql.exists_misplaced()
    table = context.tables.table(context.region, asked.table)
    if isinstance(asked.statement, Select):
        return lookup_of(table, asked, partiql.batch_select).place
    write = prepare_write(asked)(table)
    return table.item_key(write.key)


async def _answer(context: Context, asked: Bound | ApiError, place: bytes | ApiError) -> Answer:
    if isinstance(asked, ApiError):
        return _refused(asked)
    if isinstance(place, ApiError):
        return _refused(place)
    try:
        if isinstance(asked.statement, Select):
            return _read(context, asked, asked.statement)
        return await _changed(context, asked)
    except ApiError as error:
        if partiql.of_statement(error) is None:
            raise
        return _refused(error, asked.table)


def _read(context: Context, asked: Bound, select: Select) -> Answer:
    table = context.tables.table(context.region, asked.table)
    lookup = lookup_of(table, asked, partiql.batch_select)
    context.tables.check_read(table)
    item = context.tables.read(lambda reader: get_item(reader, lookup.table, lookup.key))
    response: dict[str, Any] = {"TableName": asked.table}
    if item is not None:
        response["Item"] = shown(select, item)
    consistent = asked.request.get("ConsistentRead", False)
    part = (asked.table, capacity.of_item(item, consistent=consistent))
    capacity.charge(context, "read", [part])
    return Answer(response, part)


async def _changed(context: Context, asked: Bound) -> Answer:
    change = await change_one(context, asked)
    response: dict[str, Any] = {"TableName": asked.table}
    item = returned(asked, change)
    if item is not None:
        response["Item"] = item
    part = (asked.table, capacity.of_write(change))
    capacity.charge(context, "write", [part])
    return Answer(response, part)


def _refused(error: ApiError, table: str | None = None) -> Answer:
    """Return the answer to a statement that failed, of a table where the items refused it."""
    response: dict[str, Any] = {"Error": partiql.of_statement(error)}
    return Answer(response if table is None else response | {"TableName": table})
