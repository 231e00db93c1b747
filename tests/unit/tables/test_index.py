"""Indexes: whatever is written, each holds just what it projects of the items that have its key."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from penstock.base import limits
from penstock.base.errors.api import ApiError
from penstock.items.keys import ItemKey
from penstock.items.sizes import item_bytes
from penstock.items.values import Item
from penstock.storage.format import unpack
from penstock.storage.waist import Reader, Transaction
from penstock.tables.count import Count
from penstock.tables.index import check_indexed
from penstock.tables.write import index_count, table_count
from unit.tables.indexed_table import INDEXES, IndexedTable, changes, plain

LATE = replace(next(index for index in INDEXES if index.name == "keys"), status="CREATING")
G: Item = {"g": {"S": "a"}, "h": {"N": "1"}, "b": {"B": "AA=="}}


@settings(max_examples=60)
@given(changes)
def test_an_index_is_the_projection_of_the_table(steps: list[tuple[str, str, Any]]) -> None:
    """After any changes: entries, their counts and bytes, and the sizes of item collections."""
    store = IndexedTable()
    for pk, sk, attributes in steps:
        store.change(pk, sk, attributes)
    for name in store.table.indexes:
        entries, wanted = store.entries(name), store.wanted(name)
        assert sorted(map(plain, entries)) == sorted(map(plain, wanted))
        assert count_of(store, name) == (len(wanted), sum(map(item_bytes, wanted)))
    count = store.engine.snapshot(lambda reader: table_count(reader, store.table))
    assert count == (len(store.items), sum(map(item_bytes, store.items.values())))
    for pk, size in store.collection_sizes():
        sk = next(sk for p, sk in store.items if p == pk)
        item = store.items[pk, sk]
        unchanged = store.change(pk, sk, {k: v for k, v in item.items() if k not in {"p", "s"}})
        assert unchanged.collection == ({"p": {"S": pk}}, size)


@settings(max_examples=20)
@given(changes)
def test_a_table_emptied_leaves_nothing(steps: list[tuple[str, str, Any]]) -> None:
    """No entry, count or size stays behind that a later table or item would meet."""
    store = IndexedTable()
    for pk, sk, attributes in steps:
        store.change(pk, sk, attributes)
    for pk, sk in list(store.items):
        assert store.change(pk, sk, None).new is None

    def rows(reader: Reader) -> list[bytes]:
        spans = store.table.followers
        return [value for span in spans for _, value in reader.scan(span, 100)]

    assert [value for value in store.engine.snapshot(rows) if any(unpack(value))] == []


def sizes(change: Any) -> dict[str, tuple[int | None, int | None, bool]]:
    """Return what a change did to each index that it touched."""
    return {each.index.name: (each.old_size, each.new_size, each.moved) for each in change.indexes}


def test_what_a_change_did_to_an_index() -> None:
    """Made, made larger, moved, gone; what is not projected or stays as it is touches none."""
    store = IndexedTable([index for index in INDEXES if index.name == "some"])
    keys = 1 + 1 + 1 + 2 + 1 + 1 + 1 + 2  # p, s, g and h with their values
    assert sizes(store.change("p", "1", {})) == {}
    assert sizes(store.change("p", "1", G)) == {"some": (None, keys, False)}
    assert sizes(store.change("p", "1", G)) == {}
    assert sizes(store.change("p", "1", {**G, "y": {"S": "y"}})) == {}
    larger = {**G, "x": {"S": "xx"}}
    assert sizes(store.change("p", "1", larger)) == {"some": (keys, keys + 3, False)}
    moved = {**larger, "h": {"N": "2"}}
    assert sizes(store.change("p", "1", moved)) == {"some": (keys + 3, keys + 3, True)}
    del moved["h"]
    assert sizes(store.change("p", "1", moved)) == {"some": (keys + 3, None, False)}
    assert sizes(store.change("p", "1", None)) == {}
    assert store.entries("some") == []


def test_an_unchanged_item_writes_nothing_to_its_indexes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even an entry as it is."""
    store = IndexedTable()
    store.change("p", "1", G)
    for index in store.table.indexes.values():
        monkeypatch.setattr(type(index), "update", lambda *_: pytest.fail("was asked to follow"))
    change = store.change("p", "1", G)
    assert (change.indexes, change.old == change.new) == ((), True)


def test_an_item_that_an_index_cannot_take_changes_nothing() -> None:
    store = IndexedTable()
    store.change("p", "1", G)
    before = {name: store.entries(name) for name in store.table.indexes}
    for wrong in ({"S": "1"}, {"N": "1"}):
        name = "h" if "S" in wrong else "g"
        with pytest.raises(ApiError) as refused:
            store.change("p", "1", {**G, name: wrong})
        assert "Type mismatch for Index Key" in (refused.value.message or "")
    assert {name: store.entries(name) for name in store.table.indexes} == before


