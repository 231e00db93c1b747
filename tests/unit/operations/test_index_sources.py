"""Which index a request reads, and when it cannot: whatever the state of the index."""

from typing import Any

import pytest
from msgspec.structs import replace

from penstock.base.errors.api import ApiError
from penstock.operations.dynamodb.pages import source_of
from penstock.tables.catalog import table_of
from penstock.tables.index import IndexStatus
from unit.tables.indexed_table import INDEXES, descriptor_with

CONSISTENT = {"ConsistentRead": True}


def source_in(status: IndexStatus, name: str, **request: Any) -> Any:
    """Return the source of a request that names an index, while the index is in `status`."""
    indexes = [replace(each, status=status if each.name == name else "ACTIVE") for each in INDEXES]
    return source_of(table_of(descriptor_with(indexes)), {"IndexName": name, **request})


def refusal(status: IndexStatus, name: str, **request: Any) -> str | None:
    """Return the text with which such a request is refused."""
    with pytest.raises(ApiError) as refused:
        source_in(status, name, **request)
    assert refused.value.code == "ValidationException"
    return refused.value.message


@pytest.mark.parametrize("status", ["ACTIVE", "UPDATING"])
def test_an_index_is_read_while_it_is_whole(status: IndexStatus) -> None:
    for index in INDEXES:
        source = source_in(status, index.name)
        assert source.index is not None
        assert (source.index.name, source.schema) == (index.name, index.key_schema)


def test_an_index_that_is_not_filled_cannot_be_read() -> None:
    text = "Cannot read from backfilling global secondary index: keys"
    assert refusal("CREATING", "keys") == text
    consistent = "Consistent reads are not supported on global secondary indexes"
    assert refusal("CREATING", "keys", **CONSISTENT) == consistent


def test_an_index_that_goes_is_gone() -> None:
    text = "The table does not have the specified index: keys"
    assert refusal("DELETING", "keys") == text
    assert refusal("DELETING", "keys", **CONSISTENT) == text


def test_local_indexes_may_be_read_consistently_and_global_ones_never() -> None:
    for index in INDEXES:
        if index.kind == "LOCAL":
            assert source_in("ACTIVE", index.name, **CONSISTENT).index is not None
        else:
            refusal("ACTIVE", index.name, **CONSISTENT)
        assert source_in("ACTIVE", index.name, ConsistentRead=False).index is not None


def test_a_request_without_an_index_reads_the_table() -> None:
    table = table_of(descriptor_with(INDEXES))
    source = source_of(table, CONSISTENT)
    assert (source.index, source.schema) == (None, table.schema)
