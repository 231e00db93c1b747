"""The keys of indexes: byte order is value order, by each attribute, and wrong ones are refused."""

from base64 import b64encode
from decimal import Decimal
from hashlib import md5
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from item_strategies import number_texts
from penstock.base.errors.api import ApiError, RequestError
from penstock.items.index_keys import (
    check_index_key,
    check_index_key_size,
    index_key,
    index_partition_bytes,
    index_sort_bytes,
    index_sort_prefix,
)
from penstock.items.keys import ItemKey, KeyAttribute, KeySchema
from penstock.items.numbers import canonical_number
from penstock.items.values import Item, Value
from penstock.storage.waist import after_prefix

INVALID = "One or more parameter values were invalid: "
EMPTY = (
    "One or more parameter values are not valid. {} The AttributeValue for a key attribute cannot"
    " contain an empty {} value.{}"
)
PUT_EMPTY = "A value specified for a secondary index key is not supported."
UPDATE_EMPTY = (
    "The update expression attempted to update a secondary index key to a value that is not"
    " supported."
)
MANY = KeySchema(
    (KeyAttribute("a", "S"), KeyAttribute("b", "B")),
    (KeyAttribute("c", "N"), KeyAttribute("d", "S")),
)
WHOLE: Item = {"a": {"S": "x"}, "b": {"B": "AA=="}, "c": {"N": "1"}, "d": {"S": "\x00"}}

# Few letters, zeros and ones among them, so that values begin alike and meet what ends them.
texts = st.text(st.sampled_from("\x00\x01a\xff\U0001f600"), min_size=1, max_size=4)
binaries = st.lists(st.sampled_from([0, 1, 97, 254, 255]), min_size=1, max_size=4).map(bytes)
numbers = number_texts() | st.integers(-20, 20).map(str)


def value_of(kind: str, content: Any) -> Value:
    """Return the canonical value of a text, of bytes, or of a number's text."""
    if kind == "B":
        return {"B": b64encode(content).decode()}
    return {kind: canonical_number(content) if kind == "N" else content}


def meaning(kind: str, content: Any) -> Any:
    """Return what values of a type are ordered by."""
    return Decimal(content) if kind == "N" else content.encode() if kind == "S" else content


OF_TYPE: dict[str, st.SearchStrategy[Any]] = {"S": texts, "N": numbers, "B": binaries}


@st.composite
def two_keys(draw: st.DrawFn) -> tuple[list[str], list[Any], list[Any]]:
    """Draw types and two keys of them, which more often than not begin alike."""
    kinds = draw(st.lists(st.sampled_from("SNB"), min_size=1, max_size=4))
    one = [draw(OF_TYPE[kind]) for kind in kinds]
    alike = draw(st.integers(0, len(kinds)))
    return kinds, one, one[:alike] + [draw(OF_TYPE[kind]) for kind in kinds[alike:]]


@given(two_keys())
def test_byte_order_of_sort_keys_is_the_order_of_their_values(
    drawn: tuple[list[str], list[Any], list[Any]],
) -> None:
    """Several attributes of any types compare as tuples of their values do."""
    kinds, *keys = drawn
    one, other = (index_sort_bytes(list(map(value_of, kinds, key))) for key in keys)
    means = [tuple(map(meaning, kinds, key)) for key in keys]
    assert (one < other) == (means[0] < means[1])
    assert (one == other) == (means[0] == means[1])


@given(two_keys(), st.integers(0, 4))
def test_the_bytes_of_first_values_begin_just_the_keys_that_have_them(
    drawn: tuple[list[str], list[Any], list[Any]], count: int
) -> None:
    """So equality of the first attributes is one range of keys."""
    kinds, *keys = drawn
    count = min(count, len(kinds))
    one, other = (list(map(value_of, kinds, key)) for key in keys)
    begins = index_sort_bytes(other).startswith(index_sort_bytes(one[:count]))
    means = [list(map(meaning, kinds, key))[:count] for key in keys]
    assert begins == (means[0] == means[1])


@given(st.sampled_from("SB"), st.data())
def test_a_beginning_is_the_prefix_of_just_the_values_that_begin_so(
    kind: str, data: st.DataObject
) -> None:
    """So begins_with is one range of keys, also where a value ends in a byte that is escaped."""
    first, prefix, value = (data.draw(OF_TYPE[kind]) for _ in range(3))
    if data.draw(st.booleans()):
        value = prefix + value
    key = index_sort_bytes([value_of(kind, first), value_of(kind, value)])
    beginning = index_sort_prefix([value_of(kind, first)], value_of(kind, prefix))
    assert key.startswith(beginning) == meaning(kind, value).startswith(meaning(kind, prefix))


@given(two_keys())
def test_no_two_partition_keys_share_their_bytes(
    drawn: tuple[list[str], list[Any], list[Any]],
) -> None:
    """However the attributes run together: a then bc is another key than ab then c."""
    kinds, *keys = drawn
    one, other = (index_partition_bytes(list(map(value_of, kinds, key))) for key in keys)
    means = [tuple(map(meaning, kinds, key)) for key in keys]
    assert (one == other) == (means[0] == means[1])


