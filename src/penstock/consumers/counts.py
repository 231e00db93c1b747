"""What a mapping counts while it runs, for its metrics and for who watches it.

Of this process and since it began to run the mapping: rates and totals are a monitoring system's
work. `MappingCounts` is written by the runner alone.
"""

from dataclasses import dataclass, field
from typing import Protocol


class ShardLag(Protocol):
    """What is known of the records of one shard that are not finished; asked for when shown."""

    @property
    def records_at_hand(self) -> int:
        """How many have been read."""
        ...

    @property
    def oldest_ms(self) -> int | None:
        """When the oldest of them was written, in epoch milliseconds; None where there is none."""
        ...

    @property
    def is_behind(self) -> bool:
        """Whether more were there to be read when it was last read."""
        ...


@dataclass(slots=True)
class MappingCounts:
    """The counts of one mapping; the names in brackets are AWS's (namespace AWS/Lambda)."""

    invocations: int = 0
    """Calls of the function that ran [Invocations]."""
    errors: int = 0
    """Those that ended with a function error or a time-out [Errors]."""
    throttles: int = 0
    """Calls that did not run for want of concurrency [Throttles]."""
    retries: int = 0
    """Batches that were sent again."""
    polled: int = 0
    """Records read [PolledEventCount]."""
    filtered: int = 0
    """Records that no filter let through [FilteredOutEventCount]."""
    invoked: int = 0
    """Records handed to the function, each time [InvokedEventCount]."""
    failed: int = 0
    """Records whose invocation failed [FailedInvokeEventCount]."""
    dropped: int = 0
    """Records given up without a destination [DroppedEventCount]."""
    delivered_on_failure: int = 0
    """Records told to the destination [OnFailureDestinationDeliveredEventCount]."""
    delivery_failures: int = 0
    """Documents that the destination did not take [DestinationDeliveryFailures]."""
    duration_ms: float = 0.0
    """All calls that ran, together [Duration]."""
    in_flight: int = 0
    """Calls of the function under way now [ConcurrentExecutions]."""
    iterator_age_ms: float = 0.0
    """Age of the last record of the last batch when it was finished [IteratorAge]."""
    last_error: str = ""
    """What the last failed call ended with, in one line."""
    last_error_ms: int = 0
    """When, in epoch milliseconds; 0 where there was none."""
    shards: dict[str, ShardLag] = field(default_factory=dict)
    """The shards that are being read."""

    @property
    def lag_records(self) -> int:
        """How many records are at hand and not finished."""
        return sum(shard.records_at_hand for shard in self.shards.values())

    @property
    def is_behind(self) -> bool:
        """Whether there are more records than those at hand."""
        return any(shard.is_behind for shard in self.shards.values())

    def lag_seconds(self, now_ms: int) -> float | None:
        """Return how old the oldest record at hand is; 0 for none, None where nothing is read."""
        if not self.shards:
            return None
        oldest = [at for shard in self.shards.values() if (at := shard.oldest_ms) is not None]
        return max(0, now_ms - min(oldest, default=now_ms)) / 1000
