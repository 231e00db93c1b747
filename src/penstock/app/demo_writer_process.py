"""The demo's writer process: started, listened to, and ended whatever happens."""

import multiprocessing
from types import TracebackType
from typing import Self

from penstock.app.demo_promises import Write
from penstock.app.demo_signals import held_back, out_of_reach_of_keyboard
from penstock.app.demo_writer import Assignment, Message, write

_END_SECONDS_MAX = 5.0


class WriterError(Exception):
    """A call of the writer failed, or its process died; the text is one line for a person."""


class WriterProcess:
    """A process that does `assignment`, used as a context; `writes` grows by `collect`."""

    def __init__(self, assignment: Assignment) -> None:
        self.writes: list[Write] = []
        context = multiprocessing.get_context("spawn")
        self._pipe, self._far_end = context.Pipe(duplex=False)
        self._process = context.Process(
            target=write, args=(assignment, self._far_end), name="demo writer", daemon=True
        )

    def __enter__(self) -> Self:
        try:
            with held_back(), out_of_reach_of_keyboard():
                self._process.start()
            self._far_end.close()
        except BaseException:
            self._end_at_once()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._end_at_once()
            return
        self._process.join(_END_SECONDS_MAX)
        self._end_at_once()

    def _end_at_once(self) -> None:
        """Kill the process if it still runs: nobody asks for more."""
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._pipe.close()

    def collect(self, seconds: float) -> bool:
        """Take what the writer tells within `seconds`; return whether it has finished.

        Raises `WriterError`.
        """
        if not self._pipe.poll(seconds):
            return False
        try:
            message: Message = self._pipe.recv()
        except EOFError as ended:
            raise WriterError("the writer ended by itself") from ended
        if isinstance(message, str):
            raise WriterError(f"a write failed: {message}")
        if isinstance(message, bool):
            return True
        self.writes += message
        return False
