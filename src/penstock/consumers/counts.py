"""What a mapping counts while it runs, for its metrics and for who watches it.

Of this process and since it began to run the mapping: rates and totals are a monitoring system's
work. `MappingCounts` is written by the runner alone.
"""

from dataclasses import dataclass, field


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
    shards: dict[str, int] = field(default_factory=dict)
    """The shards being read, each with how many records are at hand and not finished."""
