"""Progress in a shard: which records are at hand, and up to where all are finished."""

from collections import deque
from collections.abc import Callable, Iterable

from penstock.consumers.source import SourceRecord


class Item:
    """A record at hand, and whether it is finished: delivered, or given up for good."""

    __slots__ = ("is_finished", "record")

    def __init__(self, record: SourceRecord) -> None:
        self.record = record
        self.is_finished = False


class Progress:
    """The place in one shard up to where every record is finished.

    What is finished out of order counts once all before it is. `position` is None at the end of a
    closed shard, when all of it is finished. `is_ended` says that all of it has been read.
    """

    def __init__(self, position: str | None, after: Callable[[SourceRecord], str]) -> None:
        self.position = position
        self.is_ended = position is None
        self._after = after
        self._items: deque[Item] = deque()
        self._read_to = position
        self.bytes_at_hand = 0

    def __len__(self) -> int:
        """Return how many records are at hand, counted from the first that is not finished."""
        return len(self._items)

    @property
    def first(self) -> Item | None:
        """The first record that is not finished, if one is at hand."""
        return self._items[0] if self._items else None

    @property
    def oldest_ms(self) -> int | None:
        """When the first record that is not finished was written; None where none is at hand."""
        first = self.first
        return None if first is None else first.record.created_ms

    def take_in(self, items: Iterable[Item], read_to: str | None) -> bool:
        """Note what was read, up to `read_to`; say whether `position` has moved.

        Records that were read and are not wanted are just not among `items`.
        """
        for item in items:
            self._items.append(item)
            self.bytes_at_hand += len(item.record.data)
        self._read_to = read_to
        self.is_ended = read_to is None
        return self._move(None)

    def finish(self, items: Iterable[Item]) -> bool:
        """Note that these are finished; say whether `position` has moved."""
        for item in items:
            item.is_finished = True
        last = None
        waiting = self._items
        while waiting and waiting[0].is_finished:
            last = waiting.popleft().record
            self.bytes_at_hand -= len(last.data)
        return self._move(last)

    def _move(self, last: SourceRecord | None) -> bool:
        before = self.position
        if not self._items:
            self.position = self._read_to
        elif last is not None:
            self.position = self._after(last)
        return self.position != before
