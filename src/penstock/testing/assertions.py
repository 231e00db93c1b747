"""Assertions on what a consumer received, whoever it received it from."""

from collections.abc import Mapping, Sequence
from typing import Any

from penstock.testing.changes import ItemChange


def assert_changes(records: Sequence[Mapping[str, Any]], expected: Sequence[ItemChange]) -> None:
    """Assert that stream records tell the changes `expected`, each once and per item in this order.

    `records` are those of GetRecords or of an event of Lambda, in the order in which a consumer
    took them. The order between items is free. What their view leaves out is not compared.
    """
    __tracebackhide__ = True
    from penstock.testing.matching import mismatch  # noqa: PLC0415 - boto3 only for who asserts

    text = mismatch(expected, records)
    if text is not None:
        raise AssertionError(text)
