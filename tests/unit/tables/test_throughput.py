"""Token buckets over a clock: what is left of a table's throughput, and what is refused."""

from msgspec.structs import replace

from penstock.base import limits
from penstock.tables.catalog import table_of
from penstock.tables.descriptor import Table
from penstock.tables.provision import Maxima
from penstock.tables.throughput import Throughput
from penstock.testing.clock import FakeClock
from unit.tables.tables_in_memory import NAME, REGION, tables_in_memory

SECOND_MS = 1000


def table_with(
    number: int = 1, read: int = 0, write: int = 0, maxima: Maxima | None = None
) -> Table:
    """Return a table with this throughput, or on-demand with these maxima."""
    some = tables_in_memory(FakeClock()).table(REGION, NAME).descriptor
    return table_of(
        replace(
            some,
            number=number,
            billing_mode="PROVISIONED" if maxima is None else "PAY_PER_REQUEST",
            read_units=read,
            write_units=write,
            maxima=maxima or Maxima(),
        )
    )


def test_what_is_taken_comes_back_at_the_rate_of_the_table() -> None:
    """Half a second of 10 units gives 5 back, and a level of zero lets nothing through."""
    clock = FakeClock()
    throughput, table = Throughput(clock), table_with(read=10, write=10)
    throughput.take(table, "read", 15.0, {})
    assert throughput.refusal(table, "write") is None, "reads and writes are apart"
    clock.advance(SECOND_MS // 2)
    assert throughput.refusal(table, "read") is not None
    clock.advance(1)
    assert throughput.refusal(table, "read") is None


def test_no_more_than_300_seconds_are_kept() -> None:
    """A bucket that was left alone for an hour holds what five minutes bring."""
    clock = FakeClock()
    throughput, table = Throughput(clock), table_with(write=2)
    assert throughput.refusal(table, "write") is None
    clock.advance(3600 * SECOND_MS)
    throughput.take(table, "write", 2.0 * limits.throughput_burst_seconds - 0.5, {})
    assert throughput.refusal(table, "write") is None
    throughput.take(table, "write", 0.5, {})
    assert throughput.refusal(table, "write") is not None


def test_a_maximum_keeps_one_second_and_only_what_has_one_is_limited() -> None:
    """An on-demand table has a limit on the side where it has a maximum."""
    clock = FakeClock()
    throughput, table = Throughput(clock), table_with(maxima=Maxima(read=5))
    clock.advance(3600 * SECOND_MS)
    throughput.take(table, "read", 5.0, {})
    refusal = throughput.refusal(table, "read")
    assert refusal is not None
    assert refusal.code == "ThrottlingException"
    throughput.take(table, "write", 1e9, {})
    assert throughput.refusal(table, "write") is None


def test_the_wall_clock_may_step() -> None:
    """Buckets follow the time that passes, not what it is called."""
    clock = FakeClock()
    throughput, table = Throughput(clock), table_with(read=1)
    throughput.take(table, "read", 2.0, {})
    clock.set(clock.now_ms() + 3600 * SECOND_MS)
    assert throughput.refusal(table, "read") is not None


def test_buckets_are_no_more_than_their_limit() -> None:
    """The oldest gives way; its table begins anew with a second of units."""
    throughput = Throughput(FakeClock())
    for number in range(limits.throughput_buckets_max + 10):
        throughput.take(replaced(number), "read", 5.0, {})
    assert len(throughput._buckets) == limits.throughput_buckets_max
    assert throughput.refusal(replaced(0), "read") is None
    assert throughput.refusal(replaced(limits.throughput_buckets_max), "read") is not None


_SOME = table_with(read=1)


def replaced(number: int) -> Table:
    """Return a table of that number with one read unit."""
    _SOME.descriptor = replace(_SOME.descriptor, number=number)
    return _SOME
