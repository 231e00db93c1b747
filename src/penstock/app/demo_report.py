"""What the demo prints: progress while it works, and the table of its findings at the end."""

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from penstock.app.demo_promises import Findings, Latency
from penstock.base.clock import Clock

_PLAIN_EVERY_MS = 5_000.0
_REFRESHES_PER_SECOND = 8


@dataclass(frozen=True, slots=True)
class Run:
    """How the run went, beside its findings; `writing_seconds` begin with the first write."""

    engine: str
    shards: int
    planned: int
    writing_seconds: float


class Shown:
    """Two bars, writes and records, on a terminal; elsewhere a line now and then. A context."""

    def __init__(self, console: Console, planned: int, clock: Clock) -> None:
        self._console = console
        self._planned = planned
        self._clock = clock
        self._plain_due_ms = clock.elapsed_ms() + _PLAIN_EVERY_MS
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[note]}"),
            console=console,
            refresh_per_second=_REFRESHES_PER_SECOND,
            disable=not console.is_terminal,
            transient=True,
            expand=True,
        )
        self._writes = self._progress.add_task("[cyan]writes acknowledged", total=planned, note="")
        self._records = self._progress.add_task("[green]records received ", total=planned, note="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def update(self, written: int, received: int, latest: str) -> None:
        """Show the counts, and the latest temperature that came through the stream."""
        self._progress.update(self._writes, completed=written)
        self._progress.update(self._records, completed=received, note=latest)
        now_ms = self._clock.elapsed_ms()
        if not self._console.is_terminal and now_ms >= self._plain_due_ms:
            self._plain_due_ms = now_ms + _PLAIN_EVERY_MS
            self._console.print(
                f"  {written:,} of {self._planned:,} writes acknowledged, {received:,} records"
                f" received; {latest}"
            )


def findings_table(findings: Findings, run: Run) -> Table:
    """Return the table that the demo ends with."""
    table = Table(title="What the consumer saw", title_style="bold", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    row = table.add_row
    row("writes acknowledged", f"{findings.written:,}")
    row("records received", f"{findings.received:,}", end_section=True)
    row("lost", _must_be_zero(findings.lost))
    row("duplicated", _must_be_zero(findings.duplicated))
    row("out of per-item order", _must_be_zero(findings.out_of_order))
    if findings.unexpected:
        row("records without a write", _must_be_zero(findings.unexpected))
    if findings.old_images_wrong:
        row("old images that do not fit", _must_be_zero(findings.old_images_wrong))
    row("folding the stream equals the table", _fold_text(findings), end_section=True)
    row("rate, writes per second", f"{findings.written / max(run.writing_seconds, 0.001):,.0f}")
    row("time from write to receipt, median", _latency_text(findings.from_start, _median))
    row("time from write to receipt, 99th percentile", _latency_text(findings.from_start, _p99))
    acknowledged = findings.from_acknowledgement
    row("of it after the acknowledgement, median", _latency_text(acknowledged, _median))
    row("of it after the acknowledgement, 99th percentile", _latency_text(acknowledged, _p99))
    row("shards read", str(run.shards))
    row("engine", run.engine)
    return table


def verdict(findings: Findings) -> Text:
    """Return the last line of the demo."""
    if findings.kept:
        return Text("Every change arrived, once and in order.", "bold green")
    return Text("A promise is broken: see the rows in red.", "bold red")


def _must_be_zero(count: int) -> Text:
    return Text(f"{count:,}", "bold red" if count else "bold green")


def _fold_text(findings: Findings) -> Text:
    if findings.fold_differences:
        return Text(f"no: {findings.fold_differences:,} items differ", "bold red")
    return Text(f"yes ({findings.items:,} items)", "bold green")


def _latency_text(latency: Latency | None, pick: Callable[[Latency], float]) -> str:
    return "none received" if latency is None else f"{pick(latency):,.1f} ms"


def _median(latency: Latency) -> float:
    return latency.median_ms


def _p99(latency: Latency) -> float:
    return latency.p99_ms
