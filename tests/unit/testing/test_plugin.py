"""The pytest plugin as its users have it: in runs of pytest of their own."""

import subprocess
import sys

import pytest

# Loaded here once: an inner run would load them anew and forget them again.
from penstock.testing import capture, local_server, surgery

pytest_plugins = ["pytester"]

LOADED = (capture, local_server, surgery)
HEAVY = ("boto3", "botocore", "httptools", "lark", "msgspec", "rocksdict", "uvloop")
_SECONDS_MAX = 100


@pytest.fixture
def run(pytester: pytest.Pytester) -> "Run":
    return Run(pytester)


class Run:
    """Runs tests in this process; with `xdist` or `fresh` in others."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self._pytester = pytester

    def __call__(self, source: str, *arguments: str, fresh: bool = False) -> pytest.RunResult:
        self._pytester.makepyfile(source)
        arguments = ("-W", "error", "-p", "no:cacheprovider", *arguments)
        if fresh:
            return self._pytester.runpytest_subprocess(*arguments, timeout=_SECONDS_MAX)
        return self._pytester.runpytest_inprocess(*arguments)


def test_loading_it_loads_nothing_heavy() -> None:
    """It is loaded in every run of pytest on its user's machine."""
    code = "import sys, penstock.testing.plugin; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    modules = set(done.stdout.split())
    assert "penstock.testing.plugin" in modules
    assert modules.isdisjoint(HEAVY)


def test_it_is_found_by_its_entry_point_and_leaves_other_tests_alone(run: Run) -> None:
    result = run(
        """
        import sys

        def test_nothing_came(request):
            assert request.config.pluginmanager.has_plugin("penstock")
            assert not [name for name in request.fixturenames if "penstock" in name]
            assert not {"boto3", "uvloop", "rocksdict"} & set(sys.modules)
        """,
        "--strict-config",
        "--strict-markers",
        fresh=True,
    )
    result.assert_outcomes(passed=1)


def test_every_fixture_says_what_it_is_for(run: Run) -> None:
    result = run("", "--fixtures", "-p", "penstock")
    shown = [line for line in result.outlines if line.startswith("penstock_")]
    assert len(shown) >= 14
    assert all(" -- " in line for line in shown)
    result.stdout.no_fnmatch_line("*no docstring available*")


def test_tests_do_not_see_one_another(run: Run) -> None:
    """Tables go, the clock comes back, though the server stays."""
    source = """
        import time
        import pytest

        urls, tables = set(), set()

        @pytest.mark.parametrize("n", [1, 2])
        def test_one(n, penstock_server, penstock_table, penstock_changes, penstock_clock,
                     penstock_dynamodb):
            urls.add(penstock_server.url)
            assert penstock_table.name not in tables
            tables.add(penstock_table.name)
            assert penstock_dynamodb.list_tables()["TableNames"] == [penstock_table.name]
            assert penstock_changes.changes() == []
            assert abs(penstock_clock.now_ms() - time.time() * 1000) < 60_000
            penstock_clock.advance("30d")
            penstock_table.put_item(Item={"id": "a"})

        def test_last(penstock_dynamodb):
            assert penstock_dynamodb.list_tables()["TableNames"] == []
            assert len(urls) == 1 and len(tables) == 2
    """
    run(source).assert_outcomes(passed=3)


def test_every_worker_of_xdist_has_a_server_of_its_own(run: Run) -> None:
    source = """
        import pytest

        @pytest.mark.parametrize("n", range(6))
        def test_one(n, penstock_server, penstock_table, penstock_changes, tmp_path_factory,
                     worker_id, record_property):
            penstock_table.put_item(Item={"id": "a", "n": n})
            assert [change.new["n"] for change in penstock_changes.changes()] == [n]
            place = tmp_path_factory.getbasetemp().parent / worker_id
            place.write_text(penstock_server.url)
            urls = [path.read_text() for path in place.parent.glob("gw?")]
            assert len(urls) == len(set(urls))
    """
    run(source, "-n", "2", fresh=True).assert_outcomes(passed=6)


