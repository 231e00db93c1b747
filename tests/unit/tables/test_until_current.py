"""Work that was prepared from a table is prepared anew while others change the table."""

import asyncio

import pytest

from penstock.base import limits
from penstock.base.errors.engine import EngineUnavailable
from penstock.tables.catalog import StaleTable
from penstock.tables.tables import until_current

_CHANGING_AT_ONCE = 32


def stale_for(times: int) -> int:
    """Return how many attempts work takes that finds its table changed so many times."""
    attempts = 0

    async def attempt() -> int:
        nonlocal attempts
        attempts += 1
        if attempts <= times:
            raise StaleTable
        return attempts

    return asyncio.run(until_current(attempt))


def test_a_write_outlasts_many_who_change_its_table_at_once() -> None:
    """Each of them can win one group of transactions before it."""
    assert stale_for(0) == 1
    assert stale_for(_CHANGING_AT_ONCE) == _CHANGING_AT_ONCE + 1


def test_it_does_not_try_for_ever() -> None:
    assert stale_for(limits.transaction_attempts_max - 1) == limits.transaction_attempts_max
    with pytest.raises(EngineUnavailable):
        stale_for(limits.transaction_attempts_max)
