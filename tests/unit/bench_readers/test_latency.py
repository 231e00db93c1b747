"""The latency from an acknowledged write to its receipt."""

import pytest

from bench.filling import create_table, mark
from bench.latency import Latencies, Written, latencies, measure
from bench.raw_client import ServerError
from unit.bench_readers.serving import HOST

TAG = b"t12345"


def page(*numbers: int, tag: bytes = TAG) -> bytes:
    return b",".join(b'{"mark":{"S":"%b"}}' % mark(number, tag) for number in numbers)


def test_a_latency_is_the_first_receipt_less_the_acknowledgement() -> None:
    written = Written([1_000_000, 2_000_000, 9_000_000], seconds=0.5)
    received = [(3_000_000, page(0)), (5_000_000, page(1, 0)), (8_500_000, page(2, 1))]
    assert latencies(written, received, TAG) == Latencies(
        median_ms=2.0,
        p99_ms=3.0,
        count=3,
        early_share=1 / 3,
        writes_per_second=6.0,
    )


def test_marks_of_another_run_are_passed_by() -> None:
    written = Written([1_000_000], seconds=1.0)
    received = [(2_000_000, page(0, tag=b"t99999")), (4_000_000, page(0))]
    assert latencies(written, received, TAG).median_ms == 3.0


def test_a_record_that_did_not_come_is_told() -> None:
    with pytest.raises(ServerError, match="1 records did not come, the first of item 1"):
        latencies(Written([1, 1], 1.0), [(2, page(0))], TAG)


def test_every_write_is_acknowledged_and_received(port: int) -> None:
    create_table(HOST, port, "latency", streamed=True)
    for _ in range(2):  # the second replaces the items of the first
        measured = measure(HOST, port, "latency", rate=200, seconds=0.5)
        assert measured.count == 100
        assert measured.median_ms <= measured.p99_ms < 20_000
        assert 0 <= measured.early_share <= 1


def test_more_than_the_server_can_do_is_written_all_the_same(port: int) -> None:
    create_table(HOST, port, "too-much", streamed=True)
    measured = measure(HOST, port, "too-much", rate=100_000, seconds=0.005)
    assert measured.count == 500
    assert measured.writes_per_second < 100_000
