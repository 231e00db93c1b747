"""Gives the disk space of cleared spans back, beside the writes: which span, when, and by whom.

One span after the other is compacted, what has waited longest first. A compaction rewrites whole
files, mostly rows that were not cleared, so rewriting has a budget that time fills up: while it is
used up, small clears wait and gather. What a compaction frees pays for what it rewrites, so a large
clear waits for nothing. Whatever fails here is logged and tried again; no request sees it.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

from penstock.base import limits
from penstock.base.clock import Clock
from penstock.base.errors.engine import EngineError
from penstock.storage.cleared import Cleared, ClearedSpans
from penstock.storage.waist import Span

log = logging.getLogger(__name__)

Run = Callable[[], float | None]
"""Does what there is to do; returns milliseconds until it wants to run again, None for never."""


class StoreFile(NamedTuple):
    """A file of the store: its keys `start <= key <= end`, and the level it is on, 0 the newest."""

    name: str
    level: int
    start: bytes
    end: bytes
    bytes_held: int


class Compactor(Protocol):
    """What this file needs of a driver. All methods but `cancel` raise EngineError only."""

    def files(self) -> list[StoreFile]:
        """Return all files that hold rows."""
        ...

    def memory_bytes(self) -> int:
        """Return the bytes of rows that are in no file yet."""
        ...

    def room_bytes(self) -> int:
        """Return how many bytes can still be written."""
        ...

    def failures(self) -> int:
        """Return how often work in the background has failed so far."""
        ...

    def compact(self, span: Span) -> None:
        """Rewrite the files that hold cleared rows of `span`, and return when that is done.

        Also returns, with nothing done, where it failed or was cancelled.
        """
        ...

    def cancel(self) -> None:
        """End all that is under way, and do nothing more ever after. From any thread."""
        ...


class Worker(Protocol):
    """Who runs the reclaimer."""

    def wake(self, run: Run) -> None:
        """Call `run` soon, and again as it asks to."""
        ...

    def stop(self) -> None:
        """Begin no further run."""
        ...


class ThreadWorker:
    """Runs on a thread of its own, which begins when there is something to do for the first time.

    It waits a little before each run, so that clears that belong together are compacted together.
    """

    def __init__(self, name: str, gather_ms: float = limits.reclaim_gather_ms) -> None:
        self._name = name
        self._gather_seconds = gather_ms / 1000
        self._woken = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def wake(self, run: Run) -> None:
        self._woken.set()
        if self._thread is None:
            # A daemon, so that a disk that never answers cannot keep the process from ending.
            self._thread = threading.Thread(
                target=self._work, args=(run,), name=self._name, daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._woken.set()

    def _work(self, run: Run) -> None:
        wait_ms: float | None = None
        while True:
            self._woken.wait(None if wait_ms is None else wait_ms / 1000)
            if self._stopped.wait(self._gather_seconds):
                return
            self._woken.clear()
            wait_ms = run()


class Reclaimer:
    """Knows which spans are owed to the disk, and compacts them when `run` is called.

    Between `attach` and `detach` it may use the compactor. `run` is called by the worker, all else
    by the engine.
    """

    def __init__(self, clock: Clock, worker: Worker) -> None:
        self._worker = worker
        self._budget = Budget(clock)
        self._state = threading.Lock()
        """Held while what follows is read or changed, never for long."""
        self._cleared = ClearedSpans()
        self._compactor: Compactor | None = None
        self._busy = threading.Lock()
        """Held while the compactor is used."""
        self._trouble: str | None = None

    def attach(self, compactor: Compactor, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Use `compactor` from now on, for what the store's `rows` say is owed."""
        with self._state:
            self._cleared = ClearedSpans(rows)
            self._compactor = compactor
            owing = bool(self._cleared.owed())
        if owing:
            self._worker.wake(self.run)

    def detach(self, seconds_max: float) -> bool:
        """Use the compactor no more, ending what is under way; False if it did not end in time."""
        with self._state:
            compactor, self._compactor = self._compactor, None
        if self._busy.acquire(blocking=False):
            self._busy.release()
            return True
        if compactor is not None:
            compactor.cancel()
        if not self._busy.acquire(timeout=seconds_max):
            return False
        self._busy.release()
        return True

    def stop(self, seconds_max: float) -> bool:
        """Detach for good."""
        self._worker.stop()
        return self.detach(seconds_max)

    def write(self, clears: Sequence[Span]) -> dict[bytes, bytes | None]:
        """Return the rows to write in one with `clears`: key -> value, None for one to delete."""
        with self._state:
            return self._cleared.write(clears)

    def settle(self) -> None:
        """Owe the clears that were written, which are durable now."""
        with self._state:
            owing = self._cleared.settle()
        if owing:
            self._worker.wake(self.run)

    def run(self) -> float | None:
        """Compact what is owed as far as the budget goes; a `Run`."""
        with self._busy:
            with self._state:
                compactor, owed = self._compactor, self._cleared.owed()
            if compactor is None:
                return None
            try:
                return self._compact_all(compactor, owed)
            except EngineError as error:
                self._note(repr(error))
            except Exception:  # a bug of ours ends one run, never the space that comes back
                log.exception("Giving cleared space back failed")
            return limits.reclaim_retry_ms

    def _compact_all(self, compactor: Compactor, owed: list[Cleared]) -> float | None:
        wait_ms: float | None = None
        for cleared in owed:
            with self._state:
                if self._compactor is not compactor:
                    return None
                if not self._cleared.owes(cleared):
                    continue
            files = compactor.files()
            weight = weigh(cleared.span, files, compactor.memory_bytes())
            if not weight.pays and self._budget.wait_ms > 0:
                wait_ms = self._budget.wait_ms
            elif compactor.room_bytes() < weight.rewritten_bytes:
                self._note("there is no room to rewrite what stays")
                wait_ms = limits.reclaim_retry_ms
            elif not self._compact(compactor, cleared, files):
                return limits.reclaim_retry_ms
        return wait_ms

    def _compact(self, compactor: Compactor, cleared: Cleared, before: list[StoreFile]) -> bool:
        """Compact one span and owe it no more; False where that failed or was cancelled."""
        failures = compactor.failures()
        compactor.compact(cleared.span)
        with self._state:
            if self._compactor is not compactor:
                return False
        self._budget.spend(_wasted_bytes(before, compactor.files()))
        if compactor.failures() > failures:
            self._note("the compaction failed")
            return False
        self._note(None)
        with self._state:
            self._cleared.give_back(cleared)
        return True

    def _note(self, trouble: str | None) -> None:
        """Tell the log when trouble begins and when it ends, not at every run."""
        if trouble is not None and trouble != self._trouble:
            log.warning("Cleared space could not be given back", extra={"error": trouble})
        elif trouble is None and self._trouble is not None:
            log.info("Cleared space is given back again")
        self._trouble = trouble


