"""Event source mappings: what is stored of them.

All mappings of a store are under one lock, so that no two have one source and function. What a
mapping has done (checkpoints, its last result) is stored apart: see `penstock.consumers`.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec

from penstock.base import limits
from penstock.base.ids import uuid_bytes
from penstock.storage.format import pack, unpack
from penstock.storage.prefixes import Prefix
from penstock.storage.waist import Lock, Reader, Span, Transaction

State = Literal["Creating", "Enabling", "Enabled", "Disabling", "Disabled", "Updating", "Deleting"]
StartingPosition = Literal["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"]

USER_ACTION = "User action"
"""The reason of every change of state that the API asked for."""


class Mapping(msgspec.Struct, frozen=True):
    """One event source mapping; names and units are those of the API."""

    uuid: str
    region: str
    source_arn: str
    function_arn: str
    """With its version or alias, where the mapping names one."""
    starting_position: StartingPosition
    batch_size: int = 100
    batching_window_seconds: int = 0
    parallelization_factor: int = 1
    record_age_seconds_max: int = -1
    """-1 for no limit but the stream's."""
    retry_attempts_max: int = -1
    """-1 for no limit."""
    bisects: bool = False
    tumbling_window_seconds: int = 0
    reports_item_failures: bool = False
    patterns: tuple[str, ...] = ()
    """The filters, any of which a record has to match; none lets all through."""
    failure_destination: str | None = None
    counts_events: bool = False
    """Whether MetricsConfig asks for EventCount."""
    state: State = "Creating"
    state_reason: str = USER_ACTION
    enabled: bool = True
    """What the state will be when it has settled: Enabled or Disabled."""
    created_ms: int = 0
    modified_ms: int = 0
    generation: int = 0
    """Raised by every change, so that who runs the mapping sees that it has changed."""

    @property
    def arn(self) -> str:
        """Return its own ARN, which is made of the function's."""
        partition, account = self.function_arn.split(":")[1], self.function_arn.split(":")[4]
        return f"arn:{partition}:lambda:{self.region}:{account}:event-source-mapping:{self.uuid}"

    @property
    def id(self) -> bytes:
        """Return its id as 16 bytes, of which the keys of what it has stored are made."""
        return uuid_bytes(self.uuid)


NO_RESULT = "No records processed"
"""LastProcessingResult of a mapping that has had nothing to do yet."""

_PREFIX = Prefix.MAPPING.key

MAPPINGS_LOCK = Lock(b"mappings", (Span.of_prefix(_PREFIX),))

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Mapping).decode


def _key(region: str, mapping_uuid: str) -> bytes:
    return _PREFIX + region.encode() + b"\0" + mapping_uuid.encode()


def find_mapping(reader: Reader, region: str, mapping_uuid: str) -> Mapping | None:
    """Return the mapping of that id, or None."""
    stored = reader.get(_key(region, mapping_uuid))
    return None if stored is None else _decode(unpack(stored))


def store_mapping(txn: Transaction, mapping: Mapping) -> None:
    """Write a mapping; needs MAPPINGS_LOCK."""
    txn.set(_key(mapping.region, mapping.uuid), pack(_encode(mapping)))


def forget_mapping(txn: Transaction, mapping: Mapping) -> None:
    """Take a mapping away; needs MAPPINGS_LOCK."""
    txn.set(_key(mapping.region, mapping.uuid), None)


def result_key(mapping_id: bytes) -> bytes:
    """Return the key of what came of a mapping's last batch."""
    return Prefix.MAPPING_RESULT.key + mapping_id


def last_result(reader: Reader, mapping: Mapping) -> str:
    """Return what came of a mapping's last batch, as LastProcessingResult tells it."""
    stored = reader.get(result_key(mapping.id))
    return NO_RESULT if stored is None else unpack(stored).decode()


def mappings(reader: Reader, region: str | None = None, after: str = "") -> Iterator[Mapping]:
    """Yield the mappings of a region with ids above `after`, or of all regions, in their order."""
    if region is None:
        span = Span.of_prefix(_PREFIX)
    else:
        whole = Span.of_prefix(_PREFIX + region.encode() + b"\0")
        span = Span(_key(region, after) + b"\0" if after else whole.start, whole.end)
    while rows := reader.scan(span, limits.scan_rows_max):
        for _, stored in rows:
            yield _decode(unpack(stored))
        span = Span(rows[-1][0] + b"\0", span.end)
