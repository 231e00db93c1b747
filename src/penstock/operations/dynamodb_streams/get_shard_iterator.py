"""GetShardIterator: a place in a shard to read from."""

from typing import Any

from penstock.base.errors import dynamodb, streams
from penstock.operations.dynamodb_streams import members
from penstock.operations.operation import Context
from penstock.storage.waist import Reader
from penstock.streams.iterator import NONCE_BITS, READER_BITS, Iterator, encode_iterator
from penstock.streams.read import Place, begin
from penstock.streams.readers import ReaderNumber
from penstock.streams.stream import Shard, find_shard
from penstock.wire.shapes import Integer, String, Structure, later, required

SHAPE = Structure(
    "GetShardIteratorInput",
    StreamArn=required(members.STREAM_ARN),
    ShardId=required(members.SHARD_ID),
    ShardIteratorType=required(
        String(values=("AT_SEQUENCE_NUMBER", "LATEST", "AFTER_SEQUENCE_NUMBER", "TRIM_HORIZON"))
    ),
    SequenceNumber=String(21, 40, pattern="[0-9]+"),
    Timestamp=later("an iterator by time (Timestamp)", Integer()),
)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with an iterator that lives for 15 minutes, of a reader of its own."""
    kind, number = request["ShardIteratorType"], request.get("SequenceNumber")
    by_number = kind.endswith("_SEQUENCE_NUMBER")
    if by_number and number is None:
        raise dynamodb.validation(f"SequenceNumber is required for ShardIteratorType {kind}")
    if not by_number and number is not None:
        raise dynamodb.validation(
            f"SequenceNumber must not be specified for ShardIteratorType {kind}"
        )
    now_ms = context.tables.clock.now_ms()

    def read(reader: Reader) -> tuple[Shard, Place]:
        stream = members.existing_stream(context, reader, request["StreamArn"])
        shard = find_shard(reader, stream, request["ShardId"])
        if shard is None or shard.has_expired(now_ms):
            raise streams.shard_not_found()
        return shard, begin(reader, stream, shard, kind, number, now_ms)

    shard, place = context.tables.read(read)
    reader = context.tables.entropy.bits(READER_BITS)
    return {"ShardIterator": iterator_text(context, request["StreamArn"], shard, place, reader)}


def iterator_text(
    context: Context, stream_arn: str, shard: Shard, place: Place, reader: ReaderNumber
) -> str:
    """Return the text of a new iterator of `reader` at `place` of `shard`."""
    tables, controls = context.tables, context.services.controls
    nonce = tables.entropy.bits(NONCE_BITS) if controls is None else controls.iterators.next_nonce()
    return encode_iterator(
        Iterator(stream_arn, shard.id, *place, tables.clock.now_ms(), nonce, reader)
    )
