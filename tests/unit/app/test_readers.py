"""`penstock readers` as a person runs it, against a server over HTTP."""

import argparse
import json
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from threading import Thread
from typing import Any

import pytest
from rich.console import Console

from penstock.app import readers
from penstock.app.endpoint import own_endpoint
from penstock.app.readers_page import print_page
from penstock.testing.server import RunningServer
from server_process import command

_SECONDS_MAX = 60
SHARD_ID = "shardId-00000001790000000123-0a1b2c3d"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server with a stream of one shard that two readers have read, one of them in vain."""
    with RunningServer(shards=1) as server:
        _read_a_stream(server.url)
        yield server.url


def _read_a_stream(url: str) -> None:
    endpoint = own_endpoint(url)
    tables, streams = endpoint.tables(), endpoint.streams()
    settings: Any = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    made = tables.create_table(
        TableName="read-by-two",
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification=settings,
    )
    for number in range(1234):
        tables.put_item(TableName="read-by-two", Item={"k": {"S": str(number)}})
    arn = made["TableDescription"]["LatestStreamArn"]
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    for kind in ("TRIM_HORIZON", "LATEST"):
        begun = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType=kind)
        page = streams.get_records(ShardIterator=begun["ShardIterator"])
        streams.get_records(ShardIterator=page["NextShardIterator"])


def _run(url: str, *given: str) -> int:
    """Return the exit code of the command, run in this process."""
    parser = argparse.ArgumentParser()
    readers.add_arguments(parser)
    return readers.run(parser.parse_args([*given, "--endpoint-url", url]))


def test_each_shard_is_a_row_with_its_counts(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Not to a terminal: in lines that are not broken, with whole ids."""
    assert _run(url) == 0
    lines = capsys.readouterr().out.splitlines()
    names, row = lines[0].split(), lines[2].split()
    assert names == [
        *("table", "shard", "readers", "calls", "records", "bytes"),
        *("over", "two", "over", "rate", "refused"),
    ]
    assert (row[0], row[1][:8], row[3:5]) == ("read-by-two", "shardId-", ["4", "1,234"])
    assert row[-3:] == ["0", "0", "0"]
    (action,) = (line.split() for line in lines if line.startswith("DescribeStream"))
    assert action == ["DescribeStream", "us-east-1", "1", "0", "0"]


def test_json_is_the_page_of_the_server(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(url, "--json") == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    page = json.loads(out)
    (shard,) = page["Shards"]
    assert (shard["TableName"], shard["Calls"], shard["Records"]) == ("read-by-two", 4, 1234)
    assert page["Actions"] == [
        {
            "Region": "us-east-1",
            "Action": "DescribeStream",
            "Calls": 1,
            "CallsBeyondRate": 0,
            "CallsThrottled": 0,
        }
    ]


NAMES = ("table", "shard", "readers", "calls", "records", "bytes", "over two", "over rate")
BIG = (1_234_567, 12_345_678, 123_456_789_012)


@pytest.mark.parametrize(
    ("columns", "counts", "left_out"),
    [
        (45, (5, 5, 5), ("bytes", "records", "calls")),
        (60, (412, 1234, 234_567), ("bytes",)),
        (60, BIG, ("bytes", "records")),
        (80, (412, 1234, 234_567), ()),
        (80, BIG, ()),
        (120, BIG, ()),
    ],
)
def test_a_narrow_screen_has_whole_headers_and_counts_and_says_what_it_leaves_out(
    columns: int, counts: tuple[int, int, int], left_out: tuple[str, ...]
) -> None:
    """The long name of a table gives way to them, folded, and at 120 whole ids of shards fit."""
    shard = {"TableName": "long-" * 10, "ShardId": SHARD_ID, "Readers": 13}
    read = dict(zip(("Calls", "Records", "Bytes"), counts, strict=True))
    beyond = {"CallsBeyondReaders": 1204, "CallsBeyondRate": 12, "CallsThrottled": 345}
    output = StringIO()
    page = {"Shards": [shard | read | beyond], "Actions": []}
    print_page(page, Console(file=output, width=columns))
    above, below = output.getvalue().split("─" * 40, 1)
    assert max(len(line) for line in output.getvalue().splitlines()) <= columns
    words = " ".join(name for name in (*NAMES, "refused") if name not in left_out).split()
    assert sorted(above.replace("─", " ").split()) == sorted(words)
    shown = ["13", *(() if "calls" in left_out else (f"{counts[0]:,}",)), "1,204", "12", "345"]
    row = next(line for line in below.splitlines() if "1,204" in line).split()
    assert [cell for cell in row if cell in shown] == shown
    assert row[1] == (SHARD_ID if columns == 120 else SHARD_ID[-8:])
    said = f"Too narrow for: {', '.join(left_out)}.\n"
    assert below.endswith(said) == bool(left_out)


def test_a_server_whose_streams_nobody_read_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with RunningServer() as server:
        assert _run(server.url) == 0
    assert capsys.readouterr().out == ("Nobody has read a shard of this server since it started.\n")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("http://127.0.0.1:9", "cannot connect to http://127.0.0.1:9: is the server running?"),
        ("nonsense", "not a URL of an endpoint: 'nonsense' (expected http://host:port)"),
        (
            "http://127.0.0.1:9/foo",
            "not a URL of an endpoint: 'http://127.0.0.1:9/foo' (expected http://host:port)",
        ),
    ],
)
def test_what_cannot_be_reached_is_told_in_one_line(
    wrong: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(wrong) == 1
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", f"penstock readers: {words}\n")


@pytest.mark.parametrize(
    ("status", "body"),
    [(404, b"<UnknownOperationException/>"), (200, b"hello"), (200, b"[]"), (200, b'{"Shards":1}')],
)
def test_a_server_of_another_kind_is_told_in_one_line(
    status: int, body: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        serving = Thread(target=server.handle_request)
        serving.start()
        assert _run(url) == 1
        serving.join(_SECONDS_MAX)
    assert capsys.readouterr().err == (
        f"penstock readers: {url} has no page of readers: it is no Penstock, or an older one\n"
    )


@pytest.mark.parametrize("form", ["", "--json"])
@pytest.mark.parametrize(
    ("output", "status", "words"),
    [
        ("1>/dev/full", 1, "penstock readers: cannot write: No space left on device\n"),
        ("1>&-", 0, ""),
        ("| :", 0, ""),
    ],
)
def test_an_output_that_takes_nothing_is_no_traceback(
    url: str, form: str, output: str, status: int, words: str
) -> None:
    asking = command("readers", "--endpoint-url", url, *form.split())
    done = subprocess.run(
        ["sh", "-c", f'"$@" {output}', "sh", *asking],
        stderr=subprocess.PIPE,
        text=True,
        timeout=_SECONDS_MAX,
        check=False,
    )
    assert (done.returncode, done.stderr) == (status, words)
