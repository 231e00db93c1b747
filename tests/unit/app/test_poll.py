"""`penstock poll` as a person runs it: a process between a server and a function at a URL."""

import json
import random
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from moto_services import moto_services
from penstock.testing.local_server import LocalServer
from server_process import ServerProcess
from unit.app.polling import SECONDS_MAX, Function, Ground, Poll, key_of, wait_until
from unit.functions.scripted_server import Said

pytestmark = pytest.mark.slow
KILLS = 3
NOWHERE = "arn:aws:dynamodb:us-east-1:000000000000:table/nowhere/stream/2026-11-28T00:00:00.000"


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    with LocalServer(shards=2) as running:
        yield running


@pytest.fixture
def ground(server: LocalServer, tmp_path: Path) -> Iterator[Ground]:
    with Function() as function:
        yield Ground(server, function, tmp_path)


def test_every_record_comes_in_order_through_a_split(ground: Ground) -> None:
    """Those of one item in the order of its changes, whatever shard they are in."""
    keys = [f"key-{number}" for number in range(20)]
    ground.put(*keys, version=1)
    with ground.poll("--batch-size", "7") as poll:
        ground.put(*keys, version=2)
        ground.server.control.split(ground.table)
        ground.put(*keys, version=3)
        ground.function.await_keys(lambda seen: len(seen) >= 60)
        out, err = poll.stop()
    versions: dict[str, list[str]] = {}
    for record in (record for call in ground.function.calls for record in call):
        version = record["dynamodb"]["NewImage"]["version"]["N"]
        versions.setdefault(key_of(record), []).append(version)
        assert record["eventSourceARN"] == ground.arn
    assert versions == {key: ["1", "2", "3"] for key in keys}
    assert max(len(call) for call in ground.function.calls) <= 7
    opening, stopped = out.splitlines()[0], out.splitlines()[-1]
    assert opening.startswith(f"{ground.table} in us-east-1 at {ground.server.url} to ")
    assert "from TRIM_HORIZON on" in opening
    assert stopped == "stopped: 60 records read, 60 handed over, 0 behind"
    assert err == ""


def test_several_batches_of_a_shard_keep_the_order_of_each_key(ground: Ground) -> None:
    """Four at once, each as slow as it likes."""
    slow = random.Random(7)
    ground.function.answer = lambda records: Said(
        str(ground.function.server.released.wait(slow.random() / 50)).lower().encode()
    )
    keys = [f"key-{number}" for number in range(12)]
    for version in range(8):
        ground.put(*keys, version=version)
    with ground.poll("--parallelization-factor", "4", "--batch-size", "5") as poll:
        ground.function.await_keys(lambda seen: len(seen) == 96)
        poll.stop()
    versions: dict[str, list[int]] = {}
    for record in (record for call in ground.function.calls for record in call):
        version = int(record["dynamodb"]["NewImage"]["version"]["N"])
        versions.setdefault(key_of(record), []).append(version)
    assert versions == {key: list(range(8)) for key in keys}


def test_a_change_is_heard_of_while_nothing_else_happens(ground: Ground) -> None:
    """Of LATEST: what was there before is left out."""
    ground.put("before")
    with ground.poll("--starting-position", "LATEST") as poll:
        wait_until(lambda: _has_begun(ground))
        ground.put("after")
        assert ground.function.await_keys(bool) == ["after"]
        poll.stop()


def _has_begun(ground: Ground) -> bool:
    """Say whether somebody reads the stream at the server by now."""
    told = ground.server.control.readers(ground.table)
    return bool(told["Shards"])


def test_killed_it_resumes_where_it_was(ground: Ground) -> None:
    """At any moment: each record is seen at least once, and none before its predecessor."""
    moments = random.Random(7)
    numbers = iter(range(100_000))
    for _ in range(KILLS):
        with ground.poll("--batch-size", "3"):
            so_far = len(ground.function.calls)
            ground.put(*(f"{next(numbers):05}" for _ in range(50)))
            ground.function.await_calls(so_far + moments.randrange(1, 12))
    last = next(numbers)
    with ground.poll("--batch-size", "3") as poll:
        keys = [f"{number:05}" for number in range(last)]
        ground.function.await_keys(lambda seen: set(seen) >= set(keys))
        out, _ = poll.stop()
    assert "from its checkpoints on" in out
    seen = ground.function.keys
    assert len(seen) <= last + KILLS * 2 * 2 * 3, "but for the batches under way, once"
    with ground.poll("--batch-size", "3") as poll:
        ground.put("the last")
        ground.function.await_keys(lambda seen: seen[-1] == "the last")
        poll.stop()
    assert len(ground.function.keys) == len(seen) + 1, "all else is behind the checkpoints"


