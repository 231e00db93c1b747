"""A change's record: the JSON fragment that GetRecords returns, made once, at the write.

Its members stand in the order of their names, and the view type decides which images are there.
Facts: AWS, 2026-10: eventVersion is 1.1; SizeBytes counts the keys and the images that are shown.
"""

from typing import Literal

from penstock.items.canonical import encode_item
from penstock.items.sizes import item_bytes
from penstock.items.values import Item
from penstock.storage.format import pack
from penstock.storage.waist import Stamp, stamp_ms
from penstock.streams.sequence import sequence_number
from penstock.streams.stream import ViewType, event_id
from penstock.tables.stored_item import StoredItem

_SERVICE_IDENTITY = (
    ',"userIdentity":{"PrincipalId":"dynamodb.amazonaws.com","Type":"Service"}'  # [M] 2026-10
)

EventName = Literal["INSERT", "MODIFY", "REMOVE"]


def event_name(old: StoredItem | None, new: StoredItem | None) -> EventName:
    """Return what happened to an item that was `old` and is `new`."""
    if old is None:
        return "INSERT"
    return "REMOVE" if new is None else "MODIFY"


def record(
    stamp: Stamp,
    log: bytes,
    region: str,
    view_type: ViewType,
    keys: Item,
    old: StoredItem | None,
    new: StoredItem | None,
    *,
    by_service: bool = False,
) -> bytes:
    """Return the record of the change from `old` to `new` of the item of `keys`, as stored.

    `by_service` says that the service made the change for itself: an item's time to live ended.
    """
    size = item_bytes(keys)
    images = ""
    if new is not None and view_type in {"NEW_IMAGE", "NEW_AND_OLD_IMAGES"}:
        size += new.size
        images = f'"NewImage":{new.data.decode()},'
    if old is not None and view_type in {"OLD_IMAGE", "NEW_AND_OLD_IMAGES"}:
        size += old.size
        images += f'"OldImage":{old.data.decode()},'
    fragment = (
        f'{{"awsRegion":"{region}","dynamodb":{{'
        f'"ApproximateCreationDateTime":{stamp_ms(stamp) // 1000},'
        f'"Keys":{encode_item(keys).decode()},{images}'
        f'"SequenceNumber":"{sequence_number(stamp)}","SizeBytes":{size},'
        f'"StreamViewType":"{view_type}"}},"eventID":"{event_id(log, stamp)}",'
        f'"eventName":"{event_name(old, new)}","eventSource":"aws:dynamodb","eventVersion":"1.1"'
        f"{_SERVICE_IDENTITY if by_service else ''}}}"
    )
    return pack(fragment.encode())