def test_a_failure_ends_at_the_line_of_the_test(run: Run) -> None:
    source = """
        from penstock.testing import assert_changes, inserted

        def test_captured(penstock_table, penstock_changes):
            penstock_table.put_item(Item={"id": "a", "n": 1})
            penstock_changes.assert_changes([inserted({"id": "a", "n": 2})])

        def test_received():
            assert_changes([], [inserted({"id": "a"})])
    """
    result = run(source)
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        [
            ">       penstock_changes.assert_changes(*",
            "E       AssertionError: 1 change expected, 1 found: 1 different",
            'E         ~ differs    INSERT {id: "a", n: 2}',
            "E             new.n  expected 2, found 1",
            "*test_a_failure_ends_at_the_line_of_the_test.py:5: AssertionError",
            ">       assert_changes(*",
            'E         - missing    INSERT {id: "a"}',
        ]
    )
    result.stdout.no_fnmatch_line("*matching.py*")
    result.stdout.no_fnmatch_line("*capture.py*")


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("penstock_settings = shards", "penstock_settings: 'shards' is not NAME=VALUE"),
        ("penstock_settings = shards=0", "*--shards: '0' is not a whole number from 1 to 256"),
        ("penstock_settings = sharts=1", "*'sharts' is not one of account, data, engine, *"),
        ("penstock_settings = port=8000", "*'port' is not one of account, data, engine, *"),
        ("penstock_settings = data=x", "*--data: the memory engine keeps nothing on disk"),
    ],
)
def test_a_wrong_setting_is_told_in_one_line(
    pytester: pytest.Pytester, run: Run, line: str, text: str
) -> None:
    pytester.makeini(f"[pytest]\n{line}\n")
    result = run("def test_it(penstock_table): ...")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([text])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_misuse_is_told_where_it_happens(run: Run) -> None:
    source = """
        import pytest

        def test_no_table(penstock_surgery, penstock_faults):
            with pytest.raises(TypeError, match="name a table: this test has no penstock_table"):
                penstock_surgery.split()
            with pytest.raises(TypeError, match="not as 17"):
                penstock_surgery.split(17)

        def test_no_stream(penstock_table_factory, penstock_capture, penstock_surgery):
            table = penstock_table_factory(view=None)
            with pytest.raises(ValueError, match="has no stream to capture"):
                penstock_capture(table)
            with pytest.raises(Exception, match="ValidationException"):
                penstock_surgery.roll(table)

        def test_keys(penstock_table_factory):
            with pytest.raises(TypeError, match="keys are one attribute or two"):
                penstock_table_factory(keys={"a": "S", "b": "S", "c": "S"})
            with pytest.raises(TypeError, match="'b' is given as S and N"):
                penstock_table_factory(keys={"a": "S", "b": "S"}, local_indexes={"i": {"b": "N"}})
    """
    run(source).assert_outcomes(passed=3)


def test_a_table_that_the_test_deleted_or_protected_is_no_trouble_afterwards(run: Run) -> None:
    source = """
        def test_deletes(penstock_table):
            penstock_table.delete()

        def test_protects(penstock_table_factory):
            penstock_table_factory("kept", DeletionProtectionEnabled=True)

        def test_they_are_gone(penstock_dynamodb):
            assert penstock_dynamodb.list_tables()["TableNames"] == []
    """
    run(source).assert_outcomes(passed=3)


def test_surgery_and_time_do_what_they_say(run: Run) -> None:
    source = """
        import pytest
        from datetime import timedelta

        def shards(streams, table):
            arn = table.latest_stream_arn
            found = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
            return {shard["ShardId"]: shard.get("ParentShardId") for shard in found}

        def test_surgery(penstock_table, penstock_streams, penstock_surgery, penstock_changes):
            penstock_table.put_item(Item={"id": "a"})
            before = shards(penstock_streams, penstock_table)
            split = penstock_surgery.split()
            rolled = penstock_surgery.roll(penstock_table.name, split.children[0])
            after = shards(penstock_streams, penstock_table)
            assert len(after) == len(before) + 3
            assert [after[child] for child in split.children] == [split.parent] * 2
            assert [after[each.children[0]] for each in rolled] == [split.children[0]]
            assert len(penstock_changes.changes()) == 1
            assert set(penstock_surgery.trim(penstock_table)) <= set(after)
            iterator = penstock_streams.get_shard_iterator(
                StreamArn=penstock_table.latest_stream_arn,
                ShardId=split.children[1],
                ShardIteratorType="LATEST",
            )["ShardIterator"]
            penstock_surgery.expire_iterators(iterator=iterator)
            with pytest.raises(penstock_streams.exceptions.ExpiredIteratorException):
                penstock_streams.get_records(ShardIterator=iterator)

        def test_time(penstock_table, penstock_streams, penstock_clock):
            began = penstock_clock.now()
            assert penstock_clock.advance(timedelta(hours=4)) >= began + timedelta(hours=4)
            penstock_clock.set(began + timedelta(days=7))
            assert penstock_clock.now() >= began + timedelta(days=7)
    """
    run(source).assert_outcomes(passed=2)


