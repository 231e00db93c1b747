"""The disk space of what can no longer be read comes back, on a real server and its real disk."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.app.control_client import ControlClient
from server_process import POLL_SECONDS, ServerProcess
from wire.clients import all_records, connect, stream_of

TABLE = "readings"
MEGABYTE = 1 << 20
ITEMS = 100
ROUNDS = 60
DAY_MS = 24 * 3600 * 1000
SECONDS_MAX = 60.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server over rocksdb with test controls."""
    with ServerProcess.on(tmp_path / "store", "--test-controls") as process:
        yield process
        process.stop()
        assert process.stderr == ""


def disk_bytes(folder: Path) -> int:
    """Return what the files below `folder` take; one that goes meanwhile takes nothing."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(path) / name).stat().st_size
            except FileNotFoundError:
                continue
    return total


def fill(ddb: Any) -> None:
    """Change each of some items again and again: the stream grows, and the table does not."""
    for round_number in range(ROUNDS):
        for low in range(0, ITEMS, 25):
            puts = [
                {
                    "PutRequest": {
                        "Item": {
                            "pk": {"S": f"item-{number}"},
                            "noise": {"B": os.urandom(2500)},
                            "round": {"N": str(round_number)},
                        }
                    }
                }
                for number in range(low, low + 25)
            ]
            assert ddb.batch_write_item(RequestItems={TABLE: puts})["UnprocessedItems"] == {}


@pytest.mark.slow
def test_24_hours_and_a_second_give_the_disk_space_back(
    server: ServerProcess, tmp_path: Path
) -> None:
    """Of tens of megabytes of records; the table's items stay, and the stream goes on."""
    url = f"http://127.0.0.1:{server.port}"
    ddb, streams = connect(url, "dynamodb"), connect(url, "dynamodbstreams")
    ddb.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    fill(ddb)
    before = disk_bytes(tmp_path)
    assert before > 25 * MEGABYTE
    ControlClient(url).advance(DAY_MS + 1000)
    arn = stream_of(ddb, TABLE)
    assert all_records(streams, arn) == []
    deadline = time.monotonic() + SECONDS_MAX
    while (now := disk_bytes(tmp_path)) > 3 * MEGABYTE:
        assert time.monotonic() < deadline, f"{now} bytes of {before} are still there"
        time.sleep(POLL_SECONDS)
    assert ddb.scan(TableName=TABLE, Select="COUNT")["Count"] == ITEMS
    ddb.put_item(TableName=TABLE, Item={"pk": {"S": "item-0"}})
    (record,) = all_records(streams, arn)
    assert record["dynamodb"]["OldImage"]["round"] == {"N": str(ROUNDS - 1)}
