"""Lineage: how the shards of a table's stream succeed one another, by rolling and by splitting.

A shard that rolls has one child. A shard that splits has two, and so has the partition behind it:
each takes one half of its range of hashes. Parent and children change in one transaction, together
with the table's descriptor, so that a writer that knows only the parent finds that its table has
changed and prepares its write anew. Hence an item's changes are in one shard after the other, and
whoever finds a shard closed finds its children too.
"""

from collections.abc import Callable, Mapping, Sequence

from msgspec.structs import replace

from penstock.base import limits
from penstock.base.errors import dynamodb, streams
from penstock.storage.waist import Reader, Transaction
from penstock.streams.stream import (
    Shard,
    ShardNumber,
    Stream,
    Succession,
    find_stream,
    shards_of,
    succeed,
    trim_shard,
    visible_shards,
)
from penstock.tables.catalog import (
    check_current,
    find_table,
    locks_of_both,
    replace_table,
    table_of,
)
from penstock.tables.descriptor import Descriptor, OpenStream, Table
from penstock.tables.state import is_gone
from penstock.tables.tables import Tables, until_current

Plan = Mapping[int, int]
"""How many children the open shard of each partition gets, by the partition's place: 1 or 2."""
Choose = Callable[[Table, Sequence[Shard]], Plan]
"""Makes a plan for a table and the shards of its stream, closed ones among them."""


async def roll_shards(
    tables: Tables, region: str, name: str, shard_id: str | None = None
) -> list[Succession]:
    """Close the open shards of a table's stream, or the one named, and open a child of each.

    Raises ResourceNotFoundException for a table or shard that is not there, ValidationException for
    a table without a stream and for a shard that is closed.
    """

    def choose(table: Table, shards: Sequence[Shard]) -> Plan:
        places = range(len(table.partitions))
        return dict.fromkeys(places if shard_id is None else [_place(table, shards, shard_id)], 1)

    return await replace_shards(tables, region, name, choose)


async def split_shard(
    tables: Tables, region: str, name: str, shard_id: str | None = None
) -> Succession:
    """Close an open shard of a table's stream, and open two children with half of its items each.

    Without `shard_id` it is the one with the widest range of hashes, of several the lowest. Raises
    what `roll_shards` does, and ValidationException where the table has no room for another shard.
    """

    def choose(table: Table, shards: Sequence[Shard]) -> Plan:
        if shard_id is not None:
            return {_place(table, shards, shard_id): 2}
        ranges = map(table.descriptor.range_of, range(len(table.partitions)))
        widths = [high - low for low, high in ranges]
        return {widths.index(max(widths)): 2}

    (succession,) = await replace_shards(tables, region, name, choose)
    return succession


async def replace_shards(
    tables: Tables, region: str, name: str, choose: Choose
) -> list[Succession]:
    """Let the open shards that `choose` picks be succeeded, all in one transaction.

    Raises what `roll_shards` and `split_shard` raise.
    """

    async def attempt() -> list[Succession]:
        now_ms = tables.clock.now_ms()

        def look(reader: Reader) -> tuple[Table, list[Shard]]:
            table = _streamed_table(reader, region, name, now_ms)
            return table, _shards(reader, table)[1]

        table, shards = tables.read(look)  # in one view: the table names the shards that are open
        plan = choose(table, visible_shards(shards, now_ms))
        if not plan:
            return []
        descriptor, numbers = _replaced(table.descriptor, plan)
        new = table_of(descriptor)

        def work(txn: Transaction) -> list[Succession]:
            replace_table(txn, table, new)
            stream, shards = _shards(txn, table)
            parents = [shard for shard in shards if shard.number in numbers]
            return [
                succeed(txn, stream, parent, numbers[parent.number], now_ms) for parent in parents
            ]

        return await tables.engine.transact(work, locks=locks_of_both(table, new))

    return await until_current(attempt)


async def trim_shards(
    tables: Tables, region: str, name: str, shard_id: str | None = None
) -> list[Shard]:
    """Let nothing be read any more that a table's stream holds now, or one shard of it.

    It is the same stream as `roll_shards` takes, with its closed shards. Raises what that raises,
    but for a closed shard.
    """

    async def attempt() -> list[Shard]:
        now_ms = tables.clock.now_ms()
        table = tables.read(lambda reader: _streamed_table(reader, region, name, now_ms))

        def work(txn: Transaction) -> list[Shard]:
            check_current(txn, table)
            stream, shards = _shards(txn, table)
            return [
                trim_shard(txn, stream, shard)
                for shard in visible_shards(shards, now_ms)
                if shard_id in (None, shard.id)
            ]

        trimmed = await tables.engine.transact(work, locks=table.locks)
        if not trimmed:
            raise streams.shard_not_found()
        return trimmed

    return await until_current(attempt)


def _replaced(
    descriptor: Descriptor, plan: Plan
) -> tuple[Descriptor, dict[ShardNumber, tuple[ShardNumber, ...]]]:
    """Return the table as `plan` makes it, and the numbers of the children of each shard.

    The highest number that was ever given out is that of an open shard: only it is replaced by a
    higher one.
    """
    opened = _opened(descriptor)
    number = max(opened.shards)
    lows: list[int] = []
    shards: list[ShardNumber] = []
    numbers: dict[ShardNumber, tuple[ShardNumber, ...]] = {}
    for place, number_before in enumerate(opened.shards):
        low, high = descriptor.range_of(place)
        children = plan.get(place, 0)
        if children > high - low:
            raise dynamodb.validation("The shard is too narrow to be split")
        given = tuple(range(number + 1, number + 1 + children))
        number += children
        lows += [low] if children < 2 else [low, (low + high) // 2]
        shards += given or (number_before,)
        if given:
            numbers[number_before] = given
    if len(lows) > limits.shards_per_table_max:
        raise dynamodb.validation(
            f"A table's stream has at most {limits.shards_per_table_max} open shards"
        )
    stream = replace(opened, shards=shards)
    return replace(descriptor, partitions=lows, stream=stream), numbers


def _streamed_table(reader: Reader, region: str, name: str, now_ms: int) -> Table:
    """Return the table of that name, which has an open stream."""
    table = find_table(reader, region, name)
    if table is None or is_gone(table.descriptor, now_ms):
        raise dynamodb.table_not_found(name)
    if table.descriptor.stream is None:
        raise dynamodb.validation(f"Table has no enabled stream: TableName: {name}")
    return table


def _opened(descriptor: Descriptor) -> OpenStream:
    assert descriptor.stream is not None  # `_streamed_table`
    return descriptor.stream


def _shards(reader: Reader, table: Table) -> tuple[Stream, list[Shard]]:
    """Return the open stream of `table` and all its shards, in the order of their ids."""
    stream = find_stream(reader, _opened(table.descriptor).arn)
    assert stream is not None  # what a table's descriptor names is there while it does
    return stream, shards_of(reader, stream)


def _place(table: Table, shards: Sequence[Shard], shard_id: str) -> int:
    """Return the place of the partition whose changes go to the shard of that id."""
    shard = next((shard for shard in shards if shard.id == shard_id), None)
    if shard is None:
        raise streams.shard_not_found()
    if shard.end is not None:
        raise dynamodb.validation(f"The shard is closed: {shard_id}")
    return _opened(table.descriptor).shards.index(shard.number)
