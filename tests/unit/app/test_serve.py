"""What `penstock serve` does in its own process, beside what the fault tests see from outside."""

import gc
from collections.abc import Iterator

import pytest

from penstock.app.serve import spare_collector
from penstock.base import limits


@pytest.fixture
def _collector() -> Iterator[None]:
    threshold = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)


class Node:
    """Something that can be part of a cycle."""

    def __init__(self) -> None:
        self.self: Node | None = self


@pytest.mark.usefixtures("_collector")
def test_cycles_that_come_after_the_start_are_still_collected() -> None:
    """As many as make the collector look, and no search among what was there before."""
    spare_collector()
    assert gc.get_freeze_count() > 0
    looked: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "stop":
            looked.append(info["collected"])

    gc.callbacks.append(note)
    try:
        for _ in range(limits.collected_objects_min):
            Node()
    finally:
        gc.callbacks.remove(note)
    assert looked
    assert sum(looked) > limits.collected_objects_min / 2
