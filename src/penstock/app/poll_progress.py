"""What `penstock poll` shows while it runs: a line that changes, or one now and then."""

import asyncio
import contextlib
import sys
from collections.abc import Callable
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from penstock.app.difference import printable
from penstock.app.log import log_to_stderr
from penstock.app.output import forget
from penstock.base import limits
from penstock.base.clock import Clock
from penstock.consumers.counts import MappingCounts


class PollProgress:
    """Shows how a mapping comes on; what it fails to write is nobody's loss.

    `counts` returns what the mapping has counted, None as long as it does not run.
    """

    def __init__(
        self, counts: Callable[[], MappingCounts | None], clock: Clock, output: TextIO | None = None
    ) -> None:
        self._counts = counts
        self._clock = clock
        self._console = Console(file=output or sys.stdout, highlight=False)
        self._said = ""

    async def show_until(self, stop: asyncio.Event) -> None:
        """Return once `stop` is set; log what there is to log meanwhile, and after."""
        if not self._console.is_terminal:
            log_to_stderr()
            while not await _is_set(stop, limits.poll_report_seconds):
                self._say(self.text())
            return
        redirects = sys.stderr.isatty()  # else what is logged goes where it was sent
        with Live(
            self._line(), console=self._console, auto_refresh=False, redirect_stderr=redirects
        ) as live:
            log_to_stderr()
            while not await _is_set(stop, limits.poll_refresh_seconds):
                live.update(self._line(), refresh=True)

    def say(self, text: str) -> None:
        """Write a line now."""
        with contextlib.suppress(OSError):
            self._console.print(Text(printable(text)), soft_wrap=True)
            self._console.file.flush()
            return
        forget(sys.stdout)

    def text(self) -> str:
        """Return how far it has come, in one line."""
        counts = self._counts()
        if counts is None:
            return "starting"
        parts = [f"{counts.polled:,} records read", f"{counts.invoked:,} handed over"]
        if counts.filtered:
            parts.append(f"{counts.filtered:,} filtered out")
        parts.append(self._lag(counts))
        if counts.in_flight:
            parts.append(f"{counts.in_flight} in flight")
        if counts.retries:
            parts.append(f"{counts.retries:,} retries")
        if given_up := counts.dropped + counts.delivered_on_failure:
            parts.append(f"{given_up:,} given up")
        if counts.last_error_ms:
            ago_s = max(0, self._clock.now_ms() - counts.last_error_ms) // 1000
            parts.append(f"last error {ago_s:,} s ago: {counts.last_error}")
        return ", ".join(parts)

    def _lag(self, counts: MappingCounts) -> str:
        records = f"{counts.lag_records:,}{'+' if counts.is_behind else ''}"
        seconds = counts.lag_seconds(self._clock.now_ms())
        return f"{records} behind" + (f" ({seconds:.1f} s)" if seconds else "")

    def _line(self) -> Text:
        return Text(printable(self.text()), overflow="ellipsis", no_wrap=True)

    def _say(self, text: str) -> None:
        if text != self._said:
            self._said = text
            self.say(text)


async def _is_set(event: asyncio.Event, seconds_max: float) -> bool:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds_max)
    return event.is_set()
