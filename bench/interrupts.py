"""The signals that end a run: the first of them does, and those after it change nothing.

Inside of a `Shield` a signal waits, so that no process is started or ended by half.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ended(BaseException):
    """A signal came that ends the run; `status` is what the process is to exit with."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        # Who closes the terminal wants the same as who sends SIGTERM.
        self.status = 128 + (signal.SIGINT if number == signal.SIGINT else signal.SIGTERM)


class _Signals:
    """What came so far."""

    def __init__(self) -> None:
        self.shields = 0
        self.came: int | None = None
        self.is_raised = False

    def note(self, number: int, frame: FrameType | None) -> None:
        if self.came is None:
            self.came = number
        self.raise_what_came()

    def raise_what_came(self) -> None:
        if self.came is not None and not self.is_raised and self.shields == 0:
            self.is_raised = True
            raise Ended(self.came)


_signals = _Signals()


class Shield:
    """A context that is gone through whole: a signal that comes meanwhile is heard at its end."""

    def __enter__(self) -> None:
        _signals.shields += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _signals.shields -= 1
        _signals.raise_what_came()


@contextmanager
def heard() -> Iterator[None]:
    """Have the first signal raise Ended in here, wherever this process is, and ignore the rest."""
    _signals.came, _signals.is_raised = None, False
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in SIGNALS:
        # A shell has what runs behind it ignore SIGINT: whoever sends it means it all the same.
        # Who had SIGHUP ignored wants the run to outlive its terminal.
        if number == signal.SIGINT or before[number] is not signal.SIG_IGN:
            signal.signal(number, _signals.note)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
