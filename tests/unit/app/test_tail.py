"""`penstock tail` as a person runs it: a process against a server over HTTP."""

import argparse
import json
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from penstock.app import tail
from penstock.app.endpoint import open_endpoint, own_endpoint
from penstock.app.own_server import EndpointError
from penstock.base.environment import environment
from penstock.testing.server import RunningServer
from server_process import command

_SECONDS_MAX = 60


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with RunningServer() as server:
        yield server.url


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Let boto3 find neither credentials nor a region, whoever runs the tests."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def _make_table(url: str, name: str, stream: bool = True) -> Any:
    client = own_endpoint(url).tables()
    settings: Any = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        **({"StreamSpecification": settings} if stream else {}),
    )
    return client


def _run(url: str, *given: str) -> int:
    """Return the exit code of the command, run in this process."""
    parser = argparse.ArgumentParser()
    tail.add_arguments(parser)
    return tail.run(parser.parse_args([*given, "--endpoint-url", url]))


def test_json_from_the_start_gives_every_record_on_a_line(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    client = _make_table(url, "tail-json")
    for at in range(3):
        client.put_item(TableName="tail-json", Item={"k": {"S": str(at)}, "b": {"B": b"\x01"}})
    code = _run(url, "tail-json", "--from", "start", "--json", "--limit", "3")
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert code == 0
    assert {record["dynamodb"]["Keys"]["k"]["S"] for record in records} == {"0", "1", "2"}
    assert {record["dynamodb"]["NewImage"]["b"]["B"] for record in records} == {"AQ=="}


@pytest.mark.usefixtures("interruptible")
def test_from_now_shows_what_is_written_afterwards_and_an_interrupt_ends_it_quietly(
    url: str,
) -> None:
    client = _make_table(url, "tail-now")
    client.put_item(TableName="tail-now", Item={"k": {"S": "before"}})
    with subprocess.Popen(
        command("tail", "tail-now", "--endpoint-url", url),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert "tail-now" in process.stderr.readline()
        client.put_item(TableName="tail-now", Item={"k": {"S": "after"}, "n": {"N": "1"}})
        assert '"after"' in process.stdout.readline()
        assert process.stdout.readline() == "  + n  1\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(_SECONDS_MAX) == 130
        assert process.stderr.read() == ""


def test_a_reader_that_goes_away_ends_it_quietly(url: str) -> None:
    client = _make_table(url, "tail-pipe")
    for at in range(200):
        client.put_item(TableName="tail-pipe", Item={"k": {"S": str(at)}, "x": {"S": "y" * 1000}})
    tailing = command("tail", "tail-pipe", "--endpoint-url", url, "--from", "start", "--json")
    with subprocess.Popen(tailing, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(_SECONDS_MAX) == 0
        assert process.stderr.read() == b""


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["screen", "json"])
def test_the_end_of_the_stream_is_told(
    form: list[str], url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    table = f"tail-ended{len(form)}"
    client = _make_table(url, table)
    client.put_item(TableName=table, Item={"k": {"S": "a"}})
    client.update_table(TableName=table, StreamSpecification={"StreamEnabled": False})
    assert _run(url, table, "--from", "start", *form) == 0
    said = capsys.readouterr()
    assert '"a"' in said.out
    assert said.err.splitlines()[-1].endswith(
        "the stream has ended: it was disabled, or its table was deleted"
    )


@pytest.mark.parametrize("form", ["", "--json"])
@pytest.mark.parametrize(
    ("output", "status", "words"),
    [
        ("1>/dev/full", 1, "penstock tail: cannot write: No space left on device\n"),
        ("1>&-", 0, ""),
    ],
)
def test_an_output_that_takes_nothing_is_no_traceback(
    url: str, form: str, output: str, status: int, words: str
) -> None:
    table = f"tail-output{status}{form}"
    client = _make_table(url, table)
    client.put_item(TableName=table, Item={"k": {"S": "a"}})
    tailing = ["tail", table, "--endpoint-url", url, "--from", "start", "--limit", "1"]
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {output}', "sh", *command(*tailing), *form.split()],
        stderr=subprocess.PIPE,
        text=True,
        timeout=_SECONDS_MAX,
        check=False,
    )
    assert done.returncode == status
    assert "".join(line for line in done.stderr.splitlines(True) if "▶" not in line) == words


def test_characters_that_the_output_does_not_take_are_written_as_escapes(url: str) -> None:
    client = _make_table(url, "tail-latin")
    client.put_item(TableName="tail-latin", Item={"k": {"S": "水"}})
    tailing = ["tail", "tail-latin", "--endpoint-url", url, "--from", "start", "--limit", "1"]
    latin = {**environment(), "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    screen, lines = (
        subprocess.run(
            [*command(*tailing), *form],
            capture_output=True,
            env=latin,
            timeout=_SECONDS_MAX,
            check=True,
        )
        for form in ([], ["--json"])
    )
    assert b'"\\u6c34"' in screen.stdout
    assert json.loads(lines.stdout.decode("utf-8"))["dynamodb"]["Keys"]["k"] == {"S": "水"}


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("tail-absent", ["no table 'tail-absent' in us-east-1"]),
        ("tail-plain", ["has no stream", "aws dynamodb update-table --table-name tail-plain"]),
    ],
)
def test_what_is_missing_is_told_in_one_line(
    url: str, table: str, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    if table == "tail-plain":
        _make_table(url, table, stream=False)
    code = _run(url, table)
    error = capsys.readouterr().err
    assert code == 1
    assert error.count("\n") == 1
    assert all(word in error for word in words)


def test_a_server_that_does_not_answer_is_told_in_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = _run("http://127.0.0.1:9", "t")
    assert code == 1
    assert capsys.readouterr().err == (
        "penstock tail: cannot connect to http://127.0.0.1:9: is the server running?\n"
    )


def test_meaningless_credentials_are_for_loopback_addresses_only() -> None:
    local = open_endpoint("http://localhost:8000", None)
    assert local.region == "us-east-1"
    assert local.session.get_credentials() is not None
    with pytest.raises(EndpointError, match="no AWS credentials"):
        open_endpoint("http://192.0.2.1:8000", "eu-west-1")
    with pytest.raises(EndpointError, match="no AWS credentials"):
        open_endpoint(None, "eu-west-1")


def test_the_users_own_credentials_and_region_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    endpoint = open_endpoint("http://127.0.0.1:8000", None)
    assert endpoint.region == "eu-west-1"
    found = endpoint.session.get_credentials()
    assert found is not None
    assert found.access_key == "mine"
    assert isinstance(endpoint.session, boto3.Session)


@pytest.mark.parametrize(
    "wrong",
    ["foo", "ftp://127.0.0.1", "http://", "http://127.0.0.1:99999", "http://a:b", "http://[::1"],
)
def test_what_is_no_url_is_told(wrong: str) -> None:
    with pytest.raises(EndpointError, match="not a URL"):
        open_endpoint(wrong, None)