def test_the_bytes_of_a_key_never_change() -> None:
    """These bytes are stored: a change here loses every index."""
    partition = b"\x00\x01x\x00\x01\x00"
    assert index_key(MANY, WHOLE) == ItemKey(
        md5(partition, usedforsecurity=False).digest()[:8],
        partition,
        b"\x02\x82\x10\x00\x01" + b"\x00\xff\x00\x01",
    )
    one = KeySchema((KeyAttribute("a", "S"),))
    key = index_key(one, WHOLE)
    assert key is not None
    assert (key.partition, key.sort) == (b"x", b"")


def test_a_sort_key_is_never_the_end_of_all_keys() -> None:
    """The range of a value always has an end: no key is made of 0xFF bytes alone."""
    assert after_prefix(index_sort_bytes([{"B": b64encode(b"\xff" * 9).decode()}]))


@pytest.mark.parametrize("name", MANY.names)
@pytest.mark.parametrize("value", [None, {"BOOL": True}, {"SS": ["x"]}, {"S": ""}, {"B": ""}])
def test_an_item_without_a_part_of_the_key_has_no_entry(name: str, value: Any) -> None:
    """It lacks the attribute, or has it in another type or empty, as items from before may."""
    item = {key: content for key, content in WHOLE.items() if key != name}
    assert index_key(MANY, item | ({} if value is None else {name: value})) is None


def test_an_item_with_a_key_that_is_too_large_has_no_entry() -> None:
    """Of one value, or of several together; the length of no part overflows its two bytes."""
    assert index_key(MANY, {**WHOLE, "a": {"S": "x" * 2047}}) is not None
    assert index_key(MANY, {**WHOLE, "a": {"S": "x" * 2048}}) is None
    assert index_key(MANY, {**WHOLE, "a": {"S": "x" * 100_000}}) is None
    assert index_key(MANY, {**WHOLE, "d": {"S": "x" * 1021}}) is not None
    assert index_key(MANY, {**WHOLE, "d": {"S": "x" * 1022}}) is None


def refusal(item: Item, *, updated: bool = False) -> ApiError:
    """Return the error with which an item is refused."""
    with pytest.raises(ApiError) as refused:
        check_index_key("by", MANY, item, updated=updated)
    assert refused.value.code == "ValidationException"
    return refused.value


def test_an_item_may_lack_any_part_of_the_key() -> None:
    """An index has no entries of such items; that is what it is sparse by."""
    check_index_key("by", MANY, WHOLE)
    check_index_key("by", MANY, {})
    for name in MANY.names:
        check_index_key("by", MANY, {key: value for key, value in WHOLE.items() if key != name})


@pytest.mark.parametrize("updated", [False, True])
def test_a_part_of_another_type_is_refused_by_name(updated: bool) -> None:
    error = refusal({**WHOLE, "c": {"S": "1"}}, updated=updated)
    wanted = INVALID + "Type mismatch for Index Key c Expected: N Actual: S IndexName: by"
    assert (error.message, isinstance(error, RequestError)) == (wanted, False)


@pytest.mark.parametrize(("name", "noun"), [("a", "string"), ("b", "binary"), ("d", "string")])
def test_an_empty_part_is_refused_by_what_made_it(name: str, noun: str) -> None:
    """It refuses the whole of a transaction, where a wrong type is the reason of one action."""
    item = {**WHOLE, name: {noun[0].upper(): ""}}
    put, update = refusal(item), refusal(item, updated=True)
    assert put.message == EMPTY.format(PUT_EMPTY, noun, f" IndexName: by, IndexKey: {name}")
    assert update.message == EMPTY.format(UPDATE_EMPTY, noun, "")
    assert isinstance(put, RequestError)
    assert isinstance(update, RequestError)


def test_parts_are_measured_together() -> None:
    """The partition key's with each other and the sort key's, also where other parts are absent."""
    large: Item = {"a": {"S": "x" * 2048}}
    check_index_key("by", MANY, large)
    too_large = refusal({**large, "b": {"B": "AA=="}})
    wanted = "Size of hashkey has exceeded the maximum size limit of2048 bytes"  # sic
    assert too_large.message == INVALID + wanted
    too_large = refusal({"c": {"N": "1"}, "d": {"S": "x" * 1022}})
    wanted = "Aggregated size of all range keys has exceeded the size limit of 1024 bytes"
    assert too_large.message == INVALID + wanted
    check_index_key_size([{"S": "x" * 1024}], partition=False)


@pytest.mark.parametrize(("name", "size_max"), [("a", 2048), ("b", 2048), ("d", 1024)])
def test_a_part_that_is_too_large_is_told_with_its_size(name: str, size_max: int) -> None:
    """Text: AWS, as quoted in dynalite issue 35."""
    large = b"x" * (size_max + 1)
    value = {"B": b64encode(large).decode()} if name == "b" else {"S": large.decode()}
    assert refusal({name: value}).message == (
        f"{INVALID}Size limit exceeded for Index Key {name} Actual Size: {size_max + 1} bytes"
        f" Max Size: {size_max} bytes IndexName: by"
    )
