"""Spans of time are read as they are written, and tables are found as they are given."""

from datetime import timedelta
from typing import Any

import pytest

from penstock.testing.surgery import span_ms


@pytest.mark.parametrize(
    ("span", "ms"),
    [
        (0, 0),
        (1500, 1500),
        ("0s", 0),
        ("24h1s", 86_401_000),
        ("1d2h3m4s5ms", 93_784_005),
        (timedelta(minutes=15, milliseconds=1), 900_001),
        (timedelta(microseconds=1), 1),
    ],
)
def test_a_span_of_time(span: Any, ms: int) -> None:
    assert span_ms(span) == ms


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (-1, "time does not pass backwards"),
        (timedelta(seconds=-1), "time does not pass backwards"),
        ("", "'' is not a time such as 24h1s"),
        ("90", "'90' is not a time such as"),
        ("1 h", "'1 h' is not a time such as"),
        ("-1s", "'-1s' is not a time such as"),
        (1.5, "a span of time is a timedelta, milliseconds or a text, not 1.5"),
        (True, "a span of time is a timedelta"),
        (None, "a span of time is a timedelta"),
    ],
)
def test_what_is_no_span_of_time_is_refused(span: Any, text: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        span_ms(span)
    assert text in str(caught.value)
