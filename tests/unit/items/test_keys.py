"""Keys: byte order is value order, and every wrong key is refused with its exact text."""

from base64 import b64encode
from decimal import Decimal
from hashlib import md5
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from item_strategies import number_texts
from penstock.base.errors.api import ApiError
from penstock.items.keys import (
    ItemKey,
    KeyAttribute,
    KeySchema,
    item_key_for_batch_put,
    item_key_for_lookup,
    item_key_for_put,
    key_part_bytes,
    partition_hash,
    partition_prefix,
)
from penstock.items.numbers import canonical_number
from penstock.items.values import Item

SIMPLE = KeySchema((KeyAttribute("pk", "S"),))
NUMBERED = KeySchema((KeyAttribute("pk", "S"),), (KeyAttribute("sk", "N"),))
BINARY = KeySchema((KeyAttribute("pk", "B"),), (KeyAttribute("sk", "S"),))

INVALID = "One or more parameter values were invalid: "
NO_MATCH = "The provided key element does not match the schema"
HASH_TOO_LARGE = (
    INVALID + "Size of hashkey has exceeded the maximum size limit of2048 bytes"  # sic
)
SORT_TOO_LARGE = (
    INVALID + "Aggregated size of all range keys has exceeded the size limit of 1024 bytes"
)
EMPTY = (
    "One or more parameter values are not valid. "
    "The AttributeValue for a key attribute cannot contain an empty {} value. Key: {}"
)


def encoded(data: bytes) -> str:
    """Return the base64 text of `data`."""
    return b64encode(data).decode()


def refusal(work: Any, schema: KeySchema, item: Any) -> str | None:
    """Return the text with which a key is refused."""
    with pytest.raises(ApiError) as caught:
        work(schema, item)
    assert caught.value.code == "ValidationException"
    return caught.value.message


@pytest.mark.parametrize(
    ("canonical", "data"),
    [
        ("0", "01"),
        ("1", "02 82 10"),
        ("12", "02 83 12"),
        ("1.23", "02 82 12 30"),
        ("100", "02 84 10"),
        ("-1", "00 7d 89 ff"),
        ("-12", "00 7c 87 ff"),
        ("1" + "0" * 125, "02 ff 10"),
        ("0." + "0" * 129 + "1", "02 00 10"),
    ],
)
def test_the_bytes_of_numbers_never_change(canonical: str, data: str) -> None:
    """These bytes are stored: a change here loses every table that has a number in its key."""
    assert key_part_bytes({"N": canonical}) == bytes.fromhex(data)


def test_numbers_in_order_have_bytes_in_order() -> None:
    """Where an encoding usually fails: signs, exponents, prefixes, the ends of the range."""
    big, small = "1" + "0" * 125, "0." + "0" * 129 + "1"
    up = [small, "0.01", "0.1", "0.11", "1", "1.0000001", "1.1", "1.11", "9", "9.9", "10", "12"]
    up += ["12.0001", "12.001", "99", "100", "9" * 38, big, "9" * 38 + "0" * 88]
    numbers = [*("-" + text for text in reversed(up)), "0", *up]
    parts = [key_part_bytes({"N": text}) for text in numbers]
    assert all(a < b for a, b in pairwise(parts))
    assert max(map(len, parts)) <= 22


@given(number_texts(), number_texts())
def test_byte_order_of_numbers_is_their_order(a: str, b: str) -> None:
    """Whatever two numbers, their bytes compare as they do, and equal ones have equal bytes."""
    parts = [key_part_bytes({"N": canonical_number(text)}) for text in (a, b)]
    assert (parts[0] < parts[1]) == (Decimal(a) < Decimal(b))
    assert (parts[0] == parts[1]) == (Decimal(a) == Decimal(b))
    assert len(parts[0]) <= 22


@given(
    st.integers(-(10**6), 10**6),
    st.integers(-4, 4),
    st.integers(-(10**6), 10**6),
    st.integers(-4, 4),
)
def test_byte_order_of_close_numbers_is_their_order(m: int, e: int, n: int, f: int) -> None:
    """The same for numbers that share their first digits and exponents more often."""
    parts = [key_part_bytes({"N": canonical_number(t)}) for t in (f"{m}e{e}", f"{n}e{f}")]
    assert (parts[0] < parts[1]) == (Decimal(m).scaleb(e) < Decimal(n).scaleb(f))