def test_told_to_stop_it_lets_the_batch_under_way_end(ground: Ground) -> None:
    release = threading.Event()
    ground.function.answer = lambda records: Said(str(release.wait(SECONDS_MAX)).lower().encode())
    ground.put("under way")
    with ground.poll() as poll:
        ground.function.await_calls(1)
        poll.process.send_signal(signal.SIGINT)
        threading.Timer(0.3, release.set).start()
        out, err = poll.finish()
    assert out.splitlines()[-1] == "stopped: 1 records read, 1 handed over, 0 behind"
    assert err == ""
    with ground.poll() as poll:
        ground.put("next")
        ground.function.await_keys(lambda seen: seen[-1] == "next")
        poll.stop()
    assert ground.function.keys == ["under way", "next"]


def test_told_twice_it_stops_at_once_and_sends_the_batch_again(ground: Ground) -> None:
    ground.function.answer = lambda records: Said(
        str(ground.function.server.released.wait(SECONDS_MAX)).encode()
    )
    ground.put("under way")
    with ground.poll() as poll:
        ground.function.await_calls(1)
        poll.process.terminate()
        _await_disabling(ground)
        out, _ = poll.stop()
    assert out.endswith("; what was under way will be sent again\n")
    ground.function.answer = lambda records: Said(b"null")
    with ground.poll() as poll:
        ground.function.await_calls(2)
        poll.stop()
    assert ground.function.keys == ["under way"] * 2


def _await_disabling(ground: Ground) -> None:
    """Return when the first signal has been heard: it is told in the write-ahead log."""
    logs = (ground.checkpoints / "rocksdb").glob("*.log")
    paths = list(logs)
    wait_until(lambda: any(b"Disabling" in path.read_bytes() for path in paths))


def test_filters_say_what_the_function_gets(ground: Ground) -> None:
    ground.put("a", "b", "c", "d")
    patterns = [json.dumps({"dynamodb": {"Keys": {"k": {"S": [key]}}}}) for key in "bd"]
    with ground.poll("--filter", patterns[0], "--filter", patterns[1]) as poll:
        ground.function.await_keys(lambda seen: len(seen) >= 2)
        out, _ = poll.stop()
    assert sorted(ground.function.keys) == ["b", "d"]
    assert ", 2 filtered out, " in out


