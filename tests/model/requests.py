"""The request that each step is: the API action and its body."""

from collections.abc import Callable
from typing import Any, NamedTuple

from model.model import TTL_ATTRIBUTE
from model.rendering import Spelling, attribute_updates, expected, with_condition
from model.statements import statement
from model.steps import (
    INDEXES,
    Batch,
    Check,
    IndexSpec,
    ItemAction,
    Put,
    Remove,
    Single,
    TableSpec,
    Transaction,
    Update,
)
from model.values import Item, raw_item

Body = dict[str, Any]


class Request(NamedTuple):
    """One call of the server."""

    action: str
    body: Body


class Place(NamedTuple):
    """Where an action goes: the table's name, and the attributes of the item's key."""

    table: str
    key: Item


PlaceOf = Callable[[ItemAction], Place]


def single(step: Single, place_of: PlaceOf) -> Request:
    """Return the request of one write of one item."""
    if step.style == "partiql":
        asked = statement(step.action, *place_of(step.action), returning=True)
        return Request("ExecuteStatement", asked)
    name, body = _legacy(step, place_of) if step.style == "legacy" else _spelt(step, place_of)
    body["ReturnValues"] = "ALL_NEW" if name == "UpdateItem" else "ALL_OLD"
    return Request(name, body)


def _spelt(step: Single, place_of: PlaceOf) -> Request:
    action = step.action
    ((kind, body),) = transacted(action, place_of(action)).items()
    return Request(f"{kind}Item", body)


def _legacy(step: Single, place_of: PlaceOf) -> Request:
    action = step.action
    table, key = place_of(action)
    body = {"TableName": table} | expected(action.condition)
    match action:
        case Put(attributes=attributes):
            return Request("PutItem", body | {"Item": raw_item(key | attributes)})
        case Update(actions=actions):
            given = attribute_updates(actions)
            return Request("UpdateItem", body | {"Key": raw_item(key)} | given)
        case Remove() | Check():
            return Request("DeleteItem", body | {"Key": raw_item(key)})


def transacted(action: ItemAction, place: Place) -> dict[str, Body]:
    """Return an action as an element of TransactWriteItems."""
    spelling, key = Spelling(), raw_item(place.key)
    body = {"TableName": place.table} | with_condition(spelling, action.condition)
    match action:
        case Put(attributes=attributes):
            kind, body["Item"] = "Put", raw_item(place.key | attributes)
        case Update(actions=actions):
            kind, body["Key"] = "Update", key
            if actions:
                body["UpdateExpression"] = spelling.update(actions)
        case Remove():
            kind, body["Key"] = "Delete", key
        case Check():
            kind, body["Key"] = "ConditionCheck", key
    return {kind: body | spelling.members()}


def batch(step: Batch, place_of: PlaceOf) -> Request:
    """Return the request of a batch of puts and deletes, or of any statements."""
    if step.style == "partiql":
        asked = [statement(a, *place_of(a), returning=True) for a in step.actions]
        return Request("BatchExecuteStatement", {"Statements": asked})
    requested: dict[str, list[Body]] = {}
    for action in step.actions:
        table, key = place_of(action)
        element = {"DeleteRequest": {"Key": raw_item(key)}}
        if isinstance(action, Put):
            element = {"PutRequest": {"Item": raw_item(key | action.attributes)}}
        requested.setdefault(table, []).append(element)
    return Request("BatchWriteItem", {"RequestItems": requested})


def transaction(step: Transaction, place_of: PlaceOf, token: str | None) -> Request:
    """Return the request of a transaction."""
    name, body = "TransactWriteItems", Body()
    if step.style == "partiql":
        asked = [statement(a, *place_of(a), returning=False) for a in step.actions]
        name, body = "ExecuteTransaction", {"TransactStatements": asked}
    else:
        body["TransactItems"] = [transacted(a, place_of(a)) for a in step.actions]
    return Request(name, body | ({} if token is None else {"ClientRequestToken": token}))


def create_table(name: str, spec: TableSpec) -> Request:
    """Return the request that makes a table."""
    body: Body = {
        "TableName": name,
        "KeySchema": key_schema(spec.key_names[:1], spec.key_names[1:]),
        "BillingMode": "PAY_PER_REQUEST",
    }
    used = set(spec.key_names)
    for member, is_local in (("GlobalSecondaryIndexes", False), ("LocalSecondaryIndexes", True)):
        given = [
            index
            for index in (INDEXES[name] for name in spec.indexes)
            if index.is_local == is_local
        ]
        used.update(name for index in given for name in index.partition + index.sort)
        if given:
            body[member] = [described(index) for index in given]
    body["AttributeDefinitions"] = definitions(spec, used)
    if spec.view_type is not None:
        body["StreamSpecification"] = stream_on(spec.view_type)
    return Request("CreateTable", body)


def add_index(table: str, name: str, spec: TableSpec) -> Request:
    """Return the request that adds a global secondary index."""
    index = INDEXES[name]
    return Request(
        "UpdateTable",
        {
            "TableName": table,
            "AttributeDefinitions": definitions(spec, {*index.partition, *index.sort}),
            "GlobalSecondaryIndexUpdates": [{"Create": described(index)}],
        },
    )


def remove_index(table: str, name: str) -> Request:
    """Return the request that removes a global secondary index."""
    removal = {"Delete": {"IndexName": name}}
    return Request("UpdateTable", {"TableName": table, "GlobalSecondaryIndexUpdates": [removal]})


def time_to_live(table: str, enabled: bool) -> Request:
    """Return the request that switches the expiry of items on or off."""
    specification = {"AttributeName": TTL_ATTRIBUTE, "Enabled": enabled}
    return Request(
        "UpdateTimeToLive", {"TableName": table, "TimeToLiveSpecification": specification}
    )


def stream_on(view_type: str) -> Body:
    """Return the specification of a stream."""
    return {"StreamEnabled": True, "StreamViewType": view_type}


def described(index: IndexSpec) -> Body:
    """Return an index as CreateTable and UpdateTable describe it."""
    projection: Body = {"ProjectionType": index.projection}
    if index.included:
        projection["NonKeyAttributes"] = list(index.included)
    return {
        "IndexName": index.name,
        "KeySchema": key_schema(index.partition, index.sort),
        "Projection": projection,
    }


def definitions(spec: TableSpec, names: set[str]) -> list[Body]:
    """Return the definitions of the attributes of these names."""
    return [{"AttributeName": n, "AttributeType": spec.types[n]} for n in sorted(names)]


def key_schema(partition: tuple[str, ...], sort: tuple[str, ...]) -> list[Body]:
    """Return a key schema."""
    return [{"AttributeName": name, "KeyType": "HASH"} for name in partition] + [
        {"AttributeName": name, "KeyType": "RANGE"} for name in sort
    ]
