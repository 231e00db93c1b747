"""The demo as a person runs it, on fewer readings; it ends what it started, whatever happens."""

import argparse
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.app import demo, demo_run, demo_server
from penstock.app.demo_consumer import Consumer
from penstock.app.demo_server import DemoServer, ServerError
from penstock.app.endpoint import own_endpoint
from penstock.app.readings import Reading, load_readings
from penstock.base.clock import SystemClock
from penstock.base.environment import environment
from penstock.testing.server import RunningServer
from server_process import command

_SECONDS_MAX = 60


def _run(*given: str) -> int:
    parser = argparse.ArgumentParser()
    demo.add_arguments(parser)
    return demo.run(parser.parse_args(given))


@pytest.fixture
def few_readings(monkeypatch: pytest.MonkeyPatch) -> None:
    def some() -> dict[str, list[Reading]]:
        return {city: each[:60] for city, each in load_readings().items()}

    monkeypatch.setattr(demo_run, "load_readings", some)


@pytest.mark.slow
@pytest.mark.usefixtures("few_readings")
@pytest.mark.parametrize("engine", ["memory", "rocksdb"])
def test_every_change_of_a_short_run_arrives(
    engine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept"
    keep = ["--keep", str(kept)] if engine == "rocksdb" else []
    assert _run("--engine", engine, *keep) == 0
    shown = capsys.readouterr().out
    assert _row(shown, "writes acknowledged") == _row(shown, "records received") == "250"
    assert [_row(shown, name) for name in ("lost", "duplicated", "out of per-item order")] == [
        "0",
        "0",
        "0",
    ]
    assert _row(shown, "folding the stream equals the table") == "yes (118 items)"
    assert "Every change arrived, once and in order." in shown
    assert kept.exists() == (engine == "rocksdb")
    assert ("penstock serve --data" in shown) == kept.exists()


def _row(shown: str, name: str) -> str:
    (line,) = [line for line in shown.splitlines() if line.strip(" │|").startswith(name)]
    return line.split(name)[1].strip(" │|")


class _Forgetful(Consumer):
    """A consumer that loses one record."""

    def stop(self) -> None:
        super().stop()
        del self.receipts[5:6]


@pytest.mark.slow
@pytest.mark.usefixtures("few_readings")
def test_a_lost_record_is_a_broken_promise_and_a_failing_exit(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo_run, "Consumer", _Forgetful)
    with RunningServer() as server:
        assert _run("--endpoint-url", server.url) == 1
        assert own_endpoint(server.url).tables().list_tables()["TableNames"] == []
    shown = capsys.readouterr().out
    assert _row(shown, "lost") == "1"
    assert "A promise is broken" in shown


@pytest.mark.slow
@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"]
)
def test_a_demo_that_is_interrupted_ends_its_server_and_leaves_nothing_behind(
    number: signal.Signals, code: int, tmp_path: Path
) -> None:
    with subprocess.Popen(
        command("demo", "--engine", "memory"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**environment(), "TMPDIR": str(tmp_path)},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        url = process.stdout.readline().split(" at ")[1].split(",")[0]
        assert list(tmp_path.iterdir())
        process.send_signal(number)
        assert process.wait(_SECONDS_MAX) == code
        assert process.stderr.read() == ""
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1])), timeout=5).close()


@pytest.mark.slow
@pytest.mark.usefixtures("interruptible")
def test_a_demo_that_is_interrupted_leaves_no_table_on_somebody_elses_server() -> None:
    with RunningServer() as server:
        with subprocess.Popen(
            command("demo", "--endpoint-url", server.url),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.readline()
            assert "writes acknowledged" in process.stdout.readline()
            process.send_signal(signal.SIGINT)
            assert process.wait(_SECONDS_MAX) == 130
            assert process.stderr.read() == ""
        assert own_endpoint(server.url).tables().list_tables()["TableNames"] == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--endpoint-url", "http://192.0.2.1:8000"], "servers on this machine only"),
        (["--endpoint-url", "http://127.0.0.1:9"], "127.0.0.1:9"),
        (["--endpoint-url", "http://127.0.0.1:9", "--engine", "memory"], "are for a server that"),
        (["--endpoint-url", "http://127.0.0.1:9", "--keep", "x"], "are for a server that"),
        (["--engine", "memory", "--keep", "x"], "keeps nothing"),
        (["--keep", "/dev/null"], "Not a directory: /dev/null"),
        (["--keep", "/dev/null/x"], "Not a directory: /dev/null/x"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(
    given: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(*given) == 1
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_a_folder_with_something_in_it_is_not_touched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").write_text("precious", encoding="utf-8")
    assert _run("--keep", str(tmp_path)) == 1
    assert "is not empty" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def _server(tmp_path: Path, program: str) -> DemoServer:
    """Return a server that runs `program` with the port as its argument."""

    def run(port: int, _data: Path, _engine: str) -> list[str]:
        return [sys.executable, "-c", program, str(port)]

    return DemoServer(tmp_path, "memory", tmp_path / "log", SystemClock(), run)


_HEALTHY = """
import http.server, signal, sys
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
signal.signal(signal.SIGTERM, lambda *_: sys.exit({code}))
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Health).serve_forever()
"""


def test_a_server_that_cannot_start_is_told_with_its_last_words(tmp_path: Path) -> None:
    with (
        pytest.raises(ServerError, match=r"exit code 3\n  \| no such luck"),
        _server(tmp_path, "import sys; print('no such luck'); sys.exit(3)"),
    ):
        pytest.fail("it started")


def test_a_server_that_is_never_ready_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_server, "_READY_SECONDS_MAX", 0.1)
    program = "import threading; threading.Event().wait(60)"
    with pytest.raises(ServerError, match="was not ready"), _server(tmp_path, program):
        pytest.fail("it started")


def test_a_server_that_dies_meanwhile_is_noticed(tmp_path: Path) -> None:
    with _server(tmp_path, _HEALTHY.format(code=0)) as server:
        server.check()
        server.stop()
        with pytest.raises(ServerError, match="ended by itself with exit code 0"):
            server.check()


def test_a_server_that_does_not_end_well_is_told(tmp_path: Path) -> None:
    with (
        _server(tmp_path, _HEALTHY.format(code=7)) as server,
        pytest.raises(ServerError, match="exit code 7"),
    ):
        server.stop()