def test_the_first_index_by_name_is_told() -> None:
    """Whatever the order in which indexes were made."""
    indexes = IndexedTable().table.indexes
    assert list(indexes) != sorted(indexes)
    with pytest.raises(ApiError) as refused:
        check_indexed(indexes, {"g": {"N": "1"}, "h": {"S": "1"}}, 6)
    assert (refused.value.message or "").endswith("IndexName: keys")


def test_an_item_and_its_entry_in_a_local_index_have_400_kb_together() -> None:
    """What a local index does not hold of the item counts once, and global ones not at all."""
    store = IndexedTable()
    half = "x" * (limits.item_bytes_max // 2 - 20)
    held, not_held = {"g": {"S": "a"}, "x": {"S": half}}, {"h": {"N": "1"}, "x": {"S": half * 2}}
    store.change("p", "1", held)
    store.change("p", "2", not_held)
    with pytest.raises(ApiError) as refused:
        store.change("p", "1", {**held, "y": {"S": "y" * 50}})
    assert refused.value.message == "Item size to update has exceeded the maximum allowed size"
    item = {**held, "p": {"S": "p"}, "s": {"N": "1"}, "y": {"S": "y" * 50}}
    with pytest.raises(ApiError) as refused:
        check_indexed(store.table.indexes, item, item_bytes(item))
    assert refused.value.message == "Item size has exceeded the maximum allowed size"
    of_global = {**item, "g": {"S": "a"}}
    only_global = {name: i for name, i in store.table.indexes.items() if not i.is_local}
    check_indexed(only_global, of_global, item_bytes(of_global))


def test_an_item_collection_has_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the limit all is well; over it only what makes the collection smaller is taken."""
    store = IndexedTable()
    store.change("p", "1", G)
    size = dict(store.collection_sizes())["p"]
    monkeypatch.setattr(limits, "item_collection_bytes_max", size)
    assert store.change("q", "1", G).collection == ({"p": {"S": "q"}}, size)
    with pytest.raises(ApiError) as refused:
        store.change("p", "1", {**G, "x": {"S": ""}})
    assert refused.value.code == "ItemCollectionSizeLimitExceededException"
    assert [item for item in store.items.values() if "x" in item] == []
    monkeypatch.setattr(limits, "item_collection_bytes_max", 1)
    smaller = store.change("p", "1", {"g": G["g"]}).collection
    assert smaller is not None
    assert 1 < smaller.size < size


def test_a_table_without_local_indexes_keeps_no_collections(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "item_collection_bytes_max", 1)
    store = IndexedTable([index for index in INDEXES if index.kind == "GLOBAL"])
    assert store.change("p", "1", G).collection is None
    assert len(store.entries("many")) == 1


def test_filling_an_index_adds_what_is_missing_and_nothing_twice() -> None:
    """An item whose key attribute is of a wrong type, or too large, stays outside."""
    before, after = IndexedTable([]), IndexedTable([LATE])
    after.engine = before.engine
    before.change("p", "1", G)
    before.change("p", "2", {"g": {"N": "1"}})
    before.change("p", "3", {"g": {"S": "x" * 100_000}})
    before.change("p", "4", {})
    for _ in range(2):
        fill(after, "keys")
        assert after.entries("keys") == [{"g": {"S": "a"}, "p": {"S": "p"}, "s": {"N": "1"}}]
        assert count_of(after, "keys").items == 1


def test_writes_keep_an_index_that_is_not_filled_yet() -> None:
    """An item that was there before is moved, deleted or left, and counted once in the end."""
    before, after = IndexedTable([]), IndexedTable([LATE])
    after.engine = before.engine
    for sk in "1234":
        before.change("p", sk, G)
    after.items = before.items
    assert sizes(after.change("p", "1", {**G, "g": {"S": "b"}})) == {"keys": (None, 7, False)}
    assert sizes(after.change("p", "2", None)) == {}
    assert sizes(after.change("p", "3", {**G, "y": {"S": "y"}})) == {}
    fill(after, "keys")
    wanted = after.wanted("keys")
    assert sorted(map(plain, after.entries("keys"))) == sorted(map(plain, wanted))
    assert count_of(after, "keys") == (3, sum(map(item_bytes, wanted)))


def fill(store: IndexedTable, name: str) -> None:
    """Add every item of the table to the index of that name."""
    table, index = store.table, store.table.indexes[name]

    def work(txn: Transaction) -> None:
        for place, stored in txn.scan(table.items, 10):
            key = ItemKey.of_suffix(place.removeprefix(table.item_prefix))
            index.fill(txn, table.partition_of(key).place, key, stored)

    asyncio.run(store.engine.transact(work, locks=table.locks))


def count_of(store: IndexedTable, name: str) -> Count:
    """Return the count that is kept of the index of that name."""
    index = store.table.indexes[name]
    return store.engine.snapshot(lambda reader: index_count(reader, index))
