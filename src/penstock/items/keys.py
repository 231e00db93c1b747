"""Keys: which attributes name an item, and the bytes whose order is the order of their values.

A part of a key as bytes: text is its UTF-8, binary itself, and a number is
    00  complement of exponent  complements of digits  FF     below zero
    01                                                        zero
    02  exponent                digits                        above zero
where the exponent is that of the leading digit plus 130, in one byte, and the digits stand two to
a byte, read as they are written (12 is hexadecimal 12; an odd last one is followed by 0). The
complements are 255 minus the exponent, 99 minus the digits. Compared as bytes, parts of one type
are in the order of their values. These bytes are stored, so the encoding never changes. A number
takes at most 22.

Texts of the errors: AWS, 2026-10, and dynalite, checked against AWS.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

try:  # the interpreter's own, of which OpenSSL's takes three times the time for a key
    from _md5 import md5  # type: ignore[import-not-found]
except ImportError:
    from hashlib import md5

from penstock.base.errors.api import ApiError
from penstock.base.errors.dynamodb import parameter_values_invalid, request_invalid, validation
from penstock.base.limits import (
    number_exponent_min,
    partition_key_bytes_max,
    sort_key_bytes_max,
)
from penstock.items.numbers import scientific
from penstock.items.values import Item, Value, binary

KeyType = Literal["S", "N", "B"]

HASH_BYTES = 8
_LENGTH_BYTES = 2

_NEGATIVE = b"\x00"
_ZERO = b"\x01"
_POSITIVE = b"\x02"
_NEGATIVE_END = b"\xff"  # above every complement of digits, so that fewer digits come later
_COMPLEMENT_OF_DIGITS = bytes((0x99 - byte) % 256 for byte in range(256))


class KeyAttribute(NamedTuple):
    """One attribute of a key."""

    name: str
    type: KeyType


class KeySchema:
    """The attributes of a key: of a table one and at most one, of a global index up to four each.

    Fact: AWS, 2025-11: keys of several attributes are for global secondary indexes only.
    """

    __slots__ = ("attributes", "names", "partition", "sort")

    def __init__(
        self, partition: tuple[KeyAttribute, ...], sort: tuple[KeyAttribute, ...] = ()
    ) -> None:
        self.partition = partition
        self.sort = sort
        self.attributes = partition + sort
        """The attributes of the partition key and then those of the sort key."""
        self.names = tuple([attribute.name for attribute in self.attributes])
        """The names of the key's attributes, partition key first."""

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, KeySchema)
            and self.partition == other.partition
            and self.sort == other.sort
        )

    def __hash__(self) -> int:
        return hash((self.partition, self.sort))

    def key_of(self, item: Item) -> Item:
        """Return only the key attributes of `item`, which has them all."""
        return {name: item[name] for name in self.names}


class ItemKey(NamedTuple):
    """The key of an item as bytes; `sort` is empty where the table has no sort key."""

    hash: bytes
    partition: bytes
    sort: bytes

    @classmethod
    def of_suffix(cls, suffix: bytes) -> "ItemKey":
        """Return the key whose `suffix` that is."""
        start = HASH_BYTES + _LENGTH_BYTES
        end = start + int.from_bytes(suffix[HASH_BYTES:start])
        return cls(suffix[:HASH_BYTES], suffix[start:end], suffix[end:])

    @property
    def suffix(self) -> bytes:
        """What of the item's storage key follows the table: hash, length, partition, sort.

        Items of one partition stand together, in the order of their sort keys; partitions stand in
        the order of their hashes, as DynamoDB scans them.
        """
        return partition_prefix(self.hash, self.partition) + self.sort


def partition_prefix(partition_hash: bytes, partition: bytes) -> bytes:
    """Return what the suffixes of all items of one partition begin with, and no others do."""
    return partition_hash + len(partition).to_bytes(_LENGTH_BYTES) + partition


def key_part_bytes(value: Value) -> bytes:
    """Return the bytes of a canonical S, N or B whose order is the order of such values."""
    ((kind, content),) = value.items()
    return _PART_BYTES[kind](content)


def partition_key_bytes(value: Value) -> bytes:
    """Return the bytes of a canonical partition key; ValidationException over 2,048 of them."""
    part = key_part_bytes(value)
    if len(part) > partition_key_bytes_max:
        raise too_large_partition_key()
    return part


def sort_key_bytes(value: Value) -> bytes:
    """Return the bytes of a canonical sort key; ValidationException over 1,024 of them."""
    part = key_part_bytes(value)
    if len(part) > sort_key_bytes_max:
        raise too_large_sort_key()
    return part


