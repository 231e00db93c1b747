"""All tables of a store, whatever their region, for what goes through them beside the requests."""

import asyncio
from collections.abc import AsyncIterator

import msgspec

from penstock.base.limits import all_tables_rows_max
from penstock.storage.format import unpack
from penstock.storage.prefixes import Prefix
from penstock.storage.waist import Engine, Reader, Span
from penstock.tables.descriptor import Descriptor

_decode = msgspec.json.Decoder(Descriptor).decode


async def all_tables(engine: Engine) -> AsyncIterator[Descriptor]:
    """Yield what is stored of each table, some at a time, with room for requests in between.

    It passes by the cache of tables, which is there for those in use. What is made or changed
    meanwhile may be missed.
    """
    span = Span.of_prefix(Prefix.TABLE.key)
    more = True
    while more:

        def page(reader: Reader, span: Span = span) -> list[tuple[bytes, bytes]]:
            return reader.scan(span, all_tables_rows_max)

        rows = engine.snapshot(page)
        for _, stored in rows:
            yield _decode(unpack(stored))
        more = len(rows) == all_tables_rows_max
        if more:
            span = Span(rows[-1][0] + b"\x00", span.end)
            await asyncio.sleep(0)
