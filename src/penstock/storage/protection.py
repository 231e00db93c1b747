"""Protection: finds transactions that no common lock keeps apart, though one writes what one reads.

An engine with many writers makes transactions serialisable by their locks alone: where two use one
key, and one of them writes it, they have to share a lock name. An engine with one writer hides it
where they do not. So the engine of the tests remembers who used what, and finds it in whatever
order the two come (docs/decisions/0018-what-locks-protect.md).

What one transaction read and another one replaced since keeps them apart too: a writer finds that
its table has changed, and goes. So two that have no lock in common are in order where both saw one
key, and the later one saw it changed by a third, which shares a lock with either.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from sortedcontainers import SortedDict

from penstock.base import limits
from penstock.storage.overlay import Overlay
from penstock.storage.prefixes import Prefix
from penstock.storage.waist import Lock, Span

_RECORD = Prefix.STREAM_RECORD.key

Deed = Literal["read", "wrote"]


class Unprotected(AssertionError):
    """A bug in our own code: nothing keeps two transactions apart that use one key."""


class UnprotectedRead(Unprotected):
    """One of the two reads it."""


class UnprotectedWrite(Unprotected):
    """Both write it."""


class Reads:
    """What one transaction read of the store: keys, there or not, and spans."""

    __slots__ = ("keys", "spans")

    def __init__(self) -> None:
        self.keys: set[bytes] = set()
        self.spans: list[Span] = []


class _Use:
    """A transaction that was committed: its place in their order, its locks, and what it saw."""

    __slots__ = ("locks", "number", "seen")

    def __init__(self, number: int, locks: frozenset[bytes], seen: dict[bytes, int]) -> None:
        self.number = number
        self.locks = locks
        self.seen = seen
        """Of each key that it read: the number of the transaction that had written it, or 0."""

    def is_apart_from(self, later: "_Use") -> bool:
        """Say whether something keeps `later` from running beside this one, or before it."""
        if not self.locks.isdisjoint(later.locks):
            return True
        seen = self.seen
        return any(seen.get(key, at) < at for key, at in later.seen.items())


class _Key:
    """Who wrote a key last, and who has read it since."""

    __slots__ = ("readers", "writer")

    def __init__(self) -> None:
        self.writer: _Use | None = None
        self.readers: dict[frozenset[bytes], _Use] = {}
        """The last of those with the same locks."""


class _Wide(NamedTuple):
    """A span that was read or cleared, and by whom."""

    span: Span
    use: _Use


class Protection:
    """Who used what, of the transactions that changed something; bounded, the oldest forgotten.

    What was found once is raised for every transaction from then on: a job in the background, which
    only logs what it fails with, must not hide it.
    """

    def __init__(self) -> None:
        self._found: Unprotected | None = None
        self._number = 0
        self._keys: SortedDict[bytes, _Key] = SortedDict()
        self._scans: list[_Wide] = []
        self._clears: list[_Wide] = []

    def forget(self) -> None:
        """Begin anew, as where transactions that were noted have been lost."""
        self._keys.clear()
        self._scans.clear()
        self._clears.clear()

    def note(self, reads: Reads, changes: Overlay, locks: Sequence[Lock]) -> None:
        """Take in a transaction that commits.

        Raises UnprotectedRead or UnprotectedWrite where nothing keeps it apart from an earlier one;
        then it is not taken in.
        """
        if self._found is not None:
            raise type(self._found)(*self._found.args)
        number = self._number + 1
        use = _Use(number, frozenset(lock.name for lock in locks), self._seen(reads))
        self._check_reads(reads, use)
        self._check_writes(changes, use)
        self._number = number
        self._take_in_reads(reads, use)
        self._take_in_writes(changes, use)
        use.seen.update(dict.fromkeys(use.seen.keys() & changes.writes.keys(), number))
        if len(self._keys) > limits.protected_keys_remembered_max:
            self.forget()

    def _seen(self, reads: Reads) -> dict[bytes, int]:
        writers = ((key, self._writer_of(key)) for key in reads.keys)
        return {key: 0 if writer is None else writer.number for key, writer in writers}

    # --- judging

    def _check_reads(self, reads: Reads, use: _Use) -> None:
        for key in reads.keys:
            self._check(self._writer_of(key), "wrote", key, use, "read")
        for span in reads.spans:
            for key in self._keys.irange(span.start, span.end, (True, False)):
                self._check(self._writer_of(key), "wrote", key, use, "read")

    def _check_writes(self, changes: Overlay, use: _Use) -> None:
        for key in changes.writes:
            self._check_write(key, use)
        for span in changes.clears:
            for key in self._keys.irange(span.start, span.end, (True, False)):
                self._check_write(key, use)
            for wide in self._scans:
                if wide.span.start < span.end and span.start < wide.span.end:
                    self._check(wide.use, "read", span.start, use, "wrote")

    def _check_write(self, key: bytes, use: _Use) -> None:
        writer = self._writer_of(key)
        if not key.startswith(_RECORD):  # its log's tip, which an append reads, keeps these apart
            self._check(writer, "wrote", key, use, "wrote")
        since = 0 if writer is None else writer.number
        for reader in self._readers_of(key):
            if reader.number > since:
                self._check(reader, "read", key, use, "wrote")

    def _check(self, before: _Use | None, did: Deed, key: bytes, now: _Use, does: Deed) -> None:
        if before is None or before.is_apart_from(now):
            return
        wrong = UnprotectedWrite if did == does == "wrote" else UnprotectedRead
        self._found = wrong(
            f"key {key!r}: a transaction with the locks {_names(before)} {did} it, then one with"
            f" the locks {_names(now)} {does} it; no name is in both"
        )
        raise self._found

    def _writer_of(self, key: bytes) -> _Use | None:
        known = self._keys.get(key)
        writer = None if known is None else known.writer
        for wide in reversed(self._clears):
            if wide.span.covers(key):
                return wide.use if writer is None or wide.use.number > writer.number else writer
        return writer

    def _readers_of(self, key: bytes) -> Iterator[_Use]:
        known = self._keys.get(key)
        if known is not None:
            yield from known.readers.values()
        yield from (wide.use for wide in self._scans if wide.span.covers(key))

    # --- remembering

    def _take_in_reads(self, reads: Reads, use: _Use) -> None:
        for key in reads.keys:
            readers = self._known(key).readers
            readers.pop(use.locks, None)
            readers[use.locks] = use
            if len(readers) > limits.protected_readers_remembered_max:
                del readers[next(iter(readers))]
        _add(self._scans, reads.spans, use)

    def _take_in_writes(self, changes: Overlay, use: _Use) -> None:
        for span in changes.clears:
            for key in list(self._keys.irange(span.start, span.end, (True, False))):
                del self._keys[key]
            self._scans = [
                each
                for each in self._scans
                if each.span.start < span.start or span.end < each.span.end
            ]
        _add(self._clears, changes.clears, use)
        for key in changes.writes:
            known = self._known(key)
            known.writer = use
            known.readers.clear()

    def _known(self, key: bytes) -> _Key:
        known: _Key | None = self._keys.get(key)
        if known is None:
            self._keys[key] = known = _Key()
        return known


def _add(wide: list[_Wide], spans: Iterable[Span], use: _Use) -> None:
    """Remember `spans`, those of the same span and locks as one, and not too many."""
    for span in spans:
        wide[:] = [each for each in wide if each.span != span or each.use.locks != use.locks]
        wide.append(_Wide(span, use))
    del wide[: -limits.protected_spans_remembered_max]


def _names(use: _Use) -> str:
    return ", ".join(map(repr, sorted(use.locks))) or "none"