def partition_hash(part: bytes) -> bytes:
    """Return the 8 bytes that place a partition key's bytes among the shards: the head of MD5."""
    digest: bytes = md5(part, usedforsecurity=False).digest()
    return digest[:HASH_BYTES]


def item_key_for_put(schema: KeySchema, item: Item) -> ItemKey:
    """Return the key of a whole item, canonical, that is about to be stored.

    Raises ValidationException where a key attribute is missing, of another type, empty or too
    large; the partition key is judged first, and in full (so DynamoDB Local and dynalite).
    """
    return _item_key(schema, item, _misfit_of_put)


def item_key_for_batch_put(schema: KeySchema, item: Item) -> ItemKey:
    """Return the key of a whole item as `item_key_for_put` does.

    A missing attribute and one of another type are told as a lookup's are (AWS, 2026-06).
    """
    return _item_key(schema, item, _misfit_of_lookup)


def item_key_for_lookup(schema: KeySchema, key: Item) -> ItemKey:
    """Return the key of the item that a request names by `key`, canonical.

    Raises ValidationException where it has not exactly the attributes and types of the schema, or
    one is empty or too large.
    """
    if len(key) != len(schema.attributes):
        raise schema_mismatch()
    return _item_key(schema, key, _misfit_of_lookup)


Misfit = Callable[[KeyAttribute, Value | None], ApiError]
"""Makes the error of a key attribute that is missing (None) or of another type."""


def _item_key(schema: KeySchema, item: Item, misfit: Misfit) -> ItemKey:
    (partition_key,) = schema.partition
    partition = _part_of(item, partition_key, misfit)
    if len(partition) > partition_key_bytes_max:
        raise too_large_partition_key()
    sort = b""
    for attribute in schema.sort:
        sort = _part_of(item, attribute, misfit)
        if len(sort) > sort_key_bytes_max:
            raise too_large_sort_key()
    return ItemKey(partition_hash(partition), partition, sort)


def _part_of(item: Item, attribute: KeyAttribute, misfit: Misfit) -> bytes:
    """Return the bytes of a key attribute, which is there, of the right type and not empty."""
    name, kind = attribute
    value = item.get(name)
    if value is None or kind not in value:
        raise misfit(attribute, value)
    content: str = value[kind]
    if not content:
        raise _empty_key(name, kind)
    return content.encode() if kind == "S" else _PART_BYTES[kind](content)


def _misfit_of_put(attribute: KeyAttribute, value: Value | None) -> ApiError:
    name, kind = attribute
    if value is None:
        return parameter_values_invalid(f"Missing the key {name} in the item")
    return parameter_values_invalid(
        f"Type mismatch for key {name} expected: {kind} actual: {next(iter(value))}"
    )


def _misfit_of_lookup(_attribute: KeyAttribute, _value: Value | None) -> ApiError:
    return schema_mismatch()


def schema_mismatch() -> ApiError:
    """Return the ValidationException of a key that has not just the schema's attributes."""
    return validation("The provided key element does not match the schema")


def too_large_partition_key() -> ApiError:
    """Return the ValidationException of a partition key over 2,048 bytes."""
    return parameter_values_invalid(
        "Size of hashkey has exceeded the maximum size limit of"  # no space: as AWS writes it
        f"{partition_key_bytes_max} bytes"
    )


def too_large_sort_key() -> ApiError:
    """Return the ValidationException of a sort key over 1,024 bytes."""
    return parameter_values_invalid(
        "Aggregated size of all range keys has exceeded the size limit of "
        f"{sort_key_bytes_max} bytes"
    )


def _number_part(canonical: str) -> bytes:
    negative, digits, exponent = scientific(canonical)
    if not digits:
        return _ZERO
    biased = exponent - number_exponent_min
    packed = bytes.fromhex(digits + "0" if len(digits) % 2 else digits)
    if not negative:
        return _POSITIVE + biased.to_bytes() + packed
    complement = packed.translate(_COMPLEMENT_OF_DIGITS)
    return _NEGATIVE + (255 - biased).to_bytes() + complement + _NEGATIVE_END


_PART_BYTES: dict[str, Callable[[str], bytes]] = {"S": str.encode, "N": _number_part, "B": binary}


def _empty_key(name: str, kind: KeyType) -> ApiError:
    noun = "string" if kind == "S" else "binary"
    return request_invalid(
        "One or more parameter values are not valid. The AttributeValue for a key attribute "
        f"cannot contain an empty {noun} value. Key: {name}"
    )
