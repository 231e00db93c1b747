"""Functions in processes of their own, which get ready, begin together and return what they found.

Each is started afresh (`spawn`), so it shares nothing with the process of its caller. All clocks of
`time.monotonic` on one machine agree.
"""

import contextlib
import multiprocessing
import signal
import traceback
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self

from bench.interrupts import Shield
from bench.trouble import Trouble, sentence

_STOP_SECONDS_MAX = 30.0


class WorkFailed(Trouble):
    """The function of a process raised something; the detail is its trace."""


class Link:
    """What a process has of its caller."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def wait_for_start(self) -> None:
        """Tell that all is ready, and return when the work is to begin."""
        self._connection.send(("ready", None))
        self._connection.recv()

    def is_stopped(self, seconds_max: float = 0.0) -> bool:
        """Say whether the caller wants the work to end; wait so long for that."""
        return self._connection.poll(seconds_max)


Work = Callable[..., Any]
"""A function of a module, called with a Link, which it must wait for, and with its arguments."""


class Worker:
    """One such process, getting ready from now on; a context that leaves none behind."""

    def __init__(self, work: Work, *arguments: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_run, args=(theirs, work, arguments), daemon=True)
        with Shield():
            self._process.start()
        theirs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with Shield():
            self._process.terminate()
            self._process.join(_STOP_SECONDS_MAX)
            self._connection.close()

    def await_ready(self) -> None:
        """Wait until its function waits for the start."""
        self._receive("ready")

    def start(self) -> None:
        """Let its work begin."""
        self._connection.send("start")

    def stop(self) -> None:
        """Tell it that its work is to end, if it has not; what it returns is still to be had."""
        with contextlib.suppress(ConnectionError):  # it has ended already
            self._connection.send("stop")

    def result(self) -> Any:
        """Wait for what its function returns; WorkFailed where it raised something."""
        return self._receive("result")

    def _receive(self, expected: str) -> Any:
        try:
            kind, value = self._connection.recv()
        except (EOFError, ConnectionError):
            raise WorkFailed("a process of the benchmark ended without a word") from None
        if kind == "failed":
            text, trace = value
            raise WorkFailed(f"a process of the benchmark failed: {text}", trace)
        assert kind == expected, kind
        return value


def run_together(*workers: Worker) -> list[Any]:
    """Let the work of all begin when all are ready; return what each returns, and end them."""
    with ExitStack() as stack:
        for worker in workers:
            stack.enter_context(worker)
        start_together(*workers)
        return [worker.result() for worker in workers]


def start_together(*workers: Worker) -> None:
    """Let the work of all begin when all are ready."""
    for worker in workers:
        worker.await_ready()
    for worker in workers:
        worker.start()


def _run(connection: Connection, work: Work, arguments: Sequence[Any]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the caller, who ends this
    try:
        result = work(Link(connection), *arguments)
    except Exception as error:  # noqa: BLE001 - the caller's process raises it
        connection.send(("failed", (sentence(error), traceback.format_exc())))
    else:
        connection.send(("result", result))
