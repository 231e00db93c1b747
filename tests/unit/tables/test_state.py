"""States are derived from what is stored and the time: nothing has to run when one ends."""

from typing import Any

import pytest
from msgspec.structs import replace

from penstock.items.keys import KeyAttribute
from penstock.tables.descriptor import Descriptor
from penstock.tables.index import IndexDescriptor
from penstock.tables.state import (
    entering,
    index_state,
    is_gone,
    is_usable,
    settled,
    table_state,
)
from penstock.testing.clock import FakeClock
from unit.tables.tables_in_memory import NAME, REGION, tables_in_memory

UNTIL_MS = 1000


def table(status: Any, index_status: Any = "ACTIVE") -> Descriptor:
    """Return a table in `status` until second 1, with an index in its own."""
    some = tables_in_memory(FakeClock()).table(REGION, NAME).descriptor
    index = IndexDescriptor(
        name="idx",
        number=9,
        kind="GLOBAL",
        arn=f"{some.arn}/index/idx",
        partition_key=[KeyAttribute("a", "S")],
        sort_key=[],
        projection="ALL",
        status=index_status,
    )
    return replace(some, status=status, status_until_ms=UNTIL_MS, indexes=[index])


@pytest.mark.parametrize(
    ("status", "after", "usable"),
    [("ACTIVE", "ACTIVE", True), ("CREATING", "ACTIVE", False), ("UPDATING", "ACTIVE", True)],
)
def test_a_state_ends_when_its_time_is_over(status: Any, after: Any, usable: bool) -> None:
    """A table that is made or changed is ACTIVE then, and usable."""
    stored = table(status)
    assert table_state(stored, UNTIL_MS - 1) == status
    assert is_usable(stored, UNTIL_MS - 1) == usable
    assert table_state(stored, UNTIL_MS) == after
    assert is_usable(stored, UNTIL_MS)
    assert not is_gone(stored, UNTIL_MS)


def test_a_table_that_was_being_deleted_is_gone() -> None:
    """It has no state any more, nor have its indexes."""
    stored = table("DELETING")
    assert not is_usable(stored, UNTIL_MS - 1)
    assert not is_gone(stored, UNTIL_MS - 1)
    assert is_gone(stored, UNTIL_MS)
    assert table_state(stored, UNTIL_MS) is None


@pytest.mark.parametrize(
    ("status", "index_status", "during", "after"),
    [
        ("CREATING", "ACTIVE", "CREATING", "ACTIVE"),
        ("DELETING", "ACTIVE", "DELETING", "ACTIVE"),
        ("UPDATING", "ACTIVE", "ACTIVE", "ACTIVE"),
        ("UPDATING", "UPDATING", "UPDATING", "ACTIVE"),
        ("UPDATING", "DELETING", "DELETING", None),
        ("UPDATING", "CREATING", "CREATING", "CREATING"),
    ],
)
def test_an_index_shares_the_time_of_its_table(
    status: Any, index_status: Any, during: Any, after: Any
) -> None:
    """But for one that is CREATING, which waits until it is filled."""
    stored = table(status, index_status)
    (index,) = stored.indexes
    assert index_state(stored, index, UNTIL_MS - 1) == during
    if status != "DELETING":
        assert index_state(stored, index, UNTIL_MS) == after
        assert [i.status for i in settled(stored, UNTIL_MS).indexes] == ([after] if after else [])


def test_what_is_not_over_is_not_settled() -> None:
    """Before its time a table stays as it is; after it, it is ACTIVE for good."""
    stored = replace(table("UPDATING", "DELETING"), stream_changing=True)
    assert settled(stored, UNTIL_MS - 1) == stored
    after = settled(stored, UNTIL_MS)
    assert (after.status, after.indexes, after.stream_changing) == ("ACTIVE", [], False)


def test_without_a_delay_a_state_is_shown_and_not_stored() -> None:
    """The answer tells UPDATING; what is stored is ACTIVE."""
    shown, stored = entering(table("ACTIVE", "DELETING"), "UPDATING", 5000, 0)
    assert table_state(shown, 5000) == "UPDATING"
    assert (stored.status, stored.indexes) == ("ACTIVE", [])
    shown, stored = entering(table("ACTIVE"), "UPDATING", 5000, 10)
    assert shown == stored
    assert table_state(stored, 5009) == "UPDATING"
    assert table_state(stored, 5010) == "ACTIVE"
