"""`penstock mappings` as a person runs it, against a server over HTTP."""

import argparse
import json
import os
import pty
import re
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from threading import Thread
from typing import Any

import msgspec
import pytest
from rich.console import Console

from penstock.app import mappings
from penstock.app.mappings_page import MappingRow, mappings_page
from penstock.app.mappings_table import as_table
from penstock.consumers.engine import MappingShown
from penstock.testing.clock import FakeClock
from penstock.testing.server import RunningServer
from server_process import command
from unit.app.shown_mappings import FUNCTION, NOW_MS, STREAM, busy, idle

_SECONDS_MAX = 60


class Answers:
    """A server whose page is what the test says."""

    def __init__(self) -> None:
        self.status, self.body = 200, b""
        self.asked = 0
        answers = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answers.asked += 1
                self.send_response(answers.status)
                self.send_header("Content-Length", str(len(answers.body)))
                self.end_headers()
                self.wfile.write(answers.body)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def show(self, *shown: MappingShown) -> None:
        self.body = msgspec.json.encode(mappings_page(shown, NOW_MS))


@pytest.fixture
def answers() -> Iterator[Answers]:
    made = Answers()
    thread = Thread(target=made.server.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def _run(url: str, *given: str) -> int:
    """Return the exit code of the command, run in this process."""
    parser = argparse.ArgumentParser()
    mappings.add_arguments(parser)
    return mappings.run(parser.parse_args([*given, "--endpoint-url", url]))


def _rows(*shown: MappingShown) -> list[MappingRow]:
    rows: list[MappingRow] = mappings_page(shown, NOW_MS)["Mappings"]
    return rows


def _printed(width: int, *shown: MappingShown) -> list[str]:
    output = StringIO()
    table = as_table(_rows(*shown), FakeClock(NOW_MS))
    Console(file=output, width=width).print(table)
    return output.getvalue().splitlines()


def test_the_page_tells_what_a_mapping_does() -> None:
    (row,) = json.loads(msgspec.json.encode(mappings_page([busy()], NOW_MS)))["Mappings"]
    assert row == {
        "UUID": "u-1",
        "FunctionArn": FUNCTION,
        "EventSourceArn": STREAM,
        "State": "Enabled",
        "LagRecords": 1234,
        "LagIsMore": True,
        "LagSeconds": 15.25,
        "Shards": 3,
        "InFlight": 13,
        "Invocations": 11,
        "Errors": 2,
        "Throttles": 3,
        "Retries": 4,
        "LastError": "it broke",
        "LastErrorMs": NOW_MS - 95_500,
    }


def test_each_mapping_is_a_line() -> None:
    """With the names of function and table, and a lag that may be more than is known."""
    header, second_header, _, first, second = _printed(200, busy(), idle(state="Disabled"))
    names = [*header.split(), *second_header.split()]
    assert sorted(names) == sorted(
        [
            "function",
            "source",
            "state",
            "lag",
            "seconds",
            "in",
            "flight",
            "retries",
            "last",
            "error",
        ]
    )
    assert first.split() == [
        *("bill:live", "orders", "Enabled", "1,234+", "15.2", "13", "4"),
        *("1", "m", "ago:", "it", "broke"),
    ]
    assert second.split() == ["bill:live", "orders", "Disabled", "0", "0", "0"]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_narrow_screen_folds_names_and_errors_and_keeps_numbers(width: int) -> None:
    shown = busy(function_arn=FUNCTION.replace("bill", "a-long-name-" * 5))
    lines = _printed(width, shown)
    assert max(map(len, lines)) <= width
    assert any("1,234+" in line and " 13 " in line for line in lines)


@pytest.mark.parametrize(
    ("ago_ms", "told"),
    [(0, "now"), (999, "now"), (1000, "1 s ago"), (7_200_000, "2 h ago"), (90_000_000, "1 d ago")],
)
def test_an_error_says_how_long_ago_it_was(ago_ms: int, told: str) -> None:
    shown = busy()
    shown.counts.last_error_ms = NOW_MS - ago_ms
    assert f"{told}: it broke" in _printed(200, shown)[-1]


def test_what_an_error_says_cannot_move_the_cursor() -> None:
    shown = busy()
    shown.counts.last_error = "\x1b[2Jgone"
    assert "\x1b" not in "".join(_printed(200, shown))


def test_without_a_terminal_it_is_shown_once(
    answers: Answers, capsys: pytest.CaptureFixture[str]
) -> None:
    answers.show(busy())
    assert _run(answers.url) == _run(answers.url, "--once") == 0
    assert capsys.readouterr().out.count("it broke") == 2
    assert answers.asked == 2


def test_json_is_the_page(answers: Answers, capsys: pytest.CaptureFixture[str]) -> None:
    answers.show(busy(), idle("u-2"))
    assert _run(answers.url, "--json") == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert json.loads(out) == json.loads(answers.body)


def test_a_server_without_mappings_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with RunningServer() as server:
        assert _run(server.url) == 0
        assert _run(server.url, "--json") == 0
    assert capsys.readouterr().out == (
        'This server has no event source mappings.\n{"Mappings":[]}\n'
    )


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, b"<UnknownOperationException/>"),
        (200, b"hello"),
        (200, b"[]"),
        (200, b'{"Mappings":1}'),
        (200, b'{"Mappings":[{"UUID":"u"}]}'),
    ],
)
def test_a_server_of_another_kind_is_told_in_one_line(
    status: int, body: bytes, answers: Answers, capsys: pytest.CaptureFixture[str]
) -> None:
    answers.status, answers.body = status, body
    assert _run(answers.url) == 1
    told = f"{answers.url} has no page of mappings: it is no Penstock, or an older one"
    assert capsys.readouterr() == ("", f"penstock mappings: {told}\n")