@given(st.text(), st.text())
def test_byte_order_of_texts_is_that_of_utf8(a: str, b: str) -> None:
    """Text compares by its UTF-8 bytes, as DynamoDB sorts it."""
    parts = [key_part_bytes({"S": text}) for text in (a, b)]
    assert parts == [a.encode(), b.encode()]
    assert (parts[0] < parts[1]) == (a < b)


@given(st.binary(), st.binary())
def test_byte_order_of_binary_is_its_own(a: bytes, b: bytes) -> None:
    """Binary compares by its raw bytes, not by its base64."""
    assert [key_part_bytes({"B": encoded(data)}) for data in (a, b)] == [a, b]


def test_the_suffix_of_a_storage_key() -> None:
    """Hash, length, partition, sort: the head of the MD5 spreads partitions over shards."""
    key = item_key_for_put(NUMBERED, {"pk": {"S": "é"}, "sk": {"N": "1"}})
    head = md5("é".encode(), usedforsecurity=False).digest()[:8]
    assert key == ItemKey(head, "é".encode(), b"\x02\x82\x10")
    assert key.suffix == head + b"\x00\x02" + "é".encode() + b"\x02\x82\x10"
    assert partition_hash("é".encode()) == head
    assert key.suffix.startswith(partition_prefix(head, "é".encode()))


@given(
    st.tuples(st.text(min_size=1), st.text(min_size=1)), st.tuples(st.text(min_size=1), st.text())
)
def test_no_two_keys_share_a_suffix(a: tuple[str, str], b: tuple[str, str]) -> None:
    """The suffix tells keys apart however partition and sort run together, and sorts within one."""
    whole = [ItemKey(partition_hash(pk.encode()), pk.encode(), sk.encode()) for pk, sk in (a, b)]
    keys = [key.suffix for key in whole]
    assert [ItemKey.of_suffix(key) for key in keys] == whole
    assert (keys[0] == keys[1]) == (a == b)
    if a[0] == b[0]:
        assert (keys[0] < keys[1]) == (a[1] < b[1])


def test_a_key_schema_names_and_picks_its_attributes() -> None:
    """The key of an item is its key attributes alone."""
    item: Item = {"pk": {"S": "a"}, "sk": {"N": "1"}, "other": {"BOOL": True}}
    assert SIMPLE.names == ("pk",)
    assert NUMBERED.names == ("pk", "sk")
    assert SIMPLE.key_of(item) == {"pk": {"S": "a"}}
    assert NUMBERED.key_of(item) == {"pk": {"S": "a"}, "sk": {"N": "1"}}


def test_put_and_lookup_find_the_same_key() -> None:
    """An item is found under the key that it was stored under."""
    item = {"pk": {"B": "AAE="}, "sk": {"S": "x"}, "other": {"S": ""}}
    assert item_key_for_put(BINARY, item) == item_key_for_lookup(BINARY, BINARY.key_of(item))
    assert item_key_for_put(SIMPLE, {"pk": {"S": "a"}}).sort == b""


@pytest.mark.parametrize(
    ("schema", "item", "message"),
    [
        (SIMPLE, {}, INVALID + "Missing the key pk in the item"),
        (NUMBERED, {"pk": {"S": "a"}}, INVALID + "Missing the key sk in the item"),
        (SIMPLE, {"pk": {"N": "1"}}, INVALID + "Type mismatch for key pk expected: S actual: N"),
        (
            NUMBERED,
            {"pk": {"S": "a"}, "sk": {"NULL": True}},
            INVALID + "Type mismatch for key sk expected: N actual: NULL",
        ),
    ],
)
def test_a_put_with_a_wrong_key_is_refused(schema: KeySchema, item: Any, message: str) -> None:
    """An item to be stored must have its key attributes, of their types."""
    assert refusal(item_key_for_put, schema, item) == message


