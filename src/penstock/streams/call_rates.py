"""How often the actions that tell of streams are called: counted, refused where that is asked for.

Facts: botocore 1.43, 2026-10: ListStreams may be called 5 times a second and DescribeStream 10
times. That this is of an account in a region, and that a second's calls may come at once, are
decisions of ours. Times are milliseconds that never step back.
"""

from collections import OrderedDict
from typing import Any, Literal

from penstock.base import limits
from penstock.base.bucket import Bucket
from penstock.base.errors import streams

Action = Literal["ListStreams", "DescribeStream"]

_CALLS_PER_SECOND: dict[Action, int] = {
    "ListStreams": limits.list_streams_calls_per_second_max,
    "DescribeStream": limits.describe_stream_calls_per_second_max,
}
_WHOLE = 1 - 1e-9  # fractions that come back one by one may add up to a little less


class _Calls:
    """The calls of one action in one region."""

    __slots__ = ("beyond", "bucket", "calls", "throttled")

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket
        self.calls = self.beyond = self.throttled = 0


class CallRates:
    """The calls of every action that has a documented rate, by region."""

    def __init__(self, *, throttling: bool = False) -> None:
        self._throttling = throttling
        self._calls: OrderedDict[tuple[str, Action], _Calls] = OrderedDict()

    def admit(self, action: Action, region: str, now_ms: float) -> None:
        """Count a call; ThrottlingException where throttling is on and it comes too soon.

        What is beyond the rate takes nothing of it: without throttling, the calls are counted that
        would have been refused.
        """
        of = self._of(action, region, now_ms)
        of.calls += 1
        if of.bucket.level(now_ms) >= _WHOLE:
            of.bucket.take(1, now_ms)
            return
        of.beyond += 1
        if self._throttling:
            of.throttled += 1
            raise streams.call_rate_exceeded()

    def shown(self) -> list[dict[str, Any]]:
        """Return the counts of each action by region, in the order of the regions."""
        return [
            {
                "Region": region,
                "Action": action,
                "Calls": of.calls,
                "CallsBeyondRate": of.beyond,
                "CallsThrottled": of.throttled,
            }
            for (region, action), of in sorted(self._calls.items(), key=lambda each: each[0])
        ]

    def _of(self, action: Action, region: str, now_ms: float) -> _Calls:
        key = (region, action)
        of = self._calls.get(key)
        if of is None:
            if len(self._calls) >= limits.call_rates_remembered_max:
                self._calls.popitem(last=False)
            of = self._calls[key] = _Calls(Bucket(_CALLS_PER_SECOND[action], 1, now_ms))
        else:
            self._calls.move_to_end(key)
        return of