def test_what_is_given_up_is_told_in_a_file(ground: Ground) -> None:
    """The function fails for one record, which is bisected out and not tried again."""

    def answer(records: list[dict[str, object]]) -> Said:
        failed = any(key_of(record) == "poison" for record in records)
        return Said(
            b'{"errorMessage":"no"}', 200, (("X-Amz-Function-Error", "Unhandled"),) * failed
        )

    ground.function.answer = answer
    ground.put("a", "b", "poison", "c", "d")
    with ground.poll(
        *("--bisect-batch-on-function-error", "--maximum-retry-attempts", "1"),
        *("--on-failure", "file://failed.jsonl", "--function-name", "bill"),
    ) as poll:
        failures = ground.checkpoints / "failures" / "failed.jsonl"
        wait_until(lambda: failures.exists() and failures.read_bytes().endswith(b"\n"))
        ground.put("last")
        ground.function.await_keys(lambda seen: seen[-1] == "last")
        out, _ = poll.stop()
    (document,) = map(json.loads, failures.read_text().splitlines())
    assert document["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert document["requestContext"]["functionArn"].endswith(":function:bill")
    assert document["DDBStreamBatchInfo"]["batchSize"] == 1
    assert document["DDBStreamBatchInfo"]["streamArn"] == ground.arn
    assert [key_of(record) for record in document["payload"]["Records"]] == ["poison"]
    assert {"a", "b", "c", "d"} <= set(ground.function.keys)
    assert ", 1 given up, last error " in out


def test_a_function_that_is_not_there_is_waited_for(ground: Ground) -> None:
    """And nothing is given up: it has not run."""
    ground.put("a")
    with Function() as later:
        away = later.server.url
    with ground.poll("--maximum-retry-attempts", "0", "--function", f"{away}/f") as poll:
        assert poll.process.stdout is not None
        said = ""
        while f"cannot connect to {away}/f" not in said:  # a report tells what went wrong last
            said = poll.process.stdout.readline()
            assert said
        out, _ = poll.stop()
    assert "last error" in said
    assert "given up" not in said + out


def test_a_function_may_be_invoked_by_lambdas_api(ground: Ground) -> None:
    ground.put("a")
    function = f"lambda://bill?endpoint={ground.function.server.url}"
    with ground.poll("--function", function) as poll:
        assert ground.function.await_keys(bool) == ["a"]
        poll.stop()
    (asked,) = ground.function.server.asked
    assert asked.path == "/2015-03-31/functions/bill/invocations"


def test_a_server_that_is_killed_and_comes_back_is_read_on(
    server: LocalServer, tmp_path: Path
) -> None:
    """Nothing is lost or sent twice: what fails meanwhile is told, and tried again."""
    data = tmp_path / "store"
    with Function() as function, ServerProcess.on(data) as first:
        ground = Ground(server, function, tmp_path, first.url)
        ground.put("before")
        with ground.poll() as poll:
            function.await_keys(lambda seen: seen == ["before"])
            first.kill()
            with ServerProcess.on(data, "--port", str(first.port)) as second:
                assert second.url == first.url
                ground.put("after")
                assert function.await_keys(lambda seen: len(seen) > 1) == ["before", "after"]
                out, err = poll.stop()
    assert out.splitlines()[-1].startswith("stopped: 2 records read, 2 handed over, 0 behind")
    assert "Traceback" not in err


def test_a_server_of_another_kind_is_polled(server: LocalServer, tmp_path: Path) -> None:
    """moto's, which holds no reads, and has other shards and sequence numbers."""
    with moto_services(tmp_path / "log") as moto, Function() as function:
        ground = Ground(server, function, tmp_path, moto)
        keys = [f"key-{number}" for number in range(30)]
        ground.put(*keys)
        with ground.poll("--batch-size", "10") as poll:
            assert function.await_keys(lambda seen: len(seen) == 30) == keys
            ground.put("later")
            function.await_keys(lambda seen: seen[-1] == "later")
            poll.kill()
        ground.put("last")
        with ground.poll() as poll:
            function.await_keys(lambda seen: seen[-1] == "last")
            out, _ = poll.stop()
    assert "from its checkpoints on" in out
    assert len(function.keys) - len(set(function.keys)) <= 1


def test_a_table_may_be_named_instead_of_its_stream(ground: Ground, tmp_path: Path) -> None:
    ground.put("a")
    with Poll(
        *("--stream-endpoint", ground.server.url, "--table", ground.table),
        *("--function", ground.function.server.url, "--checkpoints", str(tmp_path / "of-table")),
    ) as poll:
        assert ground.function.await_keys(bool) == ["a"]
        poll.stop()


def test_settings_may_change_between_runs_and_mappings_do_not_mix(ground: Ground) -> None:
    """Two functions have checkpoints of their own in one directory."""
    ground.put("a", "b")
    with ground.poll("--function-name", "one", "--batch-size", "1") as poll:
        ground.function.await_keys(lambda seen: len(seen) == 2)
        poll.stop()
    with ground.poll("--function-name", "other") as poll:
        ground.function.await_keys(lambda seen: len(seen) == 4)
        poll.stop()
    with ground.poll("--function-name", "one", "--batch-size", "100") as poll:
        ground.put("c")
        ground.function.await_keys(lambda seen: len(seen) == 5)
        poll.stop()
    assert ground.function.keys[4:] == ["c"]


@pytest.mark.parametrize(
    ("given", "status", "told"),
    [
        (["--batch-size", "0"], 2, "argument --batch-size: '0' is not a whole number from 1 to 1"),
        (["--filter", "{"], 2, "--filter '{': "),
        (["--on-failure", "arn:aws:sqs:us-east-1:000000000000:q"], 2, "--sqs-endpoint"),
        (["--sqs-endpoint", "q"], 2, "--sqs-endpoint: that is not a URL"),
        (["--table", "x"], 2, "not allowed with argument --stream-arn"),
        (["--stream-endpoint", "nowhere"], 1, "not a URL of an endpoint: 'nowhere'"),
        (
            ["--stream-endpoint", "http://127.0.0.1:9"],
            1,
            "cannot connect to http://127.0.0.1:9: is",
        ),
        (
            ["--stream-arn", NOWHERE],
            1,
            f"no stream {NOWHERE} in us-east-1 at http://127.0.0.1:",
        ),
    ],
)
def test_what_cannot_be_is_told_in_one_line(
    ground: Ground, given: list[str], status: int, told: str
) -> None:
    with ground.poll(*given) as poll:
        ended, line = poll.refusal()
    assert (ended, told in line) == (status, True), line


def test_a_table_without_a_stream_is_told_with_what_to_do(ground: Ground) -> None:
    ground.tables.update_table(TableName=ground.table, StreamSpecification={"StreamEnabled": False})
    ground.tables.create_table(
        TableName=f"{ground.table}-plain",
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    places = ["--stream-endpoint", ground.server.url, "--function", "http://127.0.0.1:9"]
    with Poll(*places, "--table", f"{ground.table}-plain") as poll:
        status, line = poll.refusal()
    assert (status, "has no stream; enable one with: aws dynamodb" in line) == (1, True)
    with Poll(*places, "--table", "nowhere") as poll:
        assert poll.refusal() == (1, f"no table 'nowhere' in us-east-1 at {ground.server.url}")


def test_a_directory_is_one_polls_alone(ground: Ground, tmp_path: Path) -> None:
    """Not one of a poll that runs, not a server's, and no server takes a poll's."""
    ground.put("a")
    with ground.poll() as poll:
        ground.function.await_calls(1)
        with ground.poll() as other:
            status, line = other.refusal()
        assert (status, "is in use by another server" in line) == (1, True)
        poll.stop()
    with ServerProcess("--data", str(ground.checkpoints), log=tmp_path / "log") as server:
        assert server.process.wait(SECONDS_MAX) == 1
        assert "the store belongs to account penstock poll" in server.stderr
    with ServerProcess.on(tmp_path / "served") as server:
        server.stop()
    ground.checkpoints = tmp_path / "served"
    with ground.poll() as poll:
        status, line = poll.refusal()
    assert (status, "the store belongs to account 000000000000" in line) == (1, True)
