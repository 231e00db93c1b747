"""`penstock serve` from its start to its end: health, signals, what is in flight, its streams."""

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from fault.load import StreamReader, Writer, running, wait_until
from fault.observer import (
    KEY,
    all_items,
    create_table,
    first_iterator,
    shard_ids,
    stream_arn,
)
from fault.promises import check_promises, writes_of
from fault.raw_client import NoAnswer, RawClient, Refused, request_bytes
from penstock import __version__
from server_process import START_SECONDS_MAX, ServerProcess, clean_environment, command

TABLE = "fault"
STOP_SECONDS_MAX = 2.0
STOPPING = [signal.SIGTERM, signal.SIGINT]


def _big_batch(number: int) -> dict[str, Any]:
    """Return a BatchWriteItem of half a megabyte, which takes the server a while."""
    puts = [
        {"PutRequest": {"Item": {KEY: {"S": f"{number}-{n}"}, "pad": {"S": "x" * 20_000}}}}
        for n in range(25)
    ]
    return {"RequestItems": {TABLE: puts}}


def _stop_in_time(
    server: ServerProcess,
    number: int = signal.SIGTERM,
    seconds_max: float = STOP_SECONDS_MAX,
) -> None:
    before = server.fair_seconds()
    server.stop(number)
    assert server.fair_seconds() - before < seconds_max


# --- the start


def test_a_server_says_where_it_is_and_how_it_is(tmp_path: Path) -> None:
    with ServerProcess.on(tmp_path / "store") as server:
        url = f"http://127.0.0.1:{server.port}"
        with urllib.request.urlopen(f"{url}/_penstock/health") as answer:
            health = json.load(answer)
        assert health == {"status": "ready", "version": __version__, "engine": "rocksdb"}
        with urllib.request.urlopen(url) as answer:
            assert answer.read().startswith(b"healthy: dynamodb.")
        _stop_in_time(server)
        assert server.stderr == ""


def test_two_servers_on_two_directories_know_nothing_of_each_other(tmp_path: Path) -> None:
    with ServerProcess.on(tmp_path / "a") as one, ServerProcess.on(tmp_path / "b") as other:
        with RawClient(one.port) as client:
            create_table(client, TABLE)
            assert client.call("ListTables")["TableNames"] == [TABLE]
        with RawClient(other.port) as client:
            assert client.call("ListTables")["TableNames"] == []


def test_settings_come_from_the_environment_too(tmp_path: Path) -> None:
    given = {"PENSTOCK_DATA": str(tmp_path / "store"), "PENSTOCK_ACCOUNT": "123456789012"}
    with ServerProcess(log=tmp_path / "log", environment=given) as server:
        server.await_ready()
        with RawClient(server.port) as client:
            create_table(client, TABLE)
            arn = client.call("DescribeTable", TableName=TABLE)["Table"]["TableArn"]
    assert arn == f"arn:aws:dynamodb:us-east-1:123456789012:table/{TABLE}"
    assert (tmp_path / "store" / "rocksdb").is_dir()


# --- the end


@pytest.mark.parametrize("number", STOPPING)
def test_what_is_in_flight_is_answered_and_kept(tmp_path: Path, number: signal.Signals) -> None:
    """Ten large requests have arrived but for their last byte when the signal comes."""
    with ServerProcess.on(tmp_path / "store") as server, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(RawClient(server.port)) for _ in range(10)]
        create_table(clients[0], TABLE)
        requests = [request_bytes("BatchWriteItem", _big_batch(n)) for n in range(10)]
        for client, request in zip(clients, requests, strict=True):
            client.send_bytes(request[:-1])
        with RawClient(server.port) as other:  # answered, so what came before it has been read
            other.call("ListTables")
        before = server.fair_seconds()
        server.send_signal(number)
        for client, request in zip(clients, requests, strict=True):
            client.send_bytes(request[-1:])
        assert all(client.receive() == {"UnprocessedItems": {}} for client in clients)
        assert server.wait() == 0
        assert server.fair_seconds() - before < STOP_SECONDS_MAX
        assert server.stderr == ""
    with ServerProcess.on(tmp_path / "store") as server, RawClient(server.port) as client:
        assert len(all_items(client, TABLE)) == 250