@pytest.mark.parametrize(
    ("schema", "key"),
    [
        (SIMPLE, {}),
        (SIMPLE, {"other": {"S": "a"}}),
        (SIMPLE, {"pk": {"N": "1"}}),
        (SIMPLE, {"pk": {"S": "a"}, "sk": {"N": "1"}}),
        (NUMBERED, {"pk": {"S": "a"}}),
        (NUMBERED, {"pk": {"S": "a"}, "other": {"N": "1"}}),
        (NUMBERED, {"pk": {"S": "a"}, "sk": {"S": "1"}}),
    ],
)
def test_a_lookup_that_does_not_match_the_schema_is_refused(schema: KeySchema, key: Any) -> None:
    """A key must have exactly the attributes and types of the schema."""
    assert refusal(item_key_for_lookup, schema, key) == NO_MATCH


@pytest.mark.parametrize("work", [item_key_for_put, item_key_for_lookup])
@pytest.mark.parametrize(
    ("schema", "item", "message"),
    [
        (SIMPLE, {"pk": {"S": ""}}, EMPTY.format("string", "pk")),
        (BINARY, {"pk": {"B": ""}, "sk": {"S": "a"}}, EMPTY.format("binary", "pk")),
        (BINARY, {"pk": {"B": "AA=="}, "sk": {"S": ""}}, EMPTY.format("string", "sk")),
        (SIMPLE, {"pk": {"S": "a" * 2049}}, HASH_TOO_LARGE),
        (SIMPLE, {"pk": {"S": "é" * 1025}}, HASH_TOO_LARGE),
        (BINARY, {"pk": {"B": encoded(b"a" * 2049)}, "sk": {"S": "a"}}, HASH_TOO_LARGE),
        (BINARY, {"pk": {"B": "AA=="}, "sk": {"S": "a" * 1025}}, SORT_TOO_LARGE),
    ],
    ids=range(7),
)
def test_empty_and_oversized_keys_are_refused(
    work: Any, schema: KeySchema, item: Any, message: str
) -> None:
    """Key attributes have 1 to 2,048 and 1 to 1,024 bytes, in writes and lookups alike."""
    assert refusal(work, schema, item) == message


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"pk": {"S": ""}}, EMPTY.format("string", "pk")),
        ({"pk": {"S": ""}, "sk": {"S": "1"}}, EMPTY.format("string", "pk")),
        ({"pk": {"S": "a" * 2049}, "sk": {"S": "1"}}, HASH_TOO_LARGE),
        ({"pk": {"N": "1"}}, INVALID + "Type mismatch for key pk expected: S actual: N"),
    ],
    ids=range(4),
)
def test_a_put_is_told_all_of_its_partition_key_before_its_sort_key(
    item: Any, message: str
) -> None:
    """As DynamoDB Local does, in which the sort keys here are missing or of another type."""
    assert refusal(item_key_for_put, NUMBERED, item) == message


def test_a_put_of_a_batch_is_told_what_fits_not_as_a_lookup_is() -> None:
    """Only the texts are a lookup's: further attributes are fine, and the order is a put's."""
    for item in ({}, {"pk": {"S": "a"}}, {"pk": {"S": "a"}, "sk": {"S": "1"}}, {"pk": {"N": "1"}}):
        assert refusal(item_key_for_batch_put, NUMBERED, item) == NO_MATCH
    assert refusal(item_key_for_batch_put, NUMBERED, {"pk": {"S": ""}}) == EMPTY.format(
        "string", "pk"
    )
    whole: Item = {"pk": {"S": "a"}, "sk": {"N": "1"}, "other": {"S": "x"}}
    assert item_key_for_batch_put(NUMBERED, whole) == item_key_for_put(NUMBERED, whole)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ({"pk": {"S": ""}}, NO_MATCH),
        ({"pk": {"S": ""}, "sk": {"S": "1"}}, EMPTY.format("string", "pk")),
        ({"pk": {"S": "a" * 2049}, "sk": {"S": "1"}}, HASH_TOO_LARGE),
    ],
    ids=range(3),
)
def test_a_lookup_is_told_how_many_attributes_first_and_then_its_partition_key(
    key: Any, message: str
) -> None:
    """As DynamoDB Local does."""
    assert refusal(item_key_for_lookup, NUMBERED, key) == message


def test_the_largest_keys_are_accepted() -> None:
    """The limits themselves are still keys."""
    key = item_key_for_put(BINARY, {"pk": {"B": encoded(b"\xff" * 2048)}, "sk": {"S": "é" * 512}})
    assert (len(key.partition), len(key.sort)) == (2048, 1024)
