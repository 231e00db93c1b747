"""`penstock logs` as a person runs it, against servers over HTTP; one ends and comes back."""

import argparse
import queue
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from penstock.app import logs
from penstock.app.endpoint import own_endpoint
from penstock.app.logs_feed import LogsFeed
from penstock.app.logs_shown import group_of, line_text
from penstock.base.clock import SystemClock
from penstock.testing.clock import FakeClock
from penstock.testing.server import RunningServer
from server_process import ServerProcess, command

_SECONDS_MAX = 60
STREAM = "2026/11/28/[$LATEST]0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with RunningServer() as server:
        yield server.url


class Function:
    """A function that logs as one would, by PutLogEvents."""

    def __init__(self, url: str, name: str) -> None:
        self.client = own_endpoint(url).logs()
        self.group = f"/aws/lambda/{name}"
        self._made: set[str] = set()

    def log(self, *texts: str, stream: str = STREAM, ago_ms: int = 0) -> None:
        """Print lines now, or some time ago."""
        named = {"logGroupName": self.group}
        if not self._made:
            self.client.create_log_group(**named)
        if stream not in self._made:
            self.client.create_log_stream(**named, logStreamName=stream)
            self._made.add(stream)
        now_ms = SystemClock().now_ms() - ago_ms
        events = [{"timestamp": now_ms, "message": text} for text in texts]
        self.client.put_log_events(**named, logStreamName=stream, logEvents=events)


def _run(url: str, *given: str) -> int:
    """Return the exit code of the command, run in this process."""
    parser = argparse.ArgumentParser()
    logs.add_arguments(parser)
    return logs.run(parser.parse_args([*given, "--endpoint-url", url]))


def _messages(out: str) -> list[str]:
    return [line.split(" ", 2)[2] for line in out.splitlines()]


