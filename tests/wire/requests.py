"""Valid requests of every action, and ways to spoil them."""

import copy
import json
from typing import Any

from hypothesis import strategies as st

TABLES = "DynamoDB_20120810."
STREAMS = "DynamoDBStreams_20120810."

Body = dict[str, Any]


KEY: Body = {"pk": {"S": "p"}, "sk": {"N": "1"}}
ITEM: Body = {
    **KEY,
    "s": {"S": "text"},
    "n": {"N": "12.5"},
    "b": {"B": "AAEC"},
    "set": {"SS": ["a", "b"]},
    "numbers": {"NS": ["1", "2"]},
    "l": {"L": [{"NULL": True}, {"BOOL": False}]},
    "m": {"M": {"x": {"M": {"y": {"BS": ["AA=="]}}}}},
}
NAMES, VALUES = {"#s": "s"}, {":v": {"S": "text"}}
TOLD = {"ReturnConsumedCapacity": "INDEXES"}
STREAM_ON = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}


def valid_requests(table: str, arn: str, shard: str, iterator: str) -> dict[str, Body]:
    """Return a good request of each action by its target.

    `table` has the partition key pk (S) and the sort key sk (N), and a stream.
    """
    of_tables = {
        **_of_tables(table, arn.partition("/stream/")[0]),
        **_writes(table),
        **_reads(table),
        **_statements(table),
    }
    of_streams = _of_streams(table, arn, shard, iterator)
    return {TABLES + name: body for name, body in of_tables.items()} | {
        STREAMS + name: body for name, body in of_streams.items()
    }


def _of_tables(table: str, resource: str) -> dict[str, Body]:
    keys = [("pk", "HASH", "S"), ("sk", "RANGE", "N")]
    return {
        "CreateTable": {
            "TableName": table,
            "KeySchema": [{"AttributeName": name, "KeyType": kind} for name, kind, _ in keys],
            "AttributeDefinitions": [
                {"AttributeName": name, "AttributeType": kind} for name, _, kind in keys
            ],
            "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
            "StreamSpecification": STREAM_ON,
            "Tags": [{"Key": "a", "Value": "1"}],
        },
        "DeleteTable": {"TableName": "none-of-this-name"},
        "DescribeEndpoints": {},
        "DescribeLimits": {},
        "DescribeTable": {"TableName": table},
        "DescribeTimeToLive": {"TableName": table},
        "UpdateTimeToLive": {
            "TableName": table,
            "TimeToLiveSpecification": {"Enabled": True, "AttributeName": "ends"},
        },
        "ListTables": {"Limit": 5, "ExclusiveStartTableName": "abc"},
        "ListTagsOfResource": {"ResourceArn": resource},
        "TagResource": {"ResourceArn": resource, "Tags": [{"Key": "b", "Value": "2"}]},
        "UntagResource": {"ResourceArn": resource, "TagKeys": ["c"]},
        "UpdateTable": {"TableName": table, "StreamSpecification": STREAM_ON},
    }


def _writes(table: str) -> dict[str, Body]:
    conditional: Body = {
        "TableName": table,
        "ConditionExpression": "#s = :v OR attribute_not_exists(m.x[0])",
        "ExpressionAttributeNames": NAMES,
        "ExpressionAttributeValues": VALUES,
        "ReturnValues": "ALL_OLD",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        **TOLD,
    }
    put, delete = {"Item": ITEM}, {"Key": {"pk": {"S": "q"}, "sk": {"N": "2"}}}
    return {
        "BatchWriteItem": {
            "RequestItems": {table: [{"PutRequest": put}, {"DeleteRequest": delete}]},
            **TOLD,
        },
        "DeleteItem": {"Key": KEY, **conditional},
        "PutItem": {"Item": ITEM, **conditional},
        "UpdateItem": {
            "TableName": table,
            "Key": KEY,
            "UpdateExpression": "SET n = n + :one, l = list_append(l, :l) REMOVE b ADD #set :a",
            "ConditionExpression": "attribute_type(n, :t)",
            "ExpressionAttributeNames": {"#set": "set"},
            "ExpressionAttributeValues": {
                ":one": {"N": "1"},
                ":l": {"L": [{"S": "x"}]},
                ":a": {"SS": ["c"]},
                ":t": {"S": "N"},
            },
            "ReturnValues": "UPDATED_NEW",
            **TOLD,
        },
        "TransactWriteItems": {"TransactItems": _actions(table), **TOLD},
    }


