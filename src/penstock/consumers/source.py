"""What a mapping reads: a stream with shards, here or at any endpoint of DynamoDB Streams."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class SourceShard(NamedTuple):
    """A shard of a source; `is_closed` where no records will follow."""

    id: str
    parent: str | None
    is_closed: bool


class SourceRecord(NamedTuple):
    """A record as the function is to get it.

    `data` is a JSON object in the form of a record of a Lambda event. `created_ms` is what the
    source knows of its time, in epoch milliseconds.
    """

    data: bytes
    sequence_number: str
    created_ms: int


class SourcePage(NamedTuple):
    """Records, and the position after them; None where a closed shard ends.

    `at_tip` says that there was nothing more to read at that moment. `trimmed` says that records
    between the position asked for and the first of these are gone.
    """

    records: Sequence[SourceRecord]
    next: str | None
    at_tip: bool
    trimmed: bool = False


class SourceGone(Exception):
    """The stream is not there, or not any more."""


class SourceUnavailable(Exception):
    """The source cannot be read now; the text says why. To be tried again later."""


class Source(Protocol):
    """A stream. Positions are texts that only the source understands; they can be stored."""

    @property
    def partition_key(self) -> str | None:
        """The name of the attribute that is the partition key, once the shards were asked for."""
        ...

    async def shards(self) -> Sequence[SourceShard]:
        """Return all shards that can be read, in the order of their ids. SourceGone."""
        ...

    async def begin(self, shard_id: str, starting_position: str, created_ms: int) -> str | None:
        """Return where a mapping begins in a shard that none of its checkpoints name.

        `starting_position` is TRIM_HORIZON, or LATEST: what was written since the mapping was
        created, at `created_ms`. None where nothing of the shard is wanted.
        """
        ...

    async def read(self, shard_id: str, position: str, limit: int) -> SourcePage:
        """Return at most `limit` records from `position` on. SourceGone, SourceUnavailable."""
        ...

    def after(self, record: SourceRecord) -> str:
        """Return the position behind a record."""
        ...

    async def wait(self, shard_id: str, position: str, seconds_max: float) -> None:
        """Return when there may be something to read at `position`, or after `seconds_max`."""
        ...