def test_a_server_that_is_not_there_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("http://127.0.0.1:9") == 1
    told = "cannot connect to http://127.0.0.1:9: is the server running?"
    assert capsys.readouterr() == ("", f"penstock mappings: {told}\n")


@pytest.mark.usefixtures("interruptible")
def test_on_a_terminal_it_goes_on_until_it_is_interrupted(answers: Answers) -> None:
    """It shows what changes, and goes on where the server is not understood for a while."""
    answers.show(busy())
    screen = Screen(command("mappings", "--endpoint-url", answers.url))
    screen.await_text("1,234\\+")
    shown = busy()
    shown.counts.retries = 777
    answers.show(shown)
    screen.await_text("777")
    answers.status = 500
    screen.await_text("has no page of mappings")
    answers.status = 200
    shown.counts.retries = 888
    answers.show(shown)
    screen.await_text("888")
    assert screen.interrupt() == 130


class Screen:
    """A command on a terminal of its own, and all that it has written there."""

    def __init__(self, arguments: list[str]) -> None:
        self._own, its = pty.openpty()
        environment: dict[str, Any] = os.environ | {"TERM": "xterm", "COLUMNS": "150"}
        self.process = subprocess.Popen(
            arguments, stdin=its, stdout=its, stderr=its, env=environment, start_new_session=True
        )
        os.close(its)
        self._text = ""

    def await_text(self, pattern: str) -> None:
        """Read until `pattern` is there, in what came since it was found the last time."""
        deadline = time.monotonic() + _SECONDS_MAX
        while (found := re.search(pattern, self._text)) is None:
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self._own], [], [], max(0.0, left))
            assert ready, f"no {pattern!r} in {self._text!r}"
            self._text += os.read(self._own, 65536).decode("utf-8", "replace")
        self._text = self._text[found.end() :]

    def interrupt(self) -> int:
        """Interrupt the command as the keyboard does; return its status."""
        self.process.send_signal(signal.SIGINT)
        status = self.process.wait(_SECONDS_MAX)
        os.close(self._own)
        return status
