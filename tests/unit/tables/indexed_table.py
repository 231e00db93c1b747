"""A table with indexes of every kind in a memory engine, and random changes of its items."""

import asyncio
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from penstock.items.keys import KeyAttribute, item_key_for_lookup
from penstock.items.sizes import item_bytes
from penstock.items.values import Item
from penstock.storage.memory import MemoryEngine
from penstock.storage.waist import Reader, Transaction
from penstock.tables.catalog import table_of
from penstock.tables.descriptor import Descriptor, Table, even_partitions
from penstock.tables.index import Index, IndexDescriptor
from penstock.tables.read import read_page
from penstock.tables.source import Source
from penstock.tables.stored_item import StoredItem, stored_item
from penstock.tables.write import Change, Write, change_item
from penstock.testing.clock import FakeClock

_PARTITION_KEY, _SORT_KEY = KeyAttribute("p", "S"), KeyAttribute("s", "N")
_G, _H, _B = KeyAttribute("g", "S"), KeyAttribute("h", "N"), KeyAttribute("b", "B")


def _index(number: int, name: str, kind: Any, partition: Any, sort: Any, **more: Any) -> Any:
    return IndexDescriptor(
        name=name,
        number=number,
        kind=kind,
        arn=f"arn:{name}",
        partition_key=partition,
        sort_key=sort,
        **{"projection": "ALL", **more},
    )


INDEXES = [
    _index(10, "local", "LOCAL", [_PARTITION_KEY], [_H], projection="KEYS_ONLY"),
    _index(11, "local-all", "LOCAL", [_PARTITION_KEY], [_G]),
    _index(12, "keys", "GLOBAL", [_G], [], projection="KEYS_ONLY"),
    _index(13, "some", "GLOBAL", [_G], [_H], projection="INCLUDE", non_key_attributes=["x"]),
    _index(14, "many", "GLOBAL", [_G, _B], [_H, _SORT_KEY]),
    _index(15, "by-key", "GLOBAL", [_SORT_KEY], [_PARTITION_KEY]),
]


def descriptor_with(indexes: list[IndexDescriptor]) -> Descriptor:
    """Return a table with the keys `p` (S) and `s` (N), of four partitions, without a stream."""
    return Descriptor(
        name="abc",
        region="us-east-1",
        number=1,
        id="",
        arn="arn",
        created_ms=0,
        partition_key=_PARTITION_KEY,
        sort_key=_SORT_KEY,
        partitions=even_partitions(4),
        billing_mode="PAY_PER_REQUEST",
        read_units=0,
        write_units=0,
        indexes=indexes,
    )


class IndexedTable:
    """The table, its store, and the items that it ought to hold."""

    def __init__(self, indexes: list[IndexDescriptor] | None = None) -> None:
        self.table: Table = table_of(descriptor_with(INDEXES if indexes is None else indexes))
        self.engine = MemoryEngine(FakeClock(), rehearse=True)
        self.items: dict[tuple[str, str], Item] = {}

    def change(self, pk: str, sk: str, attributes: Item | None) -> Change:
        """Put an item with these attributes beside its key, or delete it."""
        keys: Item = {"p": {"S": pk}, "s": {"N": sk}}
        key = item_key_for_lookup(self.table.schema, keys)
        new = None if attributes is None else {**keys, **attributes}

        def decide(_old: StoredItem | None) -> StoredItem | None:
            return None if new is None else stored_item(new)

        write = Write(self.table, key, keys, decide)

        def work(txn: Transaction) -> Change:
            return change_item(txn, write)

        change = asyncio.run(self.engine.transact(work, locks=(write.partition.lock,)))
        self.items.pop((pk, sk), None)
        if new is not None:
            self.items[pk, sk] = new
        return change

    def source(self, name: str | None) -> Source:
        """Return the index of that name, or the table, as it is read."""
        return Source(self.table, None if name is None else self.table.indexes[name])

    def entries(self, name: str) -> list[Item]:
        """Return what the index holds, in its order."""
        span = self.table.indexes[name].entries

        def read(reader: Reader) -> list[Item]:
            return [entry.item() for entry in read_page(reader, span, None).items]

        return self.engine.snapshot(read)

    def wanted(self, name: str) -> list[Item]:
        """Return what the index ought to hold: what it projects of the items that have its key."""
        index = self.table.indexes[name]
        return [_projected(index, item) for item in self.items.values() if _is_in(index, item)]

    def collection_sizes(self) -> Iterator[tuple[str, int]]:
        """Yield how many bytes each item collection ought to have."""
        for pk in {pk for pk, _ in self.items}:
            size = sum(item_bytes(item) for (p, _), item in self.items.items() if p == pk)
            for name, index in self.table.indexes.items():
                if index.is_local:
                    size += sum(
                        item_bytes(item) for item in self.wanted(name) if item["p"] == {"S": pk}
                    )
            yield pk, size


def _is_in(index: Index, item: Item) -> bool:
    return all(kind in item.get(name, {}) for name, kind in index.schema.attributes)


def _projected(index: Index, item: Item) -> Item:
    wanted = {*index.schema.names, "p", "s", *index.descriptor.non_key_attributes}
    whole = index.descriptor.projection == "ALL"
    return {name: value for name, value in item.items() if whole or name in wanted}


def plain(item: Item) -> str:
    """Return a text that is the same for equal items."""
    return repr(sorted(item.items()))


partition_keys = st.sampled_from(["p", "q", "\x00"])
sort_keys = st.sampled_from(["-1", "0", "2", "10"])
attributes = st.fixed_dictionaries(
    {},
    optional={
        "g": st.sampled_from([{"S": text} for text in ("a", "a\x00", "b")]),
        "h": st.sampled_from([{"N": text} for text in ("-5", "0", "3", "30")]),
        "b": st.sampled_from([{"B": "AA=="}, {"B": "AAE="}, {"B": "/w=="}]),
        "x": st.sampled_from([{"S": "x"}, {"L": []}]),
        "y": st.just({"S": "y" * 10}),
    },
)
changes = st.lists(
    st.tuples(partition_keys, sort_keys, st.none() | attributes | attributes | attributes),
    max_size=30,
)
