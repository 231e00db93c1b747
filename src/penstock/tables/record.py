"""A change's record: the JSON fragment that GetRecords returns, made once, at the write.

Its members stand in the order of their names, and the view type decides which images are there.
Facts: AWS, 2026-10: eventVersion is 1.1; SizeBytes counts the keys and the images that are shown.
"""

from penstock.items.canonical import encode_item
from penstock.items.sizes import item_bytes
from penstock.items.values import Item
from penstock.storage.format import pack
from penstock.storage.waist import Stamp, stamp_ms
from penstock.streams.sequence import sequence_number
from penstock.streams.stream import ViewType, event_id_stem
from penstock.tables.stored_item import StoredItem

_SERVICE_IDENTITY = (
    ',"userIdentity":{"PrincipalId":"dynamodb.amazonaws.com","Type":"Service"}'  # [M] 2026-10
)


class Recorder:
    """Makes the records of one log: what is the same in all of them is put together once."""

    __slots__ = ("_by_client", "_by_service", "_head", "_middle", "_shows_new", "_shows_old", "log")

    def __init__(self, log: bytes, region: str, view_type: ViewType) -> None:
        self.log = log
        self._shows_new = view_type in {"NEW_IMAGE", "NEW_AND_OLD_IMAGES"}
        self._shows_old = view_type in {"OLD_IMAGE", "NEW_AND_OLD_IMAGES"}
        self._head = pack(
            f'{{"awsRegion":"{region}","dynamodb":{{"ApproximateCreationDateTime":'.encode()
        )
        event_id = f'"eventID":"{event_id_stem(log)}'
        self._middle = f',"StreamViewType":"{view_type}"}},{event_id}'.encode()
        source = '","eventSource":"aws:dynamodb","eventVersion":"1.1"'
        self._by_client = f"{source}}}".encode()
        self._by_service = f"{source}{_SERVICE_IDENTITY}}}".encode()

    def record(
        self,
        stamp: Stamp,
        keys: Item,
        old: StoredItem | None,
        new: StoredItem | None,
        by_service: bool,
    ) -> bytes:
        """Return the record of the change from `old` to `new` of the item of `keys`, as stored.

        `by_service` says that the service made the change for itself: an item's time to live ended.
        """
        size = item_bytes(keys)
        second = stamp_ms(stamp) // 1000
        parts = [self._head, b'%d,"Keys":' % second, encode_item(keys)]
        if new is not None and self._shows_new:
            size += new.size
            parts += (b',"NewImage":', new.data)
        if old is not None and self._shows_old:
            size += old.size
            parts += (b',"OldImage":', old.data)
        parts += (
            b',"SequenceNumber":"%b","SizeBytes":%d' % (sequence_number(stamp).encode(), size),
            self._middle,
            b'%016x","eventName":"' % stamp,
            _event_name(old, new),
            self._by_service if by_service else self._by_client,
        )
        return b"".join(parts)


def _event_name(old: StoredItem | None, new: StoredItem | None) -> bytes:
    """Return what happened to an item that was `old` and is `new`."""
    if old is None:
        return b"INSERT"
    return b"REMOVE" if new is None else b"MODIFY"
