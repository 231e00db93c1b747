"""The rates of ListStreams and DescribeStream: what is beyond them is counted, or refused."""

import pytest

from penstock.base import limits
from penstock.base.errors.api import ApiError
from penstock.streams.call_rates import Action, CallRates

RATES: list[tuple[Action, int]] = [("ListStreams", 5), ("DescribeStream", 10)]


def admitted(rates: CallRates, action: Action, now_ms: float, calls: int) -> int:
    """Return how many of so many calls in one region are let through."""
    through = 0
    for _ in range(calls):
        try:
            rates.admit(action, "us-east-1", now_ms)
        except ApiError as error:
            assert (error.code, error.message) == ("ThrottlingException", "Rate exceeded")
        else:
            through += 1
    return through


@pytest.mark.parametrize(("action", "rate"), RATES)
def test_a_seconds_calls_may_come_at_once_and_no_more(action: Action, rate: int) -> None:
    rates = CallRates(throttling=True)
    assert admitted(rates, action, 0.0, 20) == rate
    assert admitted(rates, action, 999.0 / rate, 20) == 0
    assert admitted(rates, action, 1000.0 / rate, 20) == 1
    assert admitted(rates, action, 60_000.0, 20) == rate, "what is not used is not kept"
    (shown,) = rates.shown()
    assert shown == {
        "Region": "us-east-1",
        "Action": action,
        "Calls": 80,
        "CallsBeyondRate": 80 - 2 * rate - 1,
        "CallsThrottled": 80 - 2 * rate - 1,
    }


def test_without_throttling_they_are_counted_only() -> None:
    rates = CallRates()
    assert admitted(rates, "ListStreams", 0.0, 20) == 20
    (shown,) = rates.shown()
    assert (shown["Calls"], shown["CallsBeyondRate"], shown["CallsThrottled"]) == (20, 15, 0)


def test_each_region_and_action_has_a_rate_of_its_own() -> None:
    rates = CallRates(throttling=True)
    for region in ("us-east-1", "eu-west-1"):
        for _ in range(5):
            rates.admit("ListStreams", region, 0.0)
            rates.admit("DescribeStream", region, 0.0)
    assert [(each["Region"], each["Action"]) for each in rates.shown()] == [
        ("eu-west-1", "DescribeStream"),
        ("eu-west-1", "ListStreams"),
        ("us-east-1", "DescribeStream"),
        ("us-east-1", "ListStreams"),
    ]


def test_no_more_regions_are_remembered_than_the_limit_says() -> None:
    """The one that was not called for longest is forgotten."""
    rates = CallRates()
    for number in range(limits.call_rates_remembered_max + 1):
        rates.admit("ListStreams", f"region-{number:05}", 0.0)
        rates.admit("ListStreams", "us-east-1", 0.0)
    shown = [each["Region"] for each in rates.shown()]
    assert len(shown) == limits.call_rates_remembered_max
    assert {"us-east-1", "region-00002"} <= set(shown)
    assert not {"region-00000", "region-00001"} & set(shown)
