"""Tables as the operations use them: found by name, changed in transactions, read in views.

What a transaction does is prepared outside it, from a view of the tables, and checked inside: where
a table has changed meanwhile, the whole is prepared anew.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar

from penstock.base import limits
from penstock.base.clock import Clock
from penstock.base.errors import dynamodb
from penstock.base.errors.engine import EngineUnavailable
from penstock.base.ids import Entropy
from penstock.items.keys import ItemKey
from penstock.items.values import Item
from penstock.storage.waist import Engine, Lock, Reader, Transaction
from penstock.tables.catalog import NUMBER_LOCK, StaleTable, check_current, find_table, next_number
from penstock.tables.claims import Claims
from penstock.tables.descriptor import Table
from penstock.tables.index import Index
from penstock.tables.load import Load
from penstock.tables.state import is_gone, is_usable
from penstock.tables.throughput import Side, Throughput
from penstock.tables.write import Change, Decide, change_item

T = TypeVar("T")


class Write(NamedTuple):
    """One item to be changed: where it is, and the pure decision what becomes of it."""

    table: Table
    key: ItemKey
    keys: Item
    decide: Decide
    by_service: bool = False


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

    def guarded(self, writes: Sequence[Write]) -> Sequence[Write]:
        """Return `writes` with decisions that refuse where throughput is limited and used up."""
        throughput = self.throughput
        if throughput is None:
            return writes
        return [
            write
            if write.by_service
            else write._replace(decide=throughput.guarded(write.table, write.key, write.decide))
            for write in writes
        ]

    async def next_number(self) -> int:
        """Give out a number that no table, index or stream had before."""
        return (await self.next_numbers(1))[0]

    async def next_numbers(self, count: int) -> list[int]:
        """Give out `count` such numbers."""
        return await self.engine.transact(
            lambda txn: [next_number(txn) for _ in range(count)], locks=(NUMBER_LOCK,)
        )

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
            writes = self.guarded(prepare(tables))
            if self.claims.items:
                self.claims.check_free(places_of([w for w in writes if not w.by_service]))

            def work(txn: Transaction) -> list[Change]:
                for table in tables:
                    check_current(txn, table)
                return [make_change(txn, write) for write in writes]

            changes = await self.engine.transact(
                work, locks=locks_of(writes), reads=places_of(writes)
            )
            self.note_load(writes, changes)
            return changes

        return await until_current(attempt)

    def note_load(self, writes: Sequence[Write], changes: Sequence[Change]) -> None:
        """Count what `writes` changed as load of the shards that took it in."""
        for write, change in zip(writes, changes, strict=True):
            if change.new is not change.old:
                self.load.note(write.table, write.key)


async def until_current(attempt: Callable[[], Awaitable[T]]) -> T:
    """Return what `attempt` returns, trying anew while it meets a table that has changed."""
    for _ in range(limits.transaction_attempts_max):
        try:
            return await attempt()
        except StaleTable:
            continue
    raise EngineUnavailable("a table was changed again and again while it was written to")


def make_change(txn: Transaction, write: Write) -> Change:
    """Make `write`, whose lock the transaction holds, and return what it changed."""
    table, key, keys, decide, by_service = write
    return change_item(txn, table, key, keys, decide, by_service=by_service)


def locks_of(writes: Sequence[Write]) -> tuple[Lock, ...]:
    """Return the locks of the partitions that `writes` write to, each once."""
    held = {lock.name: lock for lock in (w.table.partition_of(w.key).lock for w in writes)}
    return tuple(held.values())


def places_of(writes: Sequence[Write]) -> tuple[bytes, ...]:
    """Return the keys under which the items of `writes` are stored, in their order."""
    return tuple(write.table.item_key(write.key) for write in writes)
