"""PynamoDB: its models, conditions, updates, batches, versions and rate limits."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from pynamodb.attributes import (
    BinaryAttribute,
    BinarySetAttribute,
    BooleanAttribute,
    JSONAttribute,
    ListAttribute,
    MapAttribute,
    NullAttribute,
    NumberAttribute,
    NumberSetAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    UTCDateTimeAttribute,
    VersionAttribute,
)
from pynamodb.exceptions import DeleteError, DoesNotExist, PutError, TableDoesNotExist, UpdateError
from pynamodb.models import Model

MOMENT = dt.datetime(2026, 10, 1, 12, 30, 15, 250, tzinfo=dt.UTC)

ModelType = type[Model]


class Address(MapAttribute[Any, Any]):
    """A map with a shape."""

    street = UnicodeAttribute()
    number = NumberAttribute(null=True)


new_address: Any = Address  # PynamoDB gives a map no types to be made with
new_map: Any = MapAttribute


class Everything(Model):
    """An item with an attribute of every kind."""

    pk = UnicodeAttribute(hash_key=True)
    sk = NumberAttribute(range_key=True)
    text = UnicodeAttribute(null=True)
    number = NumberAttribute(null=True)
    yes = BooleanAttribute(null=True)
    raw = BinaryAttribute(null=True, legacy_encoding=False)
    texts = UnicodeSetAttribute(null=True)
    numbers = NumberSetAttribute(null=True)
    raws = BinarySetAttribute(null=True, legacy_encoding=False)
    json = JSONAttribute(null=True)
    moment = UTCDateTimeAttribute(null=True)
    things = ListAttribute[Any](null=True)
    addresses = ListAttribute(of=Address, null=True)
    address = new_address(null=True)
    free = new_map(null=True)
    nothing = NullAttribute(null=True)


class Versioned(Model):
    """An item that is written only by who has seen its last state."""

    pk = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute(null=True)
    version = VersionAttribute()


@pytest.fixture
def everything(made: Callable[[ModelType], Any]) -> Any:
    """The model Everything, with its table."""
    return made(Everything)


# --- tables


def test_a_table_is_made_waited_for_described_and_deleted(
    made: Callable[[ModelType], Any],
) -> None:
    model = made(Versioned)
    assert model.exists()
    assert model.describe_table()["TableStatus"] == "ACTIVE"
    model.create_table(wait=True)  # what is there already is left alone
    assert model.count() == 0


def test_a_model_without_its_table_says_so(made: Callable[[ModelType], Any]) -> None:
    bound = made(Versioned)
    lost: Any = type(
        "Lost", (bound,), {"Meta": type("Meta", (bound.Meta,), {"table_name": "lost"})}
    )
    assert not lost.exists()
    with pytest.raises(TableDoesNotExist):
        lost.describe_table()
    with pytest.raises(PutError) as caught:
        lost("a").save()
    assert caught.value.cause_response_code == "ResourceNotFoundException"


# --- items


def plain(value: Any) -> Any:
    """Return an item's attributes with each map as a dictionary: maps are equal to none."""
    if isinstance(value, MapAttribute | Model):
        return plain(value.attribute_values)
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list) else value


def test_every_kind_of_attribute_comes_back_as_it_went(everything: Any) -> None:
    item = everything(
        "a",
        -1.5,
        text="é水",
        number=12345678901234567890,
        yes=False,
        raw=b"\x00\xff",
        texts={"x", "y"},
        numbers={1, 2.5},
        raws={b"1", b"2"},
        json={"a": [1, None, "x"]},
        moment=MOMENT,
        things=["s", 1, [True, None], {"deep": "er"}],
        addresses=[new_address(street="one", number=1), new_address(street="two")],
        address=new_address(street="three"),
        free={"any": {"thing": 1}},
    )
    item.save()
    got = everything.get("a", -1.5, consistent_read=True)
    assert plain(got) == plain(item)
    assert got.moment == MOMENT
    assert got.addresses[0].number == 1
    assert got.addresses[1].street == "two"
    got.text = "changed elsewhere"
    got.refresh(consistent_read=True)
    assert got.text == "é水"
    got.delete()
    with pytest.raises(DoesNotExist):
        everything.get("a", -1.5)


def test_a_save_under_a_condition_is_refused_with_its_code(everything: Any) -> None:
    everything("a", 1, number=5).save(everything.pk.does_not_exist())
    with pytest.raises(PutError) as put:
        everything("a", 1, number=6).save(everything.pk.does_not_exist())
    assert put.value.cause_response_code == "ConditionalCheckFailedException"
    held = everything("a", 1)
    with pytest.raises(UpdateError):
        held.update(
            actions=[everything.number.set(7)],
            condition=everything.number.between(1, 4) | (everything.number > 5),
        )
    with pytest.raises(DeleteError):
        held.delete(condition=~everything.number.is_in(5, 6))
    held.delete(condition=(everything.number == 5) & everything.text.does_not_exist())
    assert everything.count("a") == 0


