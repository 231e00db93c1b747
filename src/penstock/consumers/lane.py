"""A lane: records of one shard that are handed to the function one batch after the other.

A shard has as many as its mapping's ParallelizationFactor; all records of an item are in one. Here
is only when a batch is due and what it holds; nothing waits here.
"""

from collections import deque
from typing import NamedTuple

from penstock.base import limits
from penstock.consumers.progress import Item


class Terms(NamedTuple):
    """What a mapping says of its batches: records, milliseconds, and of tumbling windows."""

    batch_size: int
    batching_window_ms: float = 0.0
    tumbling_window_ms: int = 0


class Lane:
    """The records of one lane that wait, in their order; times are of `Clock.elapsed_ms`."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._items: deque[Item] = deque()
        self._bytes = limits.event_frame_bytes
        self._since_ms = 0.0
        self._idle_since_ms = 0.0

    def __len__(self) -> int:
        return len(self._items)

    @property
    def first(self) -> Item | None:
        """The record that is next, if there is one."""
        return self._items[0] if self._items else None

    def add(self, item: Item, now_ms: float) -> None:
        """Take a record in."""
        if not self._items:
            self._since_ms = now_ms
        self._items.append(item)
        self._bytes += len(item.record.data) + 1

    def note_idle(self, now_ms: float) -> None:
        """Note that a batch is done: the window of the next one begins."""
        self._idle_since_ms = now_ms

    def due_in_ms(self, now_ms: float, *, no_more: bool) -> float | None:
        """Return in how many milliseconds a batch is due, at most 0 for now; None without records.

        `no_more` says that nothing will be added.
        """
        if not self._items:
            return None
        window_ms = self._terms.batching_window_ms
        if not window_ms or no_more or self._is_full():
            return 0.0
        return max(self._since_ms, self._idle_since_ms) + window_ms - now_ms

    def take(self, state_bytes: int = 0) -> list[Item]:
        """Take out the next batch: as many as the mapping allows, and fit into one event.

        `state_bytes` is what else the event holds.
        """
        items, terms = self._items, self._terms
        window = self.window_of(items[0]) if terms.tumbling_window_ms and items else None
        size = limits.event_frame_bytes + state_bytes
        batch: list[Item] = []
        while items and len(batch) < terms.batch_size:
            item = items[0]
            size += len(item.record.data) + 1
            if batch and size > limits.invocation_bytes_max:
                break
            if window is not None and self.window_of(item) != window:
                break
            batch.append(items.popleft())
        self._bytes -= sum(len(item.record.data) + 1 for item in batch)
        return batch

    def _is_full(self) -> bool:
        """Say whether no later record can be in the next batch."""
        items, terms = self._items, self._terms
        if len(items) >= terms.batch_size or self._bytes > limits.invocation_bytes_max:
            return True
        return bool(terms.tumbling_window_ms) and (
            self.window_of(items[0]) != self.window_of(items[-1])
        )

    def window_of(self, item: Item) -> int:
        """Return the start of the tumbling window that a record belongs to, in epoch ms."""
        length_ms = self._terms.tumbling_window_ms
        return item.record.created_ms // length_ms * length_ms
