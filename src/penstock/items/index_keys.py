"""The keys of a secondary index: of which items it has entries, and the bytes that order them.

An index's key may have several attributes on either side. The partition key's bytes are those of
its one attribute, or of each attribute after its length. Each attribute of the sort key is escaped
and ended, so that the bytes of the whole are in the order of the attributes' values, first by the
first: 00 becomes 00 FF, and 00 01 ends it. These bytes are stored, so the encoding never changes.

Texts of the errors: AWS, 2026-10.
"""

from collections.abc import Iterable, Sequence

from penstock.base.errors.api import ApiError
from penstock.base.errors.dynamodb import (
    index_key_empty,
    index_key_of_wrong_type,
    index_key_too_large,
    updated_index_key_empty,
)
from penstock.base.limits import partition_key_bytes_max, sort_key_bytes_max
from penstock.items.keys import (
    ItemKey,
    KeyAttribute,
    KeySchema,
    key_part_bytes,
    partition_hash,
    too_large_partition_key,
    too_large_sort_key,
)
from penstock.items.values import Item, Value

_END = b"\x00\x01"
_LENGTH_BYTES = 2


def index_key(schema: KeySchema, item: Item) -> ItemKey | None:
    """Return where an index of `schema` has its entry of `item`.

    None where `item` lacks one of the key's attributes, or has what cannot be in the key: an item
    that was stored before there was the index has no entry in it then. `check_index_key` tells
    whether an item may be stored at all.
    """
    for name, kind in schema.attributes:
        if not item.get(name, {}).get(kind):
            return None
    parts = [key_part_bytes(item[name]) for name, _ in schema.partition]
    sort_parts = [key_part_bytes(item[name]) for name, _ in schema.sort]
    if _size(parts) > partition_key_bytes_max or _size(sort_parts) > sort_key_bytes_max:
        return None
    partition = _joined(parts)
    return ItemKey(partition_hash(partition), partition, _ended(sort_parts))


def check_index_key(
    index_name: str, schema: KeySchema, item: Item, *, updated: bool = False
) -> None:
    """Raise ValidationException where `item` has a key attribute of the index that cannot be one.

    An attribute that is absent is well: the index just has no entry of the item. `updated` says
    that an update made the item, which is told in another text.
    """
    for partition, side in ((True, schema.partition), (False, schema.sort)):
        size_max = _bytes_max(partition=partition)
        sizes = 0
        for attribute in side:
            value = item.get(attribute.name)
            if value is None:
                continue
            _check_attribute(index_name, attribute, value, updated=updated)
            size = len(key_part_bytes(value))
            if size > size_max:
                raise index_key_too_large(index_name, attribute.name, size, size_max)
            sizes += size
        if sizes > size_max:
            raise _too_large(partition=partition)


def check_index_key_size(values: Sequence[Value], *, partition: bool) -> None:
    """Raise ValidationException where `values` are too large together for one side of a key.

    Fact: the text for sort keys speaks of an aggregated size; that of several attributes of a
    partition key is taken to be judged alike.
    """
    if _size(map(key_part_bytes, values)) > _bytes_max(partition=partition):
        raise _too_large(partition=partition)


def index_partition_bytes(values: Sequence[Value]) -> bytes:
    """Return the bytes of an index's partition key of canonical `values`."""
    return _joined([key_part_bytes(value) for value in values])


def index_sort_bytes(values: Sequence[Value]) -> bytes:
    """Return the bytes that the index's sort keys with just these first `values` begin with."""
    return _ended(map(key_part_bytes, values))


def index_sort_prefix(values: Sequence[Value], beginning: Value) -> bytes:
    """Return what the sort keys begin with that have `values` and then begin with `beginning`."""
    return index_sort_bytes(values) + _escaped(key_part_bytes(beginning))


def _bytes_max(*, partition: bool) -> int:
    return partition_key_bytes_max if partition else sort_key_bytes_max


def _too_large(*, partition: bool) -> ApiError:
    return too_large_partition_key() if partition else too_large_sort_key()


def _size(parts: Iterable[bytes]) -> int:
    return sum(map(len, parts))


def _joined(parts: Sequence[bytes]) -> bytes:
    if len(parts) == 1:
        return parts[0]
    return b"".join(len(part).to_bytes(_LENGTH_BYTES) + part for part in parts)


def _ended(parts: Iterable[bytes]) -> bytes:
    return b"".join(_escaped(part) + _END for part in parts)


def _escaped(part: bytes) -> bytes:
    return part.replace(b"\x00", b"\x00\xff")


def _check_attribute(
    index_name: str, attribute: KeyAttribute, value: Value, *, updated: bool
) -> None:
    name, kind = attribute
    content = value.get(kind)
    if content is None:
        raise index_key_of_wrong_type(index_name, name, kind, next(iter(value)))
    if not content:
        noun = "string" if kind == "S" else "binary"
        raise updated_index_key_empty(noun) if updated else index_key_empty(index_name, name, noun)
