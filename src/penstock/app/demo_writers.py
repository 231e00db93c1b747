"""The demo's writers, one process per city: started, listened to, and ended whatever happens."""

import multiprocessing
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import TracebackType
from typing import Any, Self

from penstock.app.demo_promises import Write
from penstock.app.demo_writer import Assignment, Message, write_city
from penstock.app.readings import Reading

_end_seconds_max = 5.0


class WriterError(Exception):
    """A writer's call failed, or its process died; the text is one line for a person."""


class Writers:
    """The writer processes of all cities, used as a context; `writes` grows by `collect`."""

    def __init__(
        self, url: str, table: str, readings: Mapping[str, Sequence[Reading]], deadline_ms: float
    ) -> None:
        self.writes: list[Write] = []
        self._assignments = {
            city: Assignment(url, table, each, deadline_ms) for city, each in readings.items()
        }
        self._cities: dict[Connection[Any, Any], str] = {}  # of the pipes still open
        self._processes: list[SpawnProcess] = []

    def __enter__(self) -> Self:
        context = multiprocessing.get_context("spawn")
        with _interrupt_ignored():
            for city, assignment in self._assignments.items():
                here, there = context.Pipe(duplex=False)
                process = context.Process(
                    target=write_city, args=(assignment, there), name=f"demo {city}", daemon=True
                )
                process.start()
                there.close()
                self._processes.append(process)
                self._cities[here] = city
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self._processes:
            if error is not None:
                process.terminate()
            process.join(_end_seconds_max)
            if process.is_alive():
                process.kill()
                process.join()
        for pipe in self._cities:
            pipe.close()

    def collect(self, seconds: float) -> bool:
        """Take what writers tell within `seconds`; return whether all have ended.

        Raises `WriterError`.
        """
        for pipe in wait(list(self._cities), seconds):
            assert isinstance(pipe, Connection)
            self._take(pipe)
        return not self._cities

    def _take(self, pipe: "Connection[Any, Any]") -> None:
        city = self._cities[pipe]
        try:
            message: Message = pipe.recv()
        except EOFError as ended:
            raise WriterError(f"the writer of {city} ended by itself") from ended
        if isinstance(message, str):
            raise WriterError(f"a write of {city} failed: {message}")
        if isinstance(message, list):
            self.writes += message
        else:
            del self._cities[pipe]
            pipe.close()


@contextmanager
def _interrupt_ignored() -> Iterator[None]:
    """Let processes started in the body ignore Ctrl-C from their first instruction on."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