def _actions(table: str) -> list[Body]:
    condition: Body = {
        "TableName": table,
        "ConditionExpression": "#s = :v OR attribute_not_exists(m.x[0])",
        "ExpressionAttributeNames": NAMES,
        "ExpressionAttributeValues": VALUES,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    keys: list[Body] = [{"pk": {"S": "p"}, "sk": {"N": str(n)}} for n in range(2, 5)]
    return [
        {"Put": {"Item": ITEM, **condition}},
        {"Update": {"Key": keys[0], "UpdateExpression": "SET a = :v", **condition}},
        {"Delete": {"Key": keys[1], **condition}},
        {"ConditionCheck": {"Key": keys[2], **condition}},
    ]


def _reads(table: str) -> dict[str, Body]:
    projected = {"ProjectionExpression": "#s, l[1], m.x.y", "ExpressionAttributeNames": NAMES}
    return {
        "BatchGetItem": {"RequestItems": {table: {"Keys": [KEY], **projected}}, **TOLD},
        "GetItem": {"TableName": table, "Key": KEY, "ConsistentRead": True, **projected, **TOLD},
        "Query": {
            "TableName": table,
            "KeyConditionExpression": "pk = :p AND sk BETWEEN :a AND :b",
            "FilterExpression": "contains(#s, :p) AND size(l) < :b",
            **projected,
            "ExpressionAttributeValues": {":p": {"S": "p"}, ":a": {"N": "0"}, ":b": {"N": "9"}},
            "ExclusiveStartKey": KEY,
            "ScanIndexForward": False,
            "Limit": 3,
            "Select": "SPECIFIC_ATTRIBUTES",
            **TOLD,
        },
        "Scan": {
            "TableName": table,
            "FilterExpression": "begins_with(#s, :v) OR NOT #s IN (:v)",
            "ExpressionAttributeNames": NAMES,
            "ExpressionAttributeValues": VALUES,
            "Segment": 0,
            "TotalSegments": 1,
            "Limit": 3,
            "ExclusiveStartKey": KEY,
            **TOLD,
        },
        "TransactGetItems": {
            "TransactItems": [{"Get": {"TableName": table, "Key": KEY, **projected}}],
            **TOLD,
        },
    }


def _statements(table: str) -> dict[str, Body]:
    select: Body = {
        "Statement": f'SELECT s, l[1], m.x FROM "{table}" WHERE pk = ? AND sk = 1',
        "Parameters": [KEY["pk"]],
    }
    update: Body = {
        "Statement": f'UPDATE "{table}" SET n = n + 1 SET "set" = set_add("set", <<\'c\'>>)'
        " REMOVE b WHERE pk = ? AND sk = ? AND (contains(s, 'x') OR m.x[0] IS MISSING)",
        "Parameters": list(KEY.values()),
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    return {
        "BatchExecuteStatement": {"Statements": [select | {"ConsistentRead": True}], **TOLD},
        "ExecuteStatement": {
            "Statement": f"SELECT * FROM \"{table}\" WHERE pk IN [?, 'q'] AND sk BETWEEN 0 AND 9"
            " ORDER BY pk DESC, sk ASC",
            "Parameters": [KEY["pk"]],
            "ConsistentRead": True,
            "Limit": 3,
            **TOLD,
        },
        "ExecuteTransaction": {"TransactStatements": [update], "ClientRequestToken": "t", **TOLD},
    }


def _of_streams(table: str, arn: str, shard: str, iterator: str) -> dict[str, Body]:
    return {
        "DescribeStream": {
            "StreamArn": arn,
            "Limit": 5,
            "ExclusiveStartShardId": shard,
            "ShardFilter": {"Type": "CHILD_SHARDS", "ShardId": shard},
        },
        "GetRecords": {"ShardIterator": iterator, "Limit": 5},
        "GetShardIterator": {
            "StreamArn": arn,
            "ShardId": shard,
            "ShardIteratorType": "AT_SEQUENCE_NUMBER",
            "SequenceNumber": "1" * 21,
        },
        "ListStreams": {"TableName": table, "Limit": 5, "ExclusiveStartStreamArn": arn},
    }


_STRINGS = st.text(max_size=6) | st.sampled_from(
    [
        "",
        "S",
        "N",
        "L",
        "pk",
        ":v",
        "#s",
        " AND ",
        "(",
        "[1]",
        "\x00",
        "\U0001f600",
        "9" * 50,
        "1e999",
    ]
)
_NUMBERS = st.integers() | st.sampled_from([0, -1, 2**31, 2**64, 10**400, 1.5, 1e308, -0.0])
_SCALARS = st.none() | st.booleans() | _NUMBERS | _STRINGS
_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_STRINGS, inner, max_size=3),
    max_leaves=6,
)

