"""Pages of items: what they ask of the store."""

import asyncio

from penstock.base import limits
from penstock.storage.memory import MemoryEngine
from penstock.storage.waist import Lock, Reader, Span, Transaction
from penstock.tables.read import ItemPage, read_page
from penstock.tables.stored_item import pack_item, stored_item
from penstock.testing.clock import FakeClock
from unit.noting_reader import NotingReader

_ITEMS = 500
_SPAN = Span.of_prefix(b"item/")


def test_a_page_never_asks_for_many_rows_at_once() -> None:
    """Small items say nothing of the size of those behind them."""
    stored = stored_item({"pk": {"S": "a"}})
    assert stored is not None
    value = pack_item(stored)

    def fill(txn: Transaction) -> None:
        for number in range(_ITEMS):
            txn.set(b"item/%03d" % number, value)

    engine = MemoryEngine(FakeClock())
    asyncio.run(engine.transact(fill, locks=(Lock(b"items", (_SPAN,)),)))
    asked: list[int] = []

    def read(reader: Reader) -> ItemPage:
        return read_page(NotingReader(reader, asked), _SPAN, None)

    assert engine.snapshot(read).scanned == _ITEMS
    assert max(asked) == limits.scan_rows_max
    engine.close()