def _health(port: int) -> tuple[int, str]:
    """Return the status of the health page, and the server's status in words."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_penstock/health") as answer:
            return answer.status, json.load(answer)["status"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)["status"]


@pytest.mark.parametrize("number", STOPPING)
def test_a_server_that_is_to_stop_says_so_while_it_still_serves(
    tmp_path: Path, number: signal.Signals
) -> None:
    """Whoever asks for its health has time to; asking it again to stop ends that time."""
    delay = ("--stop-delay-seconds", "3600")
    with ServerProcess.on(tmp_path / "store", *delay) as server:
        with RawClient(server.port) as client:
            create_table(client, TABLE)
        assert _health(server.port) == (200, "ready")
        server.send_signal(number)
        wait_until(lambda: _health(server.port) == (503, "stopping"), "the health page to say so")
        for name in ("a", "b"):
            with RawClient(server.port) as client:
                client.call("PutItem", TableName=TABLE, Item={KEY: {"S": name}})
        with RawClient(server.port) as client:
            client.call("ListTables")
            with pytest.raises(NoAnswer):
                client.call("ListTables")
        _stop_in_time(server, number)
        assert server.stderr == ""
    with ServerProcess.on(tmp_path / "store") as server, RawClient(server.port) as client:
        assert len(all_items(client, TABLE)) == 2


def test_the_delay_of_a_stop_ends_by_itself(tmp_path: Path) -> None:
    with ServerProcess.on(tmp_path / "store", "--stop-delay-seconds", "1") as server:
        before = time.monotonic()
        server.stop()
        assert time.monotonic() - before >= 1.0


def test_a_drain_that_waits_does_not_hold_up_the_end(tmp_path: Path) -> None:
    """It is told that the server stops; its connection is not cut when the time is up."""
    body = json.dumps({"TableName": TABLE, "Consumer": "nobody", "SecondsMax": 300})
    head = "POST /_penstock/control/Drain HTTP/1.1\r\nHost: localhost\r\n"
    drain = f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()
    store = tmp_path / "store"
    with (
        ServerProcess.on(store, "--test-controls") as server,
        RawClient(server.port) as client,
        RawClient(server.port) as other,
    ):
        create_table(other, TABLE)
        other.call("PutItem", TableName=TABLE, Item={KEY: {"S": "a"}})
        client.send_bytes(drain)
        other.call("ListTables")  # answered, so what came before it has been read
        _stop_in_time(server)
        with pytest.raises(Refused) as refused:
            client.receive()
        assert (refused.value.status, refused.value.code) == (503, "ServiceUnavailable")
        assert server.stderr == ""


def test_readers_that_wait_do_not_hold_up_the_end(tmp_path: Path) -> None:
    """Each is answered with nothing, and where to go on from when the server is back."""
    store = tmp_path / "store"
    with ServerProcess.on(store) as server, contextlib.ExitStack() as readers:
        with RawClient(server.port) as client:
            create_table(client, TABLE)
            arn = stream_arn(client, TABLE)
            iterators = [first_iterator(client, arn, each) for each in shard_ids(client, arn)]
        clients = [readers.enter_context(RawClient(server.port)) for _ in iterators]
        for client, iterator in zip(clients, iterators, strict=True):
            wait = {"X-Penstock-Wait-Ms": "20000"}
            client.send_bytes(request_bytes("GetRecords", {"ShardIterator": iterator}, wait))
        with RawClient(server.port) as other:  # answered, so what came before it has been read
            other.call("ListTables")
        _stop_in_time(server)
        answers = [client.receive() for client in clients]
        assert [answer["Records"] for answer in answers] == [[]] * len(iterators)
        assert server.stderr == ""
    with ServerProcess.on(store) as server, RawClient(server.port) as client:
        for answer in answers:
            following = client.call("GetRecords", ShardIterator=answer["NextShardIterator"])
            assert following["Records"] == []


@pytest.mark.parametrize("number", STOPPING)
def test_a_stop_under_load_loses_nothing(tmp_path: Path, number: signal.Signals) -> None:
    keys = [f"item-{n}" for n in range(8)]
    writers = [Writer(f"w{n}", TABLE, keys, f"{n}") for n in range(12)]
    reader = StreamReader(TABLE)
    with ServerProcess.on(tmp_path / "store") as server, RawClient(server.port) as client:
        create_table(client, TABLE)
        with running(server.port, reader, *writers):
            wait_until(lambda: reader.watch.records_seen >= 200, "200 records")
            _stop_in_time(server, number)
        assert server.stderr == ""
    with ServerProcess.on(tmp_path / "store") as server:
        check_promises(server.port, TABLE, writes_of(writers), reader)


@pytest.mark.parametrize("number", STOPPING)
def test_clients_that_never_finish_do_not_hold_the_server_up(
    tmp_path: Path, number: signal.Signals
) -> None:
    with ServerProcess.on(tmp_path / "store") as server, contextlib.ExitStack() as stack:
        idle, in_head, in_body = (stack.enter_context(RawClient(server.port)) for _ in range(3))
        idle.call("ListTables")
        in_head.send_bytes(b"POST / HTTP/1.1\r\nHost: lo")
        in_body.send_bytes(request_bytes("ListTables", {"Limit": 100})[:-1])
        idle.call("ListTables")
        _stop_in_time(server, number)
        with pytest.raises(NoAnswer):
            in_body.receive()


def test_an_idle_server_ends_at_once(tmp_path: Path) -> None:
    with ServerProcess.on(tmp_path / "store") as server, RawClient(server.port) as client:
        client.call("ListTables")
        _stop_in_time(server, seconds_max=STOP_SECONDS_MAX / 2)


@pytest.mark.parametrize("number", STOPPING)
def test_the_end_waits_for_no_disk(tmp_path: Path, number: signal.Signals) -> None:
    """All that was acknowledged is in the log: no file is written or made at the end."""

    def files() -> dict[str, tuple[int, int]]:
        states = {path.name: path.stat() for path in (tmp_path / "store" / "rocksdb").iterdir()}
        return {name: (state.st_size, state.st_mtime_ns) for name, state in states.items()}

    with ServerProcess.on(tmp_path / "store") as server:
        with RawClient(server.port) as client:
            create_table(client, TABLE)
            client.call("BatchWriteItem", **_big_batch(0))
        before = files()
        _stop_in_time(server, number)
        assert files() == before
    with ServerProcess.on(tmp_path / "store") as server, RawClient(server.port) as client:
        assert len(all_items(client, TABLE)) == 25


@pytest.mark.parametrize("number", STOPPING)
def test_asking_again_and_again_changes_nothing(tmp_path: Path, number: signal.Signals) -> None:
    with ServerProcess.on(tmp_path / "store") as server, RawClient(server.port) as client:
        create_table(client, TABLE)
        client.send("BatchWriteItem", **_big_batch(0))
        before = server.fair_seconds()
        while server.process.poll() is None:
            server.send_signal(number)
            time.sleep(0.002)
            assert server.fair_seconds() - before < STOP_SECONDS_MAX
        assert server.wait() == 0
        assert server.stderr == ""


def test_a_stop_during_the_start_leaves_a_store_that_can_be_used(tmp_path: Path) -> None:
    """Before the server can take a signal it ends by it, with nothing begun; then it exits 0."""
    chance = random.Random(20261001)
    data, log = tmp_path / "store", tmp_path / "log"
    seen = set()
    for _ in range(8):
        with ServerProcess("--data", str(data), log=log) as server:
            time.sleep(chance.uniform(0.03, 0.4))  # the moment is what varies
            before = server.fair_seconds()
            server.send_signal(signal.SIGTERM)
            seen.add(server.wait())
            assert server.fair_seconds() - before < STOP_SECONDS_MAX
            assert server.stderr == ""
    assert seen <= {0, -signal.SIGTERM}
    with ServerProcess.on(data) as server, RawClient(server.port) as client:
        create_table(client, TABLE)


# --- the standard streams


@pytest.mark.parametrize("closed", ["1>&-", "2>&-", "0<&- 1>&- 2>&-", "1>/dev/full"])
def test_a_server_without_its_standard_streams_serves_all_the_same(
    tmp_path: Path, closed: str
) -> None:
    """And writes nothing that is meant for people into a file of the store."""
    data = tmp_path / "store"
    port = _free_port()
    arguments = ["serve", "--port", str(port), "--data", str(data)]
    script = f'exec "$@" {closed}'
    process = subprocess.Popen(
        ["sh", "-c", script, "sh", *command(*arguments)], env=clean_environment()
    )
    try:
        with RawClient(port) as client:
            _await_answer(client, process)
            create_table(client, TABLE)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
    with ServerProcess.on(data) as server, RawClient(server.port) as client:
        assert client.call("ListTables")["TableNames"] == [TABLE]


def test_a_server_whose_reader_went_away_serves_all_the_same(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    port = _free_port()
    arguments = ["serve", "--port", str(port), "--engine", "memory"]
    log = tmp_path / "log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            command(*arguments), stdout=writing, stderr=stderr, env=clean_environment()
        )
    os.close(writing)
    try:
        with RawClient(port) as client:
            _await_answer(client, process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert log.read_text() == ""
    finally:
        process.kill()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _await_answer(client: RawClient, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while True:
        assert process.poll() is None
        assert time.monotonic() < deadline
        try:
            client.call("ListTables")
            return
        except NoAnswer:
            time.sleep(0.02)
