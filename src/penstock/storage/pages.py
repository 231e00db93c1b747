"""Reading all of a span beside the requests: some rows at a time, with room for others between."""

import asyncio
from collections.abc import AsyncIterator

from penstock.base.limits import background_rows_max
from penstock.storage.waist import Engine, Reader, Span


async def all_rows(engine: Engine, span: Span) -> AsyncIterator[tuple[bytes, bytes]]:
    """Yield the pairs of `span` in key order.

    Each page is a durable view of its own: what is written meanwhile may be missed.
    """
    more = True
    while more:

        def page(reader: Reader, span: Span = span) -> list[tuple[bytes, bytes]]:
            return reader.scan(span, background_rows_max)

        rows = engine.snapshot(page)
        for row in rows:
            yield row
        more = len(rows) == background_rows_max
        if more:
            span = Span(rows[-1][0] + b"\x00", span.end)
            await asyncio.sleep(0)
