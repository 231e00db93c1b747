"""Expiring iterators before their time, without having kept them.

An iterator is stateless, so while there are test controls the number that makes two iterators
differ also counts them: what was issued up to a moment is told from what came later, whatever is
done to the clock. It begins anywhere, so that those of an earlier process lie outside.
"""

from typing import TypeVar

from penstock.base import limits
from penstock.streams.iterator import NONCE_BITS, Iterator

K = TypeVar("K")
V = TypeVar("V")

_MASK = (1 << NONCE_BITS) - 1
_Shards = tuple[str, str | None]


class IssuedIterators:
    """The iterators that a server has issued, and which of them tests have made expire.

    Of the shards and of the single iterators that were made to, the latest are remembered.
    """

    def __init__(self, first: int) -> None:
        """`first` is the number of the first iterator, any one of `NONCE_BITS` bits."""
        self._first = first
        self._issued = 0
        self._marks: dict[_Shards, int] = {}
        self._single: dict[Iterator, None] = {}

    def next_nonce(self) -> int:
        """Return the nonce of an iterator that is issued now."""
        nonce = (self._first + self._issued) & _MASK
        self._issued += 1
        return nonce

    def expire(self, stream_arn: str, shard_id: str | None) -> None:
        """Make all iterators of a shard expire that were issued so far; None for all shards."""
        _remember(self._marks, (stream_arn, shard_id), self._issued)

    def expire_one(self, iterator: Iterator) -> None:
        """Make this iterator expire, and no other."""
        _remember(self._single, iterator, None)

    def has_expired(self, iterator: Iterator) -> bool:
        """Say whether `iterator` was made to expire."""
        if iterator in self._single:
            return True
        count = (iterator.nonce - self._first) & _MASK
        of_earlier_process = count >= self._issued
        marks = (
            self._marks.get((iterator.stream_arn, shard_id))
            for shard_id in (iterator.shard_id, None)
        )
        return any(mark is not None and (of_earlier_process or count < mark) for mark in marks)


def _remember(kept: dict[K, V], key: K, value: V) -> None:
    """Put a value last, and drop the first where there are too many."""
    kept.pop(key, None)
    kept[key] = value
    if len(kept) > limits.expired_iterators_max:
        del kept[next(iter(kept))]