class Weight(NamedTuple):
    """What compacting a span means, in bytes of files."""

    dropped_bytes: int
    rewritten_bytes: int

    @property
    def pays(self) -> bool:
        """Say whether at least as much is dropped as is rewritten."""
        return 0 < self.dropped_bytes >= self.rewritten_bytes


def weigh(span: Span, files: Sequence[StoreFile], memory_bytes: int) -> Weight:
    """Return what is certainly dropped by compacting `span`, and at most rewritten.

    How much of a file is cleared cannot be seen, unless all of it is. What is in memory becomes a
    file that covers anything, so all of level 0 and of the first level below is rewritten with it.
    """
    dropped, rewritten = 0, memory_bytes
    first_level = min((file.level for file in files if file.level > 0), default=0)
    for file in files:
        if span.start <= file.start and file.end <= span.end:
            dropped += file.bytes_held
        elif file.level <= first_level or (file.start < span.end and span.start <= file.end):
            rewritten += file.bytes_held
    return Weight(dropped, rewritten)


def _wasted_bytes(before: Sequence[StoreFile], after: Sequence[StoreFile]) -> int:
    """Return how many more bytes were written than were freed, if they were."""
    old, new = {file.name for file in before}, {file.name for file in after}
    gone = sum(file.bytes_held for file in before if file.name not in new)
    written = sum(file.bytes_held for file in after if file.name not in old)
    return max(2 * written - gone, 0)


class Budget:
    """The bytes that may be rewritten in vain; one compaction may overdraw it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._left: float = limits.reclaim_budget_bytes
        self._at_ms = clock.elapsed_ms()

    @property
    def wait_ms(self) -> float:
        """Return milliseconds until there is something left."""
        self._fill()
        return max(-self._left / limits.reclaim_budget_bytes_per_second * 1000, 0.0)

    def spend(self, bytes_wasted: int) -> None:
        """Take out what one compaction cost."""
        self._fill()
        self._left -= max(bytes_wasted, limits.reclaim_run_bytes_min)

    def _fill(self) -> None:
        now_ms = self._clock.elapsed_ms()
        filled = (now_ms - self._at_ms) / 1000 * limits.reclaim_budget_bytes_per_second
        self._left = min(self._left + filled, limits.reclaim_budget_bytes)
        self._at_ms = now_ms
