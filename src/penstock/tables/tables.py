"""Tables as the operations use them: found by name, changed in transactions, read in views.

What a transaction does is prepared outside it, from a view of the tables, and checked inside: where
a table has changed meanwhile, the whole is prepared anew.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

from penstock.base import limits
from penstock.base.clock import Clock
from penstock.base.errors import dynamodb
from penstock.base.errors.engine import EngineUnavailable
from penstock.base.ids import Entropy
from penstock.storage.waist import Engine, Lock, Reader, Transaction
from penstock.tables.catalog import NUMBER_LOCK, StaleTable, check_current, find_table, next_number
from penstock.tables.claims import Claims
from penstock.tables.descriptor import Table
from penstock.tables.index import Index
from penstock.tables.load import Load
from penstock.tables.state import is_gone, is_usable
from penstock.tables.throughput import Side, Throughput
from penstock.tables.write import Change, Write, change_item

T = TypeVar("T")


class Tables:
    """The tables of one store."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        entropy: Entropy,
        account: str,
        throughput: Throughput | None = None,
    ) -> None:
        self.engine = engine
        self.clock = clock
        self.entropy = entropy
        self.account = account
        self.claims = Claims()
        self.throughput = throughput
        self.load = Load()

    def find(self, region: str, name: str) -> Table | None:
        """Return the table of that name in whatever state, or None."""
        table = self.engine.snapshot(lambda reader: find_table(reader, region, name))
        if table is None or table.descriptor.status == "ACTIVE":
            return table
        return None if is_gone(table.descriptor, self.clock.now_ms()) else table

    def table(self, region: str, name: str) -> Table:
        """Return the table of that name, whose items can be read and written.

        Raises the data plane's ResourceNotFoundException where there is none.
        """
        table = self.engine.snapshot(lambda reader: find_table(reader, region, name))
        if table is None:
            raise dynamodb.resource_not_found()
        descriptor = table.descriptor
        if descriptor.status != "ACTIVE" and not is_usable(descriptor, self.clock.now_ms()):
            raise dynamodb.resource_not_found()
        return table

    def read(self, work: Callable[[Reader], T]) -> T:
        """Run `work` on a consistent and durable view of the store."""
        return self.engine.snapshot(work)

    def check_read(self, table: Table, index: Index | None = None) -> None:
        """Raise the error of a table or index whose throughput is used up, where that is limited.

        ProvisionedThroughputExceededException, or ThrottlingException for an on-demand maximum.
        """
        if self.throughput is not None:
            self.throughput.check_read(table, index)

    def without_throughput(self, tables: Iterable[Table], side: Side) -> set[bytes]:
        """Return the keys of those of `tables` that have no throughput left, of what is limited.

        Raises the error of one where that are all.
        """
        return set() if self.throughput is None else self.throughput.refused(tables, side)

    def guarded(self, write: Write) -> Write:
        """Return `write` with a decision that refuses where throughput is limited and used up."""
        throughput = self.throughput
        if throughput is None or write.by_service:
            return write
        decide = throughput.guarded(write.table, write.key, write.decide)
        return Write(write.table, write.key, write.keys, decide)

    async def next_number(self) -> int:
        """Give out a number that no table, index or stream had before."""
        return (await self.next_numbers(1))[0]

    async def next_numbers(self, count: int) -> list[int]:
        """Give out `count` such numbers."""
        return await self.engine.transact(
            lambda txn: [next_number(txn) for _ in range(count)], locks=(NUMBER_LOCK,)
        )

    async def change_one(self, region: str, name: str, prepare: Callable[[Table], Write]) -> Change:
        """Make the one write that `prepare` makes of the table of that name; as `change`."""
        for _ in range(limits.transaction_attempts_max):
            write = self.guarded(prepare(self.table(region, name)))
            if self.claims.items and not write.by_service:
                self.claims.check_free((write.place,))
            partition = write.partition
            try:
                change = await self.engine.transact(
                    write.alone, locks=partition.locks, reads=(write.place,)
                )
            except StaleTable:
                continue
            if change.new is not change.old:
                self.load.note(partition, write.key)
            return change
        raise _never_current()

    async def change(
        self,
        region: str,
        names: Sequence[str],
        prepare: Callable[[Sequence[Table]], Sequence[Write]],
    ) -> list[Change]:
        """Make the writes that `prepare` makes of the tables of `names`, all in one transaction.

        Returns their changes in order. Raises what `prepare` and the decisions raise, and
        TransactionConflictException where a client's write meets a transaction; then nothing is
        written.
        """

        async def attempt() -> list[Change]:
            tables = [self.table(region, name) for name in names]
            writes = [self.guarded(write) for write in prepare(tables)]
            places = [write.place for write in writes]
            if self.claims.items:
                self.claims.check_free([write.place for write in writes if not write.by_service])

            def work(txn: Transaction) -> list[Change]:
                check_all_current(txn, writes)
                return [change_item(txn, write) for write in writes]

            changes = await self.engine.transact(work, locks=locks_of(writes), reads=places)
            self.note_load(writes, changes)
            return changes

        return await until_current(attempt)

    def note_load(self, writes: Sequence[Write], changes: Sequence[Change]) -> None:
        """Count what `writes` changed as load of the shards that took it in."""
        for write, change in zip(writes, changes, strict=True):
            if change.new is not change.old:
                self.load.note(write.partition, write.key)


async def until_current(attempt: Callable[[], Awaitable[T]]) -> T:
    """Return what `attempt` returns, trying anew while it meets a table that has changed."""
    for _ in range(limits.transaction_attempts_max):
        try:
            return await attempt()
        except StaleTable:
            continue
    raise _never_current()


def _never_current() -> EngineUnavailable:
    return EngineUnavailable("a table was changed again and again while it was written to")


def check_all_current(txn: Transaction, writes: Sequence[Write]) -> None:
    """Raise StaleTable unless the tables that `writes` write to are as they were."""
    for table in {write.table.key: write.table for write in writes}.values():
        check_current(txn, table)


def locks_of(writes: Sequence[Write]) -> tuple[Lock, ...]:
    """Return the locks of the partitions that `writes` write to, each once."""
    held = {write.partition.lock.name: write.partition.lock for write in writes}
    return tuple(held.values())
