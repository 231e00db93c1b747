"""What a query reads of a table or an index: just what is asked for, in order, by pages."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.base.errors.api import ApiError
from penstock.items.expressions import KeyRange
from penstock.items.expressions.key_conditions import RangeOperator
from penstock.items.keys import KeySchema
from penstock.items.values import Item, Value, binary
from penstock.storage.waist import Reader, Span
from penstock.tables.read import ItemPage, beyond, read_page
from penstock.tables.source import Source
from unit.tables.indexed_table import (
    INDEXES,
    IndexedTable,
    attributes,
    partition_keys,
    plain,
    sort_keys,
)

NAMES = [None, *(index.name for index in INDEXES)]
OF_TYPE: dict[str, list[Value]] = {
    "S": [{"S": text} for text in ("a", "a\x00", "b", "p", "q", "\x00")],
    "N": [{"N": text} for text in ("-5", "-1", "0", "2", "3", "10", "30")],
    "B": [{"B": text} for text in ("AA==", "AAE=", "/w==")],
}
WHOLE: Item = {
    "p": {"S": "p"},
    "s": {"N": "1"},
    "g": {"S": "a"},
    "h": {"N": "1"},
    "b": {"B": "AA=="},
}
items = st.dictionaries(st.tuples(partition_keys, sort_keys), attributes, max_size=12)


def meaning(value: Value) -> Any:
    """Return what values of one type are ordered by."""
    ((kind, content),) = value.items()
    of_type: dict[str, Callable[[str], Any]] = {"S": str.encode, "N": Decimal, "B": binary}
    return of_type[kind](content)


@st.composite
def ranges(draw: st.DrawFn, schema: KeySchema) -> KeyRange:
    """Draw what a key condition may ask of a key."""
    partition = tuple(draw(st.sampled_from(OF_TYPE[kind])) for _, kind in schema.partition)
    count = draw(st.integers(0, len(schema.sort)))
    values = [draw(st.sampled_from(OF_TYPE[kind])) for _, kind in schema.sort[:count]]
    if not values or draw(st.booleans()):
        return KeyRange(partition, tuple(values))
    kind = schema.sort[count - 1].type
    operators: list[RangeOperator] = ["<", "<=", ">", ">=", "BETWEEN"]
    if kind != "N":
        operators.append("begins_with")
    operator = draw(st.sampled_from(operators))
    low, high = values[-1], None
    if operator == "BETWEEN":
        low, high = sorted([low, draw(st.sampled_from(OF_TYPE[kind]))], key=meaning)
    return KeyRange(partition, tuple(values[:-1]), operator, low, high)


def holds(asked: KeyRange, schema: KeySchema, item: Item) -> bool:
    """Say whether an item has what a key condition asks for."""
    equal = zip(schema.attributes, (*asked.partition, *asked.equal), strict=False)
    if any(item[attribute.name] != value for attribute, value in equal):
        return False
    if asked.operator is None or asked.low is None:
        return True
    value, low = meaning(item[schema.sort[len(asked.equal)].name]), meaning(asked.low)
    if asked.operator == "BETWEEN":
        assert asked.high is not None
        return bool(low <= value <= meaning(asked.high))
    compared: dict[str, Callable[[], bool]] = {
        "<": lambda: value < low,
        "<=": lambda: value <= low,
        ">": lambda: value > low,
        ">=": lambda: value >= low,
        "begins_with": lambda: value.startswith(low),
    }
    return compared[asked.operator]()


def store_with(drawn: dict[tuple[str, str], Item]) -> IndexedTable:
    store = IndexedTable()
    for (pk, sk), more in drawn.items():
        store.change(pk, sk, more)
    return store


def pages_of(
    store: IndexedTable, source: Source, span: Span, limit: int | None, backward: bool
) -> list[Item]:
    """Read a span page by page, each from the place where the page before it ended."""
    found: list[Item] = []
    whole = span
    while True:

        def read(reader: Reader, span: Span = span) -> ItemPage:
            return read_page(reader, span, limit, backward=backward)

        page = store.engine.snapshot(read)
        found += [item.item() for item in page.items]
        if page.last is None:
            return found
        last = page.last.item()
        names = {name: last[name] for name in source.place_names}
        span = beyond(whole, source.prefix + source.place(names).suffix, backward)


@settings(max_examples=150)
@given(items, st.sampled_from(NAMES), st.data(), st.none() | st.integers(1, 3), st.booleans())
def test_a_query_reads_what_its_condition_asks_for_in_order(
    drawn: dict[tuple[str, str], Item],
    name: str | None,
    data: st.DataObject,
    limit: int | None,
    backward: bool,
) -> None:
    """Of any key, by pages of any size, forward and backward, equal index keys included."""
    store = store_with(drawn)
    source = store.source(name)
    asked = data.draw(ranges(source.schema))
    found = pages_of(store, source, source.query(asked), limit, backward)
    there = list(store.items.values()) if name is None else store.wanted(name)
    wanted = [item for item in there if holds(asked, source.schema, item)]
    assert sorted(map(plain, found)) == sorted(map(plain, wanted))
    keys = [tuple(meaning(item[part.name]) for part in source.schema.sort) for item in found]
    assert keys == sorted(keys, reverse=backward)
    if backward:
        assert found[::-1] == pages_of(store, source, source.query(asked), limit, backward=False)


@settings(max_examples=60)
@given(items, st.sampled_from(NAMES), st.integers(1, 5), st.none() | st.integers(1, 3))
def test_the_segments_of_a_scan_are_the_whole_of_it(
    drawn: dict[tuple[str, str], Item], name: str | None, segments: int, limit: int | None
) -> None:
    """Each item or entry is in one of them, in the order of a scan without segments."""
    store = store_with(drawn)
    source = store.source(name)
    found = [
        item
        for segment in range(segments)
        for item in pages_of(store, source, source.segment(segment, segments), limit, False)
    ]
    assert found == pages_of(store, source, source.span, None, False)
    wanted = list(store.items.values()) if name is None else store.wanted(name)
    assert sorted(map(plain, found)) == sorted(map(plain, wanted))


def names_of(source: Source) -> Item:
    return {name: WHOLE[name] for name in source.place_names}


@pytest.mark.parametrize("name", NAMES)
def test_a_place_has_just_the_attributes_of_both_keys(name: str | None) -> None:
    """Neither fewer nor more, of the right types, and none of them empty or too large."""
    source = IndexedTable().source(name)
    whole = names_of(source)
    assert source.place(whole).suffix
    wrong: list[Item] = [
        {key: value for key, value in whole.items() if key != gone} for gone in whole
    ]
    wrong.append({**whole, "more": {"S": "x"}})
    wrong += [{**whole, key: {"BOOL": True}} for key in whole]
    wrong += [{**whole, key: {"S": ""}} for key in whole]
    wrong += [{**whole, key: {"S": "x" * 2049}} for key in whole]
    for names in wrong:
        with pytest.raises(ApiError) as refused:
            source.place(names)
        assert refused.value.code == "ValidationException"


@pytest.mark.parametrize("name", NAMES)
def test_a_condition_cannot_ask_for_keys_that_are_too_large(name: str | None) -> None:
    source = IndexedTable().source(name)
    long: dict[str, Value] = {"S": {"S": "x" * 2049}, "B": {"B": "AAAA" * 683}}
    schema = source.schema
    partition = tuple(WHOLE[part.name] for part in schema.partition)
    for at, part in enumerate(schema.partition):
        if part.type in long:
            values = (*partition[:at], long[part.type], *partition[at + 1 :])
            with pytest.raises(ApiError, match="Size of hashkey"):
                source.query(KeyRange(values))
    if schema.sort and schema.sort[0].type in long:
        for asked in (
            KeyRange(partition, (long["S"],)),
            KeyRange(partition, (), ">", long["S"]),
            KeyRange(partition, (), "begins_with", long["S"]),
            KeyRange(partition, (), "BETWEEN", {"S": "a"}, long["S"]),
        ):
            with pytest.raises(ApiError, match="Aggregated size of all range keys"):
                source.query(asked)


def test_an_entry_leads_to_its_item() -> None:
    """A local index that holds keys alone can still answer with all there is."""
    store = IndexedTable()
    store.change("p", "1", {"h": {"N": "3"}, "y": {"S": "y"}})
    source = store.source("local")

    def read(reader: Reader) -> ItemPage:
        return read_page(reader, source.span, None, fetch=lambda entry: source.fetch(reader, entry))

    page = store.engine.snapshot(read)
    assert [item.item() for item in page.items] == list(store.items.values())
    assert page.fetched == [item.size for item in page.items]
    assert page.size < page.fetched[0]
