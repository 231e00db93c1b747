"""Items of the benchmark and how they are written; filling a table."""

import json
from typing import Any

import pytest

from bench import scale
from bench.draining import drain
from bench.filling import (
    ITEM_BYTES,
    ItemMaker,
    call_json,
    create_table,
    switch_stream_on,
    write_batches,
)
from bench.raw_client import RawClient, ServerError
from penstock.items.sizes import item_bytes
from unit.bench_readers.serving import HOST


def test_items_have_their_size_and_no_two_are_equal() -> None:
    maker = ItemMaker()
    items = [json.loads(maker.item(7, number, tag)) for number in (0, 99) for tag in (b"", b"t1")]
    assert {item_bytes(item) for item in items} == {ITEM_BYTES}
    assert {item["pk"]["S"] for item in items} == {"key-0000000007"}
    assert len({item["mark"]["S"] for item in items}) == 4


def test_a_table_is_filled_without_a_gap(port: int) -> None:
    scale.fill(HOST, port, "filled", 135)
    keys = sorted(item["pk"]["S"] for item in all_items(port, "filled"))
    assert keys == [f"key-{number:010}" for number in range(135)]


def test_a_stream_that_is_switched_on_afterwards_has_only_what_comes_then(port: int) -> None:
    scale.fill(HOST, port, "later", 50)
    arn = switch_stream_on(HOST, port, "later")
    write_batches(HOST, port, "later", range(50, 80), keys=50)
    assert drain(HOST, port, arn, readers=1).records == 30


def test_a_write_to_no_table_is_told(port: int) -> None:
    with pytest.raises(ServerError, match="ResourceNotFoundException"):
        write_batches(HOST, port, "missing", range(30), keys=50)


def test_a_table_that_is_there_is_not_made_again(port: int) -> None:
    create_table(HOST, port, "twice", streamed=False)
    with pytest.raises(ServerError, match="ResourceInUseException"):
        create_table(HOST, port, "twice", streamed=False)


def all_items(port: int, table: str) -> list[dict[str, Any]]:
    with RawClient(HOST, port) as client:
        page = call_json(client, "Scan", {"TableName": table})
    assert "LastEvaluatedKey" not in page
    items: list[dict[str, Any]] = page["Items"]
    return items
