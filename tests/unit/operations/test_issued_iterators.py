"""Iterators that were issued up to a moment expire, whatever the clock says; later ones do not."""

import pytest

from penstock.base import limits
from penstock.operations.control.issued_iterators import IssuedIterators
from penstock.streams.iterator import NONCE_BITS, Iterator

FIRSTS = [0, 1, 12345, (1 << NONCE_BITS) - 2, (1 << NONCE_BITS) - 1]


def issue(issued: IssuedIterators, stream: str = "s", shard: str = "a") -> Iterator:
    """Return an iterator like the next one, at a place and time that do not matter."""
    return Iterator(stream, shard, 1, True, 2, issued.next_nonce(), 3)


@pytest.mark.parametrize("first", FIRSTS)
def test_what_was_issued_before_expires_and_what_comes_after_lives(first: int) -> None:
    """Also where the numbers begin anew from 0 in between."""
    issued = IssuedIterators(first)
    before = [issue(issued) for _ in range(5)]
    assert not any(map(issued.has_expired, before))
    issued.expire("s", None)
    after = [issue(issued) for _ in range(5)]
    assert all(map(issued.has_expired, before))
    assert not any(map(issued.has_expired, after))
    issued.expire("s", None)
    assert all(map(issued.has_expired, before + after))


@pytest.mark.parametrize("first", FIRSTS)
def test_a_shard_expires_alone_and_a_stream_whole(first: int) -> None:
    issued = IssuedIterators(first)
    one, other = issue(issued, shard="a"), issue(issued, shard="b")
    elsewhere = issue(issued, stream="t")
    issued.expire("s", "a")
    assert [issued.has_expired(each) for each in (one, other, elsewhere)] == [True, False, False]
    issued.expire("s", None)
    assert [issued.has_expired(each) for each in (one, other, elsewhere)] == [True, True, False]
    later = issue(issued, shard="a")
    issued.expire("s", "b")
    assert not issued.has_expired(later)


def test_one_expires_alone() -> None:
    issued = IssuedIterators(7)
    one, other = issue(issued), issue(issued)
    issued.expire_one(one)
    assert (issued.has_expired(one), issued.has_expired(other)) == (True, False)


def test_those_of_an_earlier_process_expire_with_their_stream() -> None:
    """The server may have been started again over the same store."""
    earlier = IssuedIterators(1000)
    old = [issue(earlier) for _ in range(3)]
    issued = IssuedIterators(500_000)
    new = issue(issued)
    assert not any(map(issued.has_expired, old))
    issued.expire("s", None)
    assert all(map(issued.has_expired, [*old, new]))
    assert not issued.has_expired(issue(issued))


def test_the_latest_are_remembered() -> None:
    issued = IssuedIterators(0)
    singles = [issue(issued) for _ in range(limits.expired_iterators_max + 1)]
    for each in singles:
        issued.expire_one(each)
    assert [issued.has_expired(each) for each in singles[:2]] == [False, True]
    assert issued.has_expired(singles[-1])
    first = issue(issued, stream="0")
    for number in range(limits.expired_iterators_max):
        issued.expire(f"{number}", None)
    assert issued.has_expired(first)
    issued.expire("0", None)  # again, so that it is not the first any more
    issued.expire("one more", None)
    assert issued.has_expired(first)
