"""TransactWriteItems: up to 100 puts, updates, deletes and checks, all of them made or none."""

from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any

import msgspec

from penstock.base import limits
from penstock.base.errors import transactions
from penstock.items.expressions import prepare
from penstock.items.keys import item_key_for_lookup
from penstock.items.sizes import item_bytes, text_bytes, value_bytes
from penstock.items.values import canonical_item
from penstock.operations.dynamodb import delete_item, members, put_item, update_item
from penstock.operations.dynamodb.collection_metrics import collection_metrics_by_table
from penstock.operations.dynamodb.transactions import consumed_by_writes, with_used_placeholders
from penstock.operations.dynamodb.writes import check_condition, check_condition_keys
from penstock.operations.operation import Context
from penstock.tables.descriptor import Table
from penstock.tables.stored_item import StoredItem
from penstock.tables.tokens import Token
from penstock.tables.transaction import Action, transact
from penstock.tables.write import Write
from penstock.wire.shapes import ListOf, Member, Shape, String, Structure, required

Request = Mapping[str, Any]


def _action(name: str, **of_its_own: Shape | Member) -> Structure:
    return Structure(
        name,
        TableName=required(members.TABLE_NAME),
        **of_its_own,
        ExpressionAttributeNames=members.NAMES,
        ExpressionAttributeValues=members.VALUES,
        ReturnValuesOnConditionCheckFailure=members.RETURN_ON_FAILURE,
    )


_ACTION = Structure(
    "TransactWriteItem",
    ConditionCheck=_action(
        "ConditionCheck",
        Key=required(members.KEY),
        ConditionExpression=required(members.EXPRESSION),
    ),
    Put=_action("Put", Item=required(members.ITEM), ConditionExpression=members.EXPRESSION),
    Delete=_action("Delete", Key=required(members.KEY), ConditionExpression=members.EXPRESSION),
    Update=_action(
        "Update",
        Key=required(members.KEY),
        UpdateExpression=required(members.EXPRESSION),
        ConditionExpression=members.EXPRESSION,
    ),
)

SHAPE = Structure(
    "TransactWriteItemsInput",
    TransactItems=required(ListOf(_ACTION, 1, limits.transaction_actions_max)),
    ReturnConsumedCapacity=members.RETURN_CONSUMED_CAPACITY,
    ReturnItemCollectionMetrics=members.RETURN_ITEM_COLLECTION_METRICS,
    ClientRequestToken=String(1, limits.transaction_token_chars_max),
)

_encode = msgspec.json.Encoder(order="sorted").encode


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Make all actions, and answer with what they consumed."""
    asked = [_only_action(member) for member in request["TransactItems"]]
    prepared = [_PREPARE[kind](with_used_placeholders(action)) for kind, action in asked]
    encoded = _encode(request["TransactItems"])
    if len(encoded) > limits.transaction_bytes_max:  # else they are no larger: JSON never is
        _check_payload(action for _, action in asked)
    names = [members.table_name(context, action["TableName"]) for _, action in asked]
    actions = list(map(Action, names, prepared))
    outcome = await transact(context.tables, context.region, actions, _token(request, encoded))
    metrics = collection_metrics_by_table(request, zip(names, outcome.changes, strict=True))
    return consumed_by_writes(context, request, names, outcome) | metrics


def _only_action(member: Request) -> tuple[str, Request]:
    """Return the kind and the request of the one action of a member of TransactItems."""
    if not member:
        raise transactions.transaction_action_missing()
    if len(member) > 1:
        raise transactions.transaction_actions_in_one()
    ((kind, action),) = member.items()
    return kind, action


def _check_payload(actions: Iterable[Request]) -> None:
    """Raise ValidationException for actions of more than 4 MB together.

    What counts are items and keys, expressions, and the names and values of their placeholders.
    """
    size = 0
    for action in actions:
        size += sum(_payload(name, member) for name, member in action.items())
        if size > limits.transaction_bytes_max:
            raise transactions.transaction_payload_too_large(size)


def _payload(name: str, member: Any) -> int:
    if name in {"Item", "Key"}:
        return item_bytes(canonical_item(member))
    if name == "ExpressionAttributeValues":
        return sum(map(value_bytes, canonical_item(member).values()))
    if name == "ExpressionAttributeNames":
        return sum(map(text_bytes, member.values()))
    return text_bytes(member) if name.endswith("Expression") else 0


def _token(request: Request, encoded: bytes) -> Token | None:
    """Return the request's token; what an answer tells beside its success may differ each time."""
    text = request.get("ClientRequestToken")
    return None if text is None else Token("TransactWriteItems", text, sha256(encoded).digest())


def _prepare_check(request: Request) -> Callable[[Table], Write]:
    """Return what makes the write of a ConditionCheck, which leaves the item as it is."""
    keys = canonical_item(request["Key"])
    condition = prepare(request, ("ConditionExpression",)).condition

    def decide(old: StoredItem | None) -> StoredItem | None:
        check_condition(request, condition, old)
        return old

    def write(table: Table) -> Write:
        key = item_key_for_lookup(table.schema, keys)
        check_condition_keys(table, condition)
        return Write(table, key, keys, decide)

    return write


def _prepare_update(request: Request) -> Callable[[Table], Write]:
    return update_item.prepare_write(request).write


_PREPARE: dict[str, Callable[[Request], Callable[[Table], Write]]] = {
    "ConditionCheck": _prepare_check,
    "Put": put_item.prepare_write,
    "Delete": delete_item.prepare_write,
    "Update": _prepare_update,
}
