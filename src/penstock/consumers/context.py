"""What all shards of a mapping that runs work with."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from penstock.base import limits
from penstock.base.clock import Clock
from penstock.base.ids import Entropy
from penstock.base.timers import Signal, Timers
from penstock.consumers.checkpoints import Checkpoints
from penstock.consumers.counts import MappingCounts
from penstock.consumers.deliverer import Deliverer
from penstock.consumers.lane import Terms
from penstock.consumers.source import Source
from penstock.functions.filters import Filters
from penstock.functions.invoker import Invoker, NotInvoked
from penstock.functions.mapping import Mapping
from penstock.functions.turns import Turns

log = logging.getLogger("penstock.mappings")

OK = "OK"
CALL_FAILED = "PROBLEM: Function call failed"


class Stopped(Exception):
    """The mapping is to stop: what has not begun does not begin any more."""


def _always() -> bool:
    return True


@dataclass(slots=True)
class MappingContext:
    """One mapping while it runs, on what it reads, calls and writes."""

    mapping: Mapping
    source: Source
    invoker: Invoker
    checkpoints: Checkpoints
    failures: Deliverer
    timers: Timers
    entropy: Entropy
    filters: Filters | None = None
    counts: MappingCounts = field(default_factory=MappingCounts)
    stop: Signal = field(default_factory=Signal)
    is_ours: Callable[[], bool] = _always
    """Says whether this node is still the one that runs the mapping."""
    turns: Turns = field(default_factory=Turns)
    """Of all that this node runs: who finds no room for its function waits there."""
    result: str | None = None
    """What came of the last batch, where there was one."""

    @property
    def clock(self) -> Clock:
        """Return the clock by which the mapping's times pass."""
        return self.timers.clock

    @property
    def terms(self) -> Terms:
        """Return what the mapping says of its batches."""
        mapping = self.mapping
        return Terms(
            mapping.batch_size,
            mapping.batching_window_seconds * 1000.0,
            mapping.tumbling_window_seconds * 1000,
        )

    def note_error(self, text: str) -> None:
        """Note what went wrong last, for who looks at the mapping."""
        self.counts.last_error = " ".join(text.split())[: limits.error_shown_chars_max]
        self.counts.last_error_ms = self.clock.now_ms()

    async def pause(self, ms: float) -> None:
        """Wait by the mapping's clock; raises Stopped where it is to stop."""
        if await self.timers.wait(self.stop, ms):
            raise Stopped

    async def pause_after(self, refused: NotInvoked, ms: float) -> None:
        """Wait as `pause` does; who found no room, no longer than until it is its turn."""
        if refused.reason != "throttled":
            await self.pause(ms)
            return
        function_arn = self.mapping.function_arn
        if await self.turns.wait(function_arn, self.timers, self.stop, ms):
            raise Stopped