def test_lines_of_the_last_ten_minutes_are_shown_with_time_and_worker(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    function = Function(url, "plain")
    function.log("too old", ago_ms=3600_000)
    function.log("START RequestId: 1\tx", "end\n")
    assert _run(url, "plain") == 0
    said = capsys.readouterr()
    first, second = said.out.splitlines()
    at, worker, message = first.split(" ", 2)
    assert at.endswith("Z")
    assert worker == "[$LATEST]01234567"
    assert message == "START RequestId: 1\tx"
    assert second.endswith(" end")
    assert said.err == ""
    assert _run(url, "plain", "--since", "2h") == 0
    assert _messages(capsys.readouterr().out)[0] == "too old"


def test_streams_and_patterns(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    function = Function(url, "picked")
    function.log("an ERROR", "fine", stream="a")
    function.log("another ERROR", stream="b")
    assert _run(url, "picked", "--stream", "a", "--filter", "ERROR") == 0
    assert _messages(capsys.readouterr().out) == ["an ERROR"]


def test_nothing_in_that_time_is_said(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    Function(url, "quiet").log("old", ago_ms=3600_000)
    assert _run(url, "quiet") == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "penstock logs: no lines of that time; --since goes back further\n"


def test_a_function_without_a_log_is_told_in_one_line(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(url, "none") == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        f"penstock logs: there is no log '/aws/lambda/none' in us-east-1 at {url}: the function has"
        " not run\n"
    )


def test_no_server_and_a_bad_pattern_are_told_in_one_line(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = f"http://127.0.0.1:{taken.getsockname()[1]}"
    assert _run(free, "f") == 1
    assert capsys.readouterr().err == (
        f"penstock logs: cannot connect to {free}: is the server running?\n"
    )
    Function(url, "asked").log("line")
    assert _run(url, "asked", "--filter", "a:b") == 1
    assert capsys.readouterr().err == (
        "penstock logs: InvalidParameterException: Invalid filter pattern: Invalid character(s) in"
        " term 'a:b'\n"
    )


@pytest.mark.parametrize("text", ["", "10", "soon", "-5m"])
def test_a_time_that_is_none(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        _run("http://127.0.0.1:1", "f", f"--since={text}")
    assert f"{text!r} is not a time such as" in capsys.readouterr().err


def test_more_lines_than_a_page_has_are_all_shown(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    function = Function(url, "chatty")
    for number in range(13):
        function.log(*(f"{number} {n}" for n in range(1000)))
    assert _run(url, "chatty") == 0
    assert len(set(_messages(capsys.readouterr().out))) == 13_000


@pytest.mark.parametrize(
    ("function", "group"),
    [
        ("f", "/aws/lambda/f"),
        ("f:live", "/aws/lambda/f"),
        ("arn:aws:lambda:us-east-1:000000000000:function:f", "/aws/lambda/f"),
        ("arn:aws:lambda:us-east-1:000000000000:function:f:3", "/aws/lambda/f"),
        ("/my/own", "/my/own"),
    ],
)
def test_names_of_functions_and_their_groups(function: str, group: str) -> None:
    assert group_of(function) == group


def test_what_would_move_the_cursor_is_shown_as_what_it_is() -> None:
    line = {"timestamp": 0, "logStreamName": "s\x1b", "message": "a\x1b[2J\nb\tc\n"}
    assert line_text(line) == "1970-01-01T00:00:00.000Z s\\u001b a\\u001b[2J\\u000ab\tc\n"


class Following:
    """`penstock logs --follow` as a process, what it prints by the line."""

    def __init__(self, url: str, function: str, errors: Path) -> None:
        with errors.open("wb") as stderr:
            self.process = subprocess.Popen(
                command("logs", function, "--follow", "--endpoint-url", url),
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def next(self) -> str:
        """Return the message of the next line."""
        return _messages(self._lines.get(timeout=_SECONDS_MAX))[0]

    def end(self) -> int:
        """Interrupt it as from the keyboard; return its exit code."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(_SECONDS_MAX)
        self._reader.join(_SECONDS_MAX)
        assert self.process.stdout is not None
        self.process.stdout.close()
        assert self._lines.empty(), "nothing was given twice"
        return code

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)


def test_following_hears_what_comes_over_a_restart_of_the_server_and_ends_by_the_keyboard(
    tmp_path: Path,
) -> None:
    store, errors = tmp_path / "store", tmp_path / "errors"
    with ServerProcess.on(store) as server:
        function = Function(server.url, "f")
        function.log("before")
        port = server.port
        following = Following(server.url, "f", errors)
        try:
            assert following.next() == "before"
            function.log("first", "second")
            assert [following.next(), following.next()] == ["first", "second"]
            function.log("of another worker", stream="other", ago_ms=1000)
            assert following.next() == "of another worker"
            server.kill()
            with ServerProcess.on(store, "--port", str(port)) as again:
                function.log("after")
                assert following.next() == "after"
                assert following.end() == 130
                again.stop()
        finally:
            following.process.kill()
            following.process.wait(_SECONDS_MAX)
    said = errors.read_text()
    assert said.count("\n") <= 1, said


def test_following_waits_for_a_function_that_has_not_run(url: str, tmp_path: Path) -> None:
    errors = tmp_path / "errors"
    following = Following(url, "late", errors)
    try:
        with errors.open() as said:
            while "it has no log yet" not in said.read():
                assert following.process.poll() is None
        Function(url, "late").log("at last")
        assert following.next() == "at last"
        assert following.end() == 130
    finally:
        following.process.kill()
        following.process.wait(_SECONDS_MAX)
    assert errors.read_text() == "penstock logs: it has no log yet\n"


class Silent:
    """A client whose calls fail with one error after the other, while time passes."""

    def __init__(self, clock: FakeClock, *errors: tuple[int, Exception]) -> None:
        self._clock, self._errors = clock, list(errors)

    def filter_log_events(self, **_: Any) -> Any:
        seconds, error = self._errors.pop(0)
        self._clock.advance(seconds * 1000)
        raise error


def test_a_minute_without_an_answer_is_too_long_and_one_without_a_log_is_not() -> None:
    clock = FakeClock()
    told: list[str] = []
    answer: Any = {"Error": {"Code": "ResourceNotFoundException", "Message": "no"}}
    missing = ClientError(answer, "FilterLogEvents")
    silent = EndpointConnectionError(endpoint_url="http://x")
    client = Silent(clock, (0, missing), (300, missing), (300, silent), (60, silent), (1, silent))
    feed = LogsFeed(client, "g", 0, clock, {}, told.append)
    with pytest.raises(EndpointConnectionError):
        next(feed.follow())
    assert client._errors == []
    assert told == [
        "it has no log yet",
        'Could not connect to the endpoint URL: "http://x"; trying again',
    ]


def test_a_reader_that_goes_away_ends_it(url: str, tmp_path: Path) -> None:
    function = Function(url, "piped")
    for number in range(10):
        function.log(*(f"{number} {n} " + "x" * 500 for n in range(1000)))
    with (tmp_path / "errors").open("wb") as stderr:
        process = subprocess.Popen(
            command("logs", "piped", "--endpoint-url", url), stdout=subprocess.PIPE, stderr=stderr
        )
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(_SECONDS_MAX) == 0
    assert (tmp_path / "errors").read_bytes() == b""