def test_update_actions_of_every_kind(everything: Any) -> None:
    item = everything("a", 1, number=5, texts={"x", "y"}, things=[1, 2, 3], text="old")
    item.address = new_address(street="one", number=1)
    item.save()
    item.update(
        actions=[
            everything.number.set(everything.number + 2),
            everything.text.remove(),
            everything.texts.delete({"x"}),
            everything.numbers.add({1}),
            everything.things.set(everything.things.append([4])),
            everything.address.street.set("two"),
            everything.yes.set(everything.yes | True),
        ]
    )
    assert (item.number, item.text, item.texts, item.numbers) == (7, None, {"y"}, {1})
    assert (item.things, item.address.street, item.yes) == ([1, 2, 3, 4], "two", True)
    item.update(actions=[everything.number.add(-10), everything.things[0].remove()])
    got = everything.get("a", 1)
    assert (got.number, got.things) == (-3, [2, 3, 4])


def test_a_version_that_was_overtaken_is_refused(made: Callable[[ModelType], Any]) -> None:
    model = made(Versioned)
    first = model("a", name="first")
    first.save()
    second = model.get("a")
    second.update(actions=[model.name.set("second")])
    assert second.version == 2
    first.name = "late"
    with pytest.raises(PutError) as caught:
        first.save()
    assert caught.value.cause_response_code == "ConditionalCheckFailedException"
    with pytest.raises(DeleteError):
        first.delete()
    first.refresh()
    first.save()
    assert model.get("a").version == 3
    with pytest.raises(PutError):
        model("a").save()  # as new, though there is one


# --- many items


def test_batches_are_written_and_read_in_as_many_requests_as_it_takes(everything: Any) -> None:
    with everything.batch_write() as batch:
        for n in range(130):
            batch.save(everything("row", n, text=f"name-{n}"))
    with everything.batch_write() as batch:
        for n in range(0, 130, 2):
            batch.delete(everything("row", n))
    keys = [("row", n) for n in range(130)]
    got = list(everything.batch_get(keys, consistent_read=True, attributes_to_get=["sk", "text"]))
    assert sorted(item.sk for item in got) == list(range(1, 130, 2))
    assert {item.text for item in got} == {f"name-{n}" for n in range(1, 130, 2)}


def test_queries_take_ranges_filters_limits_and_pages(everything: Any) -> None:
    with everything.batch_write() as batch:
        for n in range(20):
            batch.save(everything("row", n, text="odd" if n % 2 else "even", number=n))
    sort = everything.sk

    def found(*arguments: Any, **named: Any) -> list[float]:
        return [item.sk for item in everything.query("row", *arguments, **named)]

    assert found(sort < 3) == [0, 1, 2]
    assert found(sort.between(3, 5), scan_index_forward=False) == [5, 4, 3]
    assert found(sort >= 10, filter_condition=everything.text == "odd", page_size=3) == [
        11,
        13,
        15,
        17,
        19,
    ]
    assert found(limit=4, page_size=3) == [0, 1, 2, 3]
    pages = everything.query("row", limit=7, page_size=7)
    first = [item.sk for item in pages]
    rest = found(last_evaluated_key=pages.last_evaluated_key)
    assert first + rest == list(range(20))
    assert everything.count("row", sort < 5, filter_condition=everything.text == "even") == 3


def test_scans_filter_and_are_split_into_segments(everything: Any) -> None:
    with everything.batch_write() as batch:
        for n in range(60):
            batch.save(everything(f"p{n}", n, text=f"name-{n}", texts={"a", str(n)}))
    text, texts = everything.text, everything.texts
    assert {item.sk for item in everything.scan(text.startswith("name-5"))} == {5, *range(50, 60)}
    assert {item.sk for item in everything.scan(texts.contains("7") | (text == "name-8"))} == {7, 8}
    parts = [[i.sk for i in everything.scan(segment=n, total_segments=3)] for n in range(3)]
    assert sorted(sort for part in parts for sort in part) == list(range(60))


def test_a_scan_at_a_limited_rate_counts_the_capacity_it_is_told(everything: Any) -> None:
    """It asks for ReturnConsumedCapacity, and spaces its pages by the answer."""
    with everything.batch_write() as batch:
        for n in range(30):
            batch.save(everything(f"p{n}", n))
    found = everything.scan(rate_limit=1000, page_size=5, consistent_read=True)
    assert sorted(item.sk for item in found) == list(range(30))
    assert found.page_iter.total_scanned_count == 30
    assert found.page_iter._rate_limiter._consumed > 0  # of the last page, which nothing followed
