"""ExecuteTransaction: up to 100 PartiQL statements, all reads or all writes, all of them or none.

EXISTS goes with writes: it checks an item and leaves it as it is.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from typing import Any

import msgspec

from penstock.base import limits
from penstock.base.errors import partiql
from penstock.base.errors.transactions import transaction_payload_too_large
from penstock.items.partiql import (
    Delete,
    Select,
    Update,
    asks_for_key,
    is_only_key,
)
from penstock.items.sizes import text_bytes, value_bytes
from penstock.items.values import Value
from penstock.operations.dynamodb import members
from penstock.operations.dynamodb.statements import (
    PARAMETERS,
    STATEMENT,
    Bound,
    bound,
    lookup_of,
    parameters_of,
    prepare_write,
    shown,
)
from penstock.operations.dynamodb.transact_get_items import read_together
from penstock.operations.dynamodb.transactions import (
    check_reads,
    consumed_by_reads,
    consumed_by_writes,
)
from penstock.operations.operation import Context
from penstock.tables.descriptor import Table
from penstock.tables.tokens import Token
from penstock.tables.transaction import Action, fitting, transact
from penstock.tables.write import Write
from penstock.wire.shapes import ListOf, String, Structure, required

SHAPE = Structure(
    "ExecuteTransactionInput",
    TransactStatements=required(
        ListOf(
            Structure(
                "ParameterizedStatement",
                Statement=required(STATEMENT),
                Parameters=PARAMETERS,
                ReturnValuesOnConditionCheckFailure=members.RETURN_ON_FAILURE,
            ),
            1,
            limits.transaction_actions_max,
        )
    ),
    ClientRequestToken=String(1, limits.transaction_token_chars_max),
    ReturnConsumedCapacity=members.RETURN_CONSUMED_CAPACITY,
)

_encode = msgspec.json.Encoder(order="sorted").encode


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Read all items or make all changes, and answer with the items that were read."""
    asked = request["TransactStatements"]
    parameters = [parameters_of(each) for each in asked]
    statements = [bound(context, *pair) for pair in zip(asked, parameters, strict=True)]
    if len({each.reads for each in statements}) > 1:
        raise partiql.transaction_mixed()
    _check_statements(statements)
    _check_payload(asked, parameters)
    if statements[0].reads:
        return _read(context, request, statements)
    actions = [
        Action(each.table, partial(_write, place, each)) for place, each in enumerate(statements)
    ]
    outcome = await transact(context.tables, context.region, actions, _token(request))
    names = [each.table for each in statements]
    return {"Responses": []} | consumed_by_writes(context, request, names, outcome)


def _check_statements(statements: Sequence[Bound]) -> None:
    """Raise ValidationException for what no statement of a transaction may have."""
    for place, each in enumerate(statements):
        statement = each.statement
        if isinstance(statement, Update | Delete) and statement.returning != "NONE":
            raise partiql.transaction_returning(place)
        if isinstance(statement, Select) and statement.index is not None:
            raise partiql.transaction_index(place)


def _check_payload(asked: Sequence[Mapping[str, Any]], parameters: Iterable[list[Value]]) -> None:
    """Raise ValidationException for statements and parameters of more than 4 MB together."""
    size = sum(text_bytes(each["Statement"]) for each in asked)
    size += sum(value_bytes(value) for values in parameters for value in values)
    if size > limits.transaction_bytes_max:
        raise transaction_payload_too_large(size)


def _token(request: dict[str, Any]) -> Token | None:
    """Return the request's token; what an answer tells beside its success may differ each time."""
    text = request.get("ClientRequestToken")
    if text is None:
        return None
    digest = sha256(_encode(request["TransactStatements"])).digest()
    return Token("ExecuteTransaction", text, digest)


def _write(place: int, asked: Bound, table: Table) -> Write:
    """Return the write of a statement; RequestError for an EXISTS of no more than a key."""
    node = asked.node
    if asked.checks and (
        not asks_for_key(table.schema, node, asked.values)
        or is_only_key(table.schema, node, asked.values)
    ):
        raise partiql.transaction_exists(place)
    return prepare_write(asked)(table)


def _read(context: Context, request: dict[str, Any], statements: Sequence[Bound]) -> dict[str, Any]:
    names = [each.table for each in statements]
    tables = {name: context.tables.table(context.region, name) for name in set(names)}
    lookups = fitting(
        [
            partial(lookup_of, tables[each.table], each, partial(partiql.transaction_select, place))
            for place, each in enumerate(statements)
        ],
        lambda lookup: lookup.place,
    )
    context.tables.claims.check_all_free([lookup.place for lookup in lookups])
    check_reads(context, (lookup.table for lookup in lookups))
    items = context.tables.read(lambda reader: read_together(reader, lookups))
    responses = [
        {} if item is None else {"Item": shown(each.statement, item)}
        for item, each in zip(items, statements, strict=True)
    ]
    return {"Responses": responses} | consumed_by_reads(context, request, names, items)
