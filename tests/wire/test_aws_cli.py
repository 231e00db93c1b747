"""The `aws` command does every action of both services, with only the endpoint changed.

Each call is a process of its own that takes about a second, so there is one server, one story for
all actions, and what does not depend on each other runs side by side.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.operations.registry import ACTIONS
from penstock.testing.server import RunningServer
from wire.aws_cli import Aws, hyphenated

pytestmark = pytest.mark.slow

SCHEMA = ["AttributeName=pk,KeyType=HASH", "AttributeName=sk,KeyType=RANGE"]
TYPES = ["AttributeName=pk,AttributeType=S", "AttributeName=sk,AttributeType=N"]
STREAM_ON = "StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES"


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[Aws]:
    with RunningServer(shards=1) as server:
        yield Aws(server.url, tmp_path)


def item(number: int, **more: Any) -> dict[str, Any]:
    return {"pk": {"S": "p"}, "sk": {"N": str(number)}, **more}


def test_every_action_through_the_command_line(aws: Aws) -> None:
    table = ["--table-name", "Music"]

    def ddb(action: str, *arguments: Any) -> Any:
        return aws.run("dynamodb", action, *arguments)

    def streams(action: str, *arguments: Any) -> Any:
        return aws.run("dynamodbstreams", action, *arguments)

    made = ddb(
        "create-table",
        *table,
        *("--key-schema", *SCHEMA, "--attribute-definitions", *TYPES),
        *("--billing-mode", "PAY_PER_REQUEST", "--stream-specification", STREAM_ON),
    )["TableDescription"]
    assert made["TableArn"] == "arn:aws:dynamodb:us-east-1:000000000000:table/Music"
    arn = ["--stream-arn", made["LatestStreamArn"]]

    _write(aws, table)
    _read(aws, table)
    _together(aws)
    _keep(aws, table, made["TableArn"])
    _, listed, described = aws.together(
        lambda: ddb("delete-item", *table, "--key", item(2)),
        lambda: streams("list-streams", *table),
        lambda: streams("describe-stream", *arn),
    )
    assert [stream["StreamArn"] for stream in listed["Streams"]] == [made["LatestStreamArn"]]
    (shard,) = described["StreamDescription"]["Shards"]
    iterator = streams(
        "get-shard-iterator",
        *(*arn, "--shard-id", shard["ShardId"], "--shard-iterator-type", "TRIM_HORIZON"),
    )["ShardIterator"]
    records = streams("get-records", "--shard-iterator", iterator)["Records"]
    names = sorted(record["eventName"] for record in records)
    assert names == ["INSERT"] * 3 + ["MODIFY", "REMOVE"]

    off = ddb("update-table", *table, "--stream-specification", "StreamEnabled=false")
    assert "StreamSpecification" not in off["TableDescription"]
    gone = ddb("delete-table", *table)["TableDescription"]
    assert gone["TableStatus"] == "DELETING"
    services = zip(("dynamodb", "dynamodbstreams"), ACTIONS.values(), strict=True)
    assert aws.used == {
        f"{s} {hyphenated(action)}" for s, actions in services for action in actions
    }


def _write(aws: Aws, table: list[str]) -> None:
    """Put items 1 to 3, with the table seen before them."""
    puts = [{"PutRequest": {"Item": item(number)}} for number in (2, 3)]
    _, batch, tables, described = aws.together(
        lambda: aws.run("dynamodb", "put-item", *table, "--item", item(1, body={"S": "é\n"})),
        lambda: aws.run("dynamodb", "batch-write-item", "--request-items", {"Music": puts}),
        lambda: aws.run("dynamodb", "list-tables"),
        lambda: aws.run("dynamodb", "describe-table", *table),
    )
    assert batch["UnprocessedItems"] == {}
    assert tables["TableNames"] == ["Music"]
    assert described["Table"]["TableStatus"] == "ACTIVE"
    updated = aws.run(
        "dynamodb",
        "update-item",
        *table,
        *("--key", item(3), "--update-expression", "SET #s = :s", "--return-values", "ALL_NEW"),
        *("--expression-attribute-names", {"#s": "status"}),
        *("--expression-attribute-values", {":s": {"S": "new"}}),
    )
    assert updated["Attributes"] == item(3, status={"S": "new"})


def _read(aws: Aws, table: list[str]) -> None:
    """Read the items in every way."""
    one, many, queried, scanned = aws.together(
        lambda: aws.run("dynamodb", "get-item", *table, "--key", item(1)),
        lambda: aws.run(
            "dynamodb", "batch-get-item", "--request-items", {"Music": {"Keys": [item(2)]}}
        ),
        lambda: aws.run(
            "dynamodb",
            "query",
            *table,
            *("--key-condition-expression", "pk = :p AND sk >= :n", "--no-scan-index-forward"),
            *("--expression-attribute-values", {":p": {"S": "p"}, ":n": {"N": "2"}}),
        ),
        lambda: aws.run("dynamodb", "scan", *table, "--page-size", "1", "--select", "COUNT"),
    )
    assert one["Item"] == item(1, body={"S": "é\n"})
    assert many["Responses"] == {"Music": [item(2)]}
    assert [found["sk"]["N"] for found in queried["Items"]] == ["3", "2"]
    assert (scanned["Count"], scanned["ScannedCount"]) == (3, 3)


def _together(aws: Aws) -> None:
    """Read and check items in transactions and by statements, which changes nothing."""
    one = {"TableName": "Music", "Key": item(1)}
    check = {**one, "Key": item(2), "ConditionExpression": "attribute_exists(pk)"}
    select = {"Statement": "SELECT * FROM Music WHERE pk = 'p' AND sk = 1"}
    _, got, selected, batch, executed = aws.together(
        lambda: aws.run(
            "dynamodb", "transact-write-items", "--transact-items", [{"ConditionCheck": check}]
        ),
        lambda: aws.run("dynamodb", "transact-get-items", "--transact-items", [{"Get": one}]),
        lambda: aws.run("dynamodb", "execute-statement", "--statement", select["Statement"]),
        lambda: aws.run("dynamodb", "batch-execute-statement", "--statements", [select]),
        lambda: aws.run("dynamodb", "execute-transaction", "--transact-statements", [select]),
    )
    found = item(1, body={"S": "é\n"})
    assert selected["Items"] == [found]
    for answer in (got, batch, executed):
        assert answer["Responses"][0]["Item"] == found


def _keep(aws: Aws, table: list[str], arn: str) -> None:
    """Tag the table, let its items live for a time, and ask for what surrounds it."""
    resource = ["--resource-arn", arn]
    live = "Enabled=true,AttributeName=expires"
    _, set_, limits, endpoints = aws.together(
        lambda: aws.run("dynamodb", "tag-resource", *resource, "--tags", "Key=a,Value=b"),
        lambda: aws.run(
            "dynamodb", "update-time-to-live", *table, "--time-to-live-specification", live
        ),
        lambda: aws.run("dynamodb", "describe-limits"),
        lambda: aws.run("dynamodb", "describe-endpoints"),
    )
    assert set_["TimeToLiveSpecification"]["AttributeName"] == "expires"
    assert limits["TableMaxReadCapacityUnits"] == 40_000
    assert endpoints["Endpoints"][0]["Address"].startswith("127.0.0.1:")
    tags, told = aws.together(
        lambda: aws.run("dynamodb", "list-tags-of-resource", *resource),
        lambda: aws.run("dynamodb", "describe-time-to-live", *table),
    )
    assert tags["Tags"] == [{"Key": "a", "Value": "b"}]
    assert told["TimeToLiveDescription"]["AttributeName"] == "expires"
    assert aws.run("dynamodb", "untag-resource", *resource, "--tag-keys", "a") is None
