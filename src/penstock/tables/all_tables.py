"""All tables of a store, whatever their region, for what goes through them beside the requests."""

from collections.abc import AsyncIterator

import msgspec

from penstock.storage.format import unpack
from penstock.storage.pages import all_rows
from penstock.storage.prefixes import Prefix
from penstock.storage.waist import Engine, Span
from penstock.tables.descriptor import Descriptor

_decode = msgspec.json.Decoder(Descriptor).decode


async def all_tables(engine: Engine) -> AsyncIterator[Descriptor]:
    """Yield what is stored of each table, some at a time, with room for requests in between.

    It passes by the cache of tables, which is there for those in use. What is made or changed
    meanwhile may be missed.
    """
    async for _, stored in all_rows(engine, Span.of_prefix(Prefix.TABLE.key)):
        yield _decode(unpack(stored))
