"""Tumbling windows: the state that the function hands from one batch of a window to the next.

A record is of the window that its time lies in. A window ends when a record of a later one comes,
or when its time is over and all that was written in it has been read; then the function is called
once more, without records. Where its state grows beyond 1 MB the window ends early: the next call
is the last one, with that state, and what is left of its time begins with a new one. A state that
the last call has no room for is refused, as a failed invocation.
"""

from collections.abc import Sequence

import msgspec

from penstock.base import limits
from penstock.consumers.checkpoints import WindowState
from penstock.consumers.events import Window, window_event
from penstock.consumers.responses import window_state

_EMPTY = msgspec.Raw(b"{}")


class Tumbling:
    """The open window of one shard, if there is one."""

    def __init__(
        self, length_ms: int, shard_id: str, source_arn: str, window: WindowState | None
    ) -> None:
        self._length_ms = length_ms
        self._shard_id = shard_id
        self._source_arn = source_arn
        self.window = window

    @property
    def end_ms(self) -> int | None:
        """When the open window ends, in epoch milliseconds; None where none is open."""
        return None if self.window is None else self.window.start_ms + self._length_ms

    @property
    def is_over(self) -> bool:
        """Whether the open window ends before its time."""
        return self.window is not None and self.window.is_over

    @property
    def state_bytes(self) -> int:
        """How much of an event is not records."""
        state = 2 if self.window is None else len(bytes(self.window.state))
        return state + limits.window_frame_bytes

    def end_of(self, at_ms: int) -> int:
        """Return when the window ends that a time lies in."""
        return at_ms // self._length_ms * self._length_ms + self._length_ms

    def open(self, start_ms: int) -> None:
        """Open the window that starts then, where none is open."""
        if self.window is None:
            self.window = WindowState(start_ms, _EMPTY)

    def close(self) -> None:
        """Forget the window and its state: the final call has been made."""
        self.window = None

    def renew(self) -> None:
        """Begin what is left of the open window with a new state: the final call has been made."""
        assert self.window is not None  # its final call has been made
        self.window = WindowState(self.window.start_ms, _EMPTY)

    def take(self, answer: bytes) -> str | None:
        """Take the state out of the function's answer; return why not, where that cannot be."""
        assert self.window is not None  # opened for the batch that was answered
        state = window_state(answer)
        if state is None:
            return "the answer has no state, which a tumbling window needs"
        if len(state.data) + limits.window_frame_bytes > limits.invocation_bytes_max:
            return "the answer's state is too large for the last call of its window"
        raw = msgspec.Raw(state.data)
        self.window = WindowState(self.window.start_ms, raw, state.is_too_large)
        return None

    def event(self, records: Sequence[bytes], *, is_final: bool = False) -> bytes:
        """Return the event that hands these records of the open window to the function."""
        window = self.window
        assert window is not None  # opened for these records, or not closed yet
        return window_event(
            records,
            Window(
                window.start_ms,
                window.start_ms + self._length_ms,
                bytes(window.state),
                self._shard_id,
                self._source_arn,
                is_final,
                is_final and window.is_over,
            ),
        )
