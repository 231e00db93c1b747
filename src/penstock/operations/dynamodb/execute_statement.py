"""ExecuteStatement: one PartiQL statement, which reads a page of items or changes one.

A NextToken is stateless: it says where a page goes on, and which statement and parameters it is of.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from penstock.base import limits
from penstock.base.errors import partiql
from penstock.base.errors.api import ApiError
from penstock.items.partiql import Select
from penstock.items.values import Item, Value, canonical_item
from penstock.operations.dynamodb import capacity, members
from penstock.operations.dynamodb.selects import Place, last_key, read_select
from penstock.operations.dynamodb.statements import (
    PARAMETERS,
    STATEMENT,
    Bound,
    bound,
    change_one,
    parameters_of,
    returned,
)
from penstock.operations.operation import Context
from penstock.wire.shapes import String, Structure, required

SHAPE = Structure(
    "ExecuteStatementInput",
    Statement=required(STATEMENT),
    Parameters=PARAMETERS,
    ConsistentRead=members.BOOLEAN,
    NextToken=String(1, limits.partiql_next_token_chars_max),
    ReturnConsumedCapacity=members.RETURN_CONSUMED_CAPACITY,
    Limit=members.POSITIVE,
    ReturnValuesOnConditionCheckFailure=members.RETURN_ON_FAILURE,
)

_DIGEST_BYTES = 8
_BEGINNING = Place(0, None)


class _Token(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """What a NextToken holds."""

    digest: bytes
    span: int
    after: dict[str, dict[str, str]] | None


_encode = msgspec.json.Encoder(order="sorted").encode
_decode_token = msgspec.json.Decoder(_Token).decode


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with a page of items, or with what a change returns."""
    parameters = parameters_of(request)
    asked = bound(context, request, parameters)
    if not isinstance(asked.statement, Select):
        return await _changed(context, asked)
    if asked.statement.is_exists:
        raise partiql.exists_misplaced()
    digest = _digest(request["Statement"], parameters)
    start = _start(request, digest)
    page = read_select(context, asked, asked.statement, request.get("Limit"), start)
    answer = {"Items": page.rows} | last_key(page.next)
    if page.next is not None:
        answer["NextToken"] = _next_token(page.next, digest)
    return answer | capacity.consumed(request, asked.table, page.consumed)


async def _changed(context: Context, asked: Bound) -> dict[str, Any]:
    change = await change_one(context, asked)
    item = returned(asked, change)
    answer = {"Items": [] if item is None else [item]}
    units = capacity.of_write(change)
    capacity.charge(context, "write", [(asked.table, units)])
    return answer | capacity.consumed(asked.request, asked.table, units)


def _digest(statement: str, parameters: Sequence[Value]) -> bytes:
    return sha256(_encode([statement, parameters])).digest()[:_DIGEST_BYTES]


def _next_token(place: Place, digest: bytes) -> str:
    return urlsafe_b64encode(_encode(_Token(digest, place.span, place.after))).decode()


def _start(request: Mapping[str, Any], digest: bytes) -> Place:
    """Return where the page begins; ValidationException for a token of nothing, or not its own."""
    text = request.get("NextToken")
    if text is None:
        return _BEGINNING
    try:
        token = _decode_token(urlsafe_b64decode(text))
        after: Item | None = None if token.after is None else canonical_item(token.after)
    except (ValueError, ApiError):
        raise partiql.token_invalid() from None
    if token.digest != digest:
        raise partiql.token_of_other_request()
    if token.span < 0:
        raise partiql.token_invalid()
    return Place(token.span, after)