def test_clients_of_the_test_find_the_server_by_the_environment(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the environment said before, and only for that test."""
    monkeypatch.setenv("AWS_PROFILE", "work")
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9")
    source = """
        import os
        import boto3

        def test_it(penstock_environment, penstock_table):
            streams = boto3.client("dynamodbstreams").list_streams()["Streams"]
            assert [stream["TableName"] for stream in streams] == [penstock_table.name]
            assert boto3.resource("dynamodb").Table(penstock_table.name).item_count == 0

        def test_the_next():
            assert os.environ["AWS_PROFILE"] == "work"
            assert os.environ["AWS_ENDPOINT_URL_DYNAMODB"] == "http://127.0.0.1:9"
    """
    run(source).assert_outcomes(passed=2)


def test_servers_of_the_factory_have_their_own_settings_and_stop_after_the_test(run: Run) -> None:
    source = """
        import urllib.request
        import pytest

        started = []

        def test_two(penstock_server_factory):
            first, second = penstock_server_factory(), penstock_server_factory(engine="rocksdb")
            started.extend([first.url, second.url])
            for server, engine in ((first, "memory"), (second, "rocksdb")):
                with urllib.request.urlopen(server.url + "/_penstock/health") as answer:
                    assert engine in answer.read().decode()
                assert server.control.now_ms() > 0
            first.stop()
            first.stop()

        def test_they_are_gone():
            for url in started:
                with pytest.raises(OSError):
                    urllib.request.urlopen(url)
    """
    run(source).assert_outcomes(passed=2)


def test_faults_meet_the_consumer_and_not_the_capture_and_end_with_their_test(run: Run) -> None:
    source = """
        import pytest

        def read(streams, table):
            arn = table.latest_stream_arn
            shards = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
            for shard in shards:
                iterator = streams.get_shard_iterator(
                    StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
                )["ShardIterator"]
                yield streams.get_records(ShardIterator=iterator)["Records"]

        @pytest.fixture
        def streams(penstock_server):
            once = {"total_max_attempts": 1}
            return penstock_server.client("dynamodbstreams", consumer="mine", retries=once)

        def test_each_kind(penstock_table, penstock_faults, penstock_changes, streams):
            penstock_table.put_item(Item={"id": "a"})
            for kind, name in [
                ("throttle", "LimitExceeded"),
                ("expired", "ExpiredIterator"),
                ("trimmed", "TrimmedDataAccess"),
            ]:
                fault = getattr(penstock_faults, kind)()
                with pytest.raises(getattr(streams.exceptions, f"{name}Exception")):
                    list(read(streams, penstock_table))
                assert fault.hits == 1
            penstock_faults.fewer(calls=1000)
            assert sum(read(streams, penstock_table), []) == []
            assert len(penstock_changes.changes()) == 1
            penstock_faults.clear()
            assert len(sum(read(streams, penstock_table), [])) == 1
            fault = penstock_faults.throttle(probability=1.0, seed=1, consumer="other")
            assert len(sum(read(streams, penstock_table), [])) == 1
            fault.clear()
            with pytest.raises(LookupError, match="was cleared"):
                fault.hits
            penstock_faults.throttle(calls=1000)

        def test_the_next(penstock_server, penstock_table, streams):
            assert penstock_server.control.faults() == []
            assert sum(read(streams, penstock_table), []) == []
    """
    run(source).assert_outcomes(passed=2)


def test_a_consumer_that_does_not_drain_fails_the_test_in_one_line(run: Run) -> None:
    source = """
        def test_it(penstock_table, penstock_drain):
            penstock_table.put_item(Item={"id": "a"})
            penstock_drain("billing", seconds_max=0.01)
    """
    result = run(source)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [">       penstock_drain(*", "E       AssertionError: DrainTimeout: *shardId-*"]
    )
    result.stdout.no_fnmatch_line("*surgery.py*")
    result.stdout.no_fnmatch_line("*ControlError*")