Path = tuple[str | int, ...]


def _paths(node: Any, path: Path = ()) -> list[Path]:
    """Return the places of all that is inside `node`."""
    inside = node.items() if isinstance(node, dict) else enumerate(node)
    found: list[Path] = []
    for step, child in inside:
        found.append((*path, step))
        if isinstance(child, dict | list):
            found += _paths(child, (*path, step))
    return found


def _at(node: Any, path: Path) -> Any:
    for step in path:
        node = node[step]
    return node


def _edited(draw: st.DrawFn, value: Any) -> Any:
    """Return another value of the same type; of a text, one with a part of it replaced."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return draw(_NUMBERS)
    if isinstance(value, list):
        return draw(st.sampled_from([[], value * 2, value * 101]))
    if isinstance(value, dict):
        return {**value, draw(_STRINGS): draw(_JSON)}
    text = str(value)
    at = draw(st.integers(0, len(text)))
    until = draw(st.integers(at, min(len(text), at + 3)) | st.just(len(text)))
    return text[:at] + draw(_STRINGS) + text[until:]


def _spoil(draw: st.DrawFn, body: Body) -> None:
    """Change one thing somewhere in `body`: a member's name, a type, a value, a text."""
    paths = _paths(body)
    if not paths:
        return
    *above, step = draw(st.sampled_from(paths))
    parent = _at(body, tuple(above))
    old = parent[step]
    how = draw(st.sampled_from(["edit", "edit", "edit", "replace", "move", "drop", "rename"]))
    if how == "edit":
        parent[step] = _edited(draw, old)
    elif how == "move":
        parent[step] = copy.deepcopy(_at(body, draw(st.sampled_from(paths))))
    elif how == "drop":
        del parent[step]
    elif how == "rename" and isinstance(parent, dict):
        parent[_edited(draw, str(step))] = parent.pop(step)
    else:
        parent[step] = draw(_JSON)


@st.composite
def spoiled_json(draw: st.DrawFn, body: Body) -> bytes:
    """Return `body` as JSON, spoiled in one to three places, and seldom in the JSON itself."""
    body = copy.deepcopy(body)
    for _ in range(draw(st.integers(1, 3))):
        _spoil(draw, body)
    data = json.dumps(body, ensure_ascii=draw(st.booleans())).encode()
    if draw(st.integers(0, 19)) < 19:
        return data
    at = draw(st.integers(0, len(data)))
    garbage = draw(st.binary(max_size=3) | st.just(b"\\ud800"))
    return data[:at] + garbage + data[at + draw(st.integers(0, 3)) :]
