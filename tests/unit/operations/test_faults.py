"""Faults: which reads they are for, how often they fire, and that a seed repeats them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.base import limits
from penstock.base.errors.api import ApiError
from penstock.operations.control.faults import KINDS, OBSERVER, Faults, Kind, Read, Terms

READ = Read("us-east-1", "abc", "shard-1", "orders", 10)


def kinds_fired(faults: Faults, *reads: Read) -> list[Kind | None]:
    """Return the kind of fault that fires for each of `reads`."""
    fired = (faults.fired(read) for read in reads)
    return [None if terms is None else terms.kind for terms in fired]


def hits(faults: Faults) -> list[int]:
    """Return the hits of every fault, in the order of their making."""
    return [shown["Hits"] for shown in faults.shown()]


def test_a_fault_fires_for_as_many_reads_as_it_says() -> None:
    faults = Faults()
    faults.put(Terms("throttle", calls=2))
    assert kinds_fired(faults, *[READ] * 4) == ["throttle", "throttle", None, None]
    assert hits(faults) == [2]


@pytest.mark.parametrize(
    ("named", "other"),
    [
        ({"table_name": "abc"}, READ._replace(table_name="abd")),
        ({"region": "us-east-1"}, READ._replace(region="eu-west-1")),
        ({"shard_id": "shard-1"}, READ._replace(shard_id="shard-2")),
        ({"consumer": "orders"}, READ._replace(consumer="invoices")),
    ],
)
def test_a_fault_is_for_the_reads_that_it_names(named: dict[str, Any], other: Read) -> None:
    """Reads of others neither fire it nor use it up."""
    faults = Faults()
    faults.put(Terms("expired", calls=1, **named))
    assert kinds_fired(faults, other, other, READ, READ) == [None, None, "expired", None]


def test_the_first_fault_that_fires_has_its_way_in_the_order_of_making() -> None:
    """The others keep their calls for later."""
    faults = Faults()
    faults.put(Terms("trimmed", calls=1, consumer="invoices"))
    faults.put(Terms("throttle", calls=1))
    faults.put(Terms("expired", calls=2))
    assert kinds_fired(faults, *[READ] * 4) == ["throttle", "expired", "expired", None]
    assert hits(faults) == [0, 1, 2]


@pytest.mark.parametrize(
    ("terms", "records", "fires"),
    [
        (Terms("repeat", calls=1), 0, False),
        (Terms("repeat", calls=1), 1, True),
        (Terms("fewer", calls=1), 0, False),
        (Terms("fewer", calls=1), 1, True),
        (Terms("fewer", calls=1, records=3), 3, False),
        (Terms("fewer", calls=1, records=3), 4, True),
        (Terms("throttle", calls=1), 0, True),
        (Terms("expired", calls=1), 0, True),
        (Terms("trimmed", calls=1), 0, True),
    ],
)
def test_a_fault_that_would_change_nothing_waits(terms: Terms, records: int, fires: bool) -> None:
    """Else the empty pages of a consumer that waits would use it up."""
    faults = Faults()
    faults.put(terms)
    assert (faults.fired(READ._replace(records=records)) is not None) == fires
    assert hits(faults) == [int(fires)]


def test_a_probability_fires_about_as_often() -> None:
    faults = Faults()
    faults.put(Terms("throttle", probability=0.25, seed=7))
    kinds_fired(faults, *[READ] * 10_000)
    assert 2300 < hits(faults)[0] < 2700


@pytest.mark.parametrize(("probability", "fired"), [(0.0, 0), (1.0, 1000)])
def test_the_ends_of_probability_are_never_and_always(probability: float, fired: int) -> None:
    faults = Faults()
    faults.put(Terms("throttle", probability=probability, seed=7))
    kinds_fired(faults, *[READ] * 1000)
    assert hits(faults) == [fired]


def test_a_probability_ends_with_its_calls() -> None:
    faults = Faults()
    faults.put(Terms("throttle", probability=0.5, seed=7, calls=3))
    fired = kinds_fired(faults, *[READ] * 100)
    assert fired.count("throttle") == 3
    assert None in fired[:10]


reads = st.builds(
    Read,
    region=st.just("us-east-1"),
    table_name=st.sampled_from(["abc", "abd"]),
    shard_id=st.sampled_from(["shard-1", "shard-2"]),
    consumer=st.sampled_from(["orders", "invoices"]),
    records=st.integers(0, 5),
)
terms = st.builds(
    Terms,
    kind=st.sampled_from(KINDS),
    consumer=st.sampled_from([None, "orders"]),
    shard_id=st.sampled_from([None, "shard-2"]),
    calls=st.none() | st.integers(1, 5),
    probability=st.floats(0, 1),
    seed=st.integers(0, 2**63),
    records=st.integers(0, 3),
)


@given(st.lists(terms, max_size=4), st.lists(reads, max_size=30))
def test_the_same_reads_have_the_same_faults(made: list[Terms], called: list[Read]) -> None:
    """And every fault that fires is of a read that it is for."""
    one, other = Faults(), Faults()
    for each in made:
        one.put(each)
        other.put(each)
    fired = [one.fired(read) for read in called]
    assert fired == [other.fired(read) for read in called]
    assert sum(hits(one)) == len([each for each in fired if each is not None])
    for read, terms_fired in zip(called, fired, strict=True):
        assert terms_fired is None or terms_fired.match(read)


@given(st.lists(reads, max_size=30), st.integers(0, 2**32))
def test_reads_that_a_fault_is_not_for_do_not_change_its_draws(
    others: list[Read], seed: int
) -> None:
    """A consumer has the same faults, whoever else reads."""
    alone, beside = Faults(), Faults()
    for faults in (alone, beside):
        faults.put(Terms("throttle", consumer="the one", probability=0.5, seed=seed))
    mine = READ._replace(consumer="the one")
    for other in others:
        assert kinds_fired(alone, mine) == kinds_fired(beside, other, mine)[1:]


def test_faults_are_told_as_they_were_asked_for() -> None:
    faults = Faults()
    first = faults.put(Terms("fewer", calls=3))
    named = Terms("repeat", "us-east-1", "abc", "s", "orders", None, 0.5, 9)
    second = faults.put(named)
    faults.fired(READ)
    assert first != second
    assert faults.shown() == [
        {"FaultId": first, "Kind": "fewer", "Calls": 3, "Records": 0, "Hits": 1},
        {
            "FaultId": second,
            "Kind": "repeat",
            "Region": "us-east-1",
            "TableName": "abc",
            "ShardId": "s",
            "Consumer": "orders",
            "Probability": 0.5,
            "Seed": 9,
            "Hits": 0,
        },
    ]


def test_what_is_cleared_fires_no_more() -> None:
    faults = Faults()
    first = faults.put(Terms("throttle", calls=9))
    faults.put(Terms("expired", calls=9))
    faults.clear(first)
    assert kinds_fired(faults, READ) == ["expired"]
    with pytest.raises(ApiError, match=f"ResourceNotFoundException: No such fault: {first}"):
        faults.clear(first)
    faults.clear()
    assert kinds_fired(faults, READ) == [None]
    assert faults.put(Terms("throttle", calls=1)) != first, "an id is never given out again"


def test_the_oldest_spent_fault_gives_way_and_no_other() -> None:
    faults = Faults()
    kept = faults.put(Terms("throttle", calls=9, consumer="nobody"))
    spent = faults.put(Terms("throttle", calls=1))
    for _ in range(limits.faults_max - 2):
        faults.put(Terms("throttle", calls=9, consumer="nobody"))
    with pytest.raises(ApiError, match="LimitExceededException"):
        faults.put(Terms("throttle", calls=9))
    assert kinds_fired(faults, READ) == ["throttle"]
    faults.put(Terms("expired", calls=1))
    ids = [shown["FaultId"] for shown in faults.shown()]
    assert len(ids) == limits.faults_max
    assert kept in ids
    assert spent not in ids


def test_the_observer_of_a_test_meets_only_faults_that_name_it() -> None:
    """It looks at the stream beside the consumer that is tested, and must not use them up."""
    faults, observing = Faults(), READ._replace(consumer=OBSERVER)
    faults.put(Terms("throttle", calls=1))
    assert kinds_fired(faults, observing, READ) == [None, "throttle"]
    faults.put(Terms("expired", calls=1, consumer=OBSERVER))
    assert kinds_fired(faults, READ, observing) == [None, "expired"]
