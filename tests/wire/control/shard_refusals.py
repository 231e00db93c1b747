"""What the actions on the shards of a table's stream refuse, all of them alike."""

from typing import Any

from wire.refusal_texts import constraint

NOWHERE = "shardId-" + "0" * 20 + "-00000000"
NO_SHARD = "Requested resource not found: Shard does not exist"

WRONG_TYPES: list[tuple[dict[str, Any], str]] = [
    ({"TableName": 5}, "NUMBER_VALUE cannot be converted to String"),
    ({"TableName": "abc", "ShardId": []}, "Unrecognized collection type class java.lang.String"),
    ({"TableName": "abc", "Region": 1.5}, "DECIMAL_VALUE cannot be converted to String"),
]

BROKEN: list[tuple[dict[str, Any], str]] = [
    ({}, constraint(None, "tableName", "not be null")),
    ({"TableName": "a"}, constraint("a", "tableName", "have length greater than or equal to 3")),
    (
        {"TableName": "abc", "ShardId": "short"},
        constraint("short", "shardId", "have length greater than or equal to 28"),
    ),
    (
        {"TableName": "abc", "Shard": "x"},
        "Unknown members: Shard; there are: TableName, Region, ShardId",
    ),
]
