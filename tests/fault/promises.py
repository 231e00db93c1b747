"""Every promise of a stream and its table, held against a server that nobody else uses."""

from collections.abc import Iterable
from itertools import chain

from fault.load import StreamReader, Writer
from fault.observer import KEY, MARK, all_items, all_records
from fault.raw_client import RawClient
from penstock.testing.checkers import Write, lost_writes, wrong_fold, wrong_records


def writes_of(writers: Iterable[Writer]) -> list[Write]:
    """Return what `writers` were told; none of them had an answer that it should not have had."""
    known = list(writers)
    assert [failure for writer in known for failure in writer.failures] == []
    return list(chain.from_iterable(writer.writes for writer in known))


def check_promises(port: int, table: str, writes: list[Write], *readers: StreamReader) -> None:
    """Check the items and records of `table` against all its writes and what `readers` saw."""
    with RawClient(port) as client:
        by_shard = all_records(client, table)
        items = all_items(client, table)
    records = list(chain.from_iterable(by_shard.values()))
    assert lost_writes(writes, items, [KEY], MARK) == []
    assert wrong_records(writes, records, MARK) == []
    assert wrong_fold(records, items, [KEY]) == []
    for reader in readers:
        assert reader.wrong == []
        for shard, found in by_shard.items():
            assert reader.watch.read_again(shard, found) == []
