"""The server that the demo starts: a process of its own, on a free port, always ended."""

import http.client
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from penstock.app.demo_signals import held_back
from penstock.base.clock import Clock

_HOST = "127.0.0.1"
_HEALTH_PATH = "/_penstock/health"
_READY_SECONDS_MAX = 15.0
_STOP_SECONDS_MAX = 5.0
_POLL_SECONDS = 0.02
_LOG_LINES_SHOWN = 20

Command = Callable[[int, Path, str], Sequence[str]]


class ServerError(Exception):
    """The server did not start, died or did not end well; the text tells its last words."""


def serve_command(port: int, data: Path, engine: str) -> list[str]:
    """Return the command that serves `data` on `port`, as a person would type it."""
    command = [sys.executable, "-m", "penstock", "serve", "--host", _HOST, "--port", str(port)]
    command += ["--engine", engine]
    return command if engine == "memory" else [*command, "--data", str(data)]


class DemoServer:
    """A server process over the folder `data`, used as a context; its output goes to `log`.

    `command` makes the command line from port, folder and engine. Raises `ServerError`.
    """

    def __init__(
        self, data: Path, engine: str, log: Path, clock: Clock, command: Command = serve_command
    ) -> None:
        self._log = log
        self._clock = clock
        self._port = _free_port()
        self._command = command(self._port, data, engine)
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"http://{_HOST}:{self._port}"

    def __enter__(self) -> Self:
        try:
            with self._log.open("wb") as log, held_back():
                # A session of its own: Ctrl-C is for the demo, which then ends the server.
                self._process = subprocess.Popen(  # noqa: S603 - our own command
                    self._command, stdout=log, stderr=log, start_new_session=True
                )
            self._await_ready()
        except BaseException:
            self._kill()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process whatever happened; nothing is raised here."""
        self._kill()

    def check(self) -> None:
        """Raise `ServerError` if the process has ended."""
        code = self._running().poll()
        if code is not None:
            raise ServerError(
                f"the server ended by itself with exit code {code}{self._last_words()}"
            )

    def stop(self) -> None:
        """End the process as an operator would, by SIGTERM; it must exit 0."""
        self.check()
        process = self._running()
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(_STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired as late:
            raise ServerError(
                f"the server did not end within {_STOP_SECONDS_MAX:.0f} s{self._last_words()}"
            ) from late
        if code != 0:
            raise ServerError(f"the server ended with exit code {code}{self._last_words()}")

    def _await_ready(self) -> None:
        deadline_ms = self._clock.elapsed_ms() + _READY_SECONDS_MAX * 1000
        while not self._healthy():
            self.check()
            if self._clock.elapsed_ms() > deadline_ms:
                raise ServerError(
                    f"the server was not ready after {_READY_SECONDS_MAX:.0f} s{self._last_words()}"
                )
            try:
                self._running().wait(_POLL_SECONDS)
            except subprocess.TimeoutExpired:
                continue

    def _healthy(self) -> bool:
        connection = http.client.HTTPConnection(_HOST, self._port, timeout=1.0)
        try:
            connection.request("GET", _HEALTH_PATH)
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    def _last_words(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        shown = lines[-_LOG_LINES_SHOWN:]
        return "".join(f"\n  | {line}" for line in shown) or " and said nothing"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])
