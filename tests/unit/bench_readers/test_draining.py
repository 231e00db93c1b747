"""Filling a stream and draining it, against servers in this process."""

import pytest

from bench.draining import drain, draining, fill, next_iterator, pages, shard_ids
from bench.filling import call_json, create_table, stream_arn, write_batches
from bench.raw_client import RawClient, ServerError
from bench.workers import WorkFailed
from penstock.testing.server import RunningServer
from unit.bench_readers.answering import answering, with_length
from unit.bench_readers.serving import HOST, port_of


def test_a_filled_stream_holds_as_many_records_as_asked_for(port: int) -> None:
    told: list[int] = []
    arn = fill(HOST, port, "filled", 260, told.append)
    assert told[-1] == 260
    assert drain(HOST, port, arn, readers=1).records == 260


@pytest.mark.parametrize("readers", [1, 4])
def test_readers_together_read_every_record_once(port: int, readers: int) -> None:
    table = f"shared-{readers}"
    create_table(HOST, port, table, streamed=True)
    write_batches(HOST, port, table, range(3000), keys=100)  # several pages a shard
    drained = drain(HOST, port, stream_arn(HOST, port, table), readers)
    assert (drained.records, drained.readers) == (3000, readers)
    assert 0 < drained.seconds < 60


def test_a_stream_of_one_shard_has_one_reader() -> None:
    with RunningServer(shards=1) as server:
        port = port_of(server)
        arn = fill(HOST, port, "one-shard", 1100)
        drained = drain(HOST, port, arn, readers=4)
    assert (drained.records, drained.readers) == (1100, 1)


def test_closed_shards_are_read_to_their_ends(port: int) -> None:
    arn = fill(HOST, port, "closed", 60)
    with RawClient(HOST, port) as client:
        disabled = {"TableName": "closed", "StreamSpecification": {"StreamEnabled": False}}
        call_json(client, "UpdateTable", disabled)
        assert len(shard_ids(client, arn)) == 4
        with pytest.raises(ServerError, match="no shards to read"):
            shard_ids(client, arn, only_open=True)
    assert drain(HOST, port, arn, readers=4).records == 60


def test_a_reader_beside_other_work_reads_again_and_again(port: int) -> None:
    arn = fill(HOST, port, "beside", 200)
    with draining(HOST, port, arn) as reader:
        write_batches(HOST, port, "beside", range(200, 4000), keys=100)
    assert reader.records > 0


def test_what_a_reader_beside_other_work_fails_with_is_raised(port: int) -> None:
    with (
        pytest.raises(WorkFailed, match="the server answered 400"),
        draining(HOST, port, "arn:aws:dynamodb:us-east-1:000000000000:table/none/stream/none"),
    ):
        pass


def test_a_page_of_unknown_records_is_not_taken_for_the_end() -> None:
    answer = with_length(b'{"Records":[{"unknown":1}],"NextShardIterator":"next"}')
    with answering([answer]) as client, pytest.raises(ServerError, match="unknown records"):
        next(pages(client, b"first"))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"NextShardIterator":"abc","Records":[]}', b"abc"),
        (b'{"Records":[' + b" " * 10_000 + b'],"NextShardIterator":"abc"}', b"abc"),
        (b'{"NextShardIterator":"abc","Records":[' + b" " * 10_000 + b"]}", b"abc"),
        (b'{"Records":[]}', None),
    ],
)
def test_the_next_iterator_is_found_wherever_it_stands(body: bytes, expected: bytes | None) -> None:
    with answering([with_length(body)]) as client:
        assert next_iterator(client.call("GetRecords", b"{}")) == expected
