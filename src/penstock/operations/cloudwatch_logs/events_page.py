"""A page of lines: as many as fit, and where it ends at both sides."""

from collections.abc import Iterable
from typing import NamedTuple

from penstock.base import limits
from penstock.functions.log_patterns import Matches
from penstock.functions.log_reading import Boundary, Event


class Page(NamedTuple):
    """Some lines in the order of their reading."""

    events: list[Event]
    behind: Boundary | None
    """Where reading goes on, in its direction; None where nothing was looked at."""
    is_last: bool


def event_page(
    events: Iterable[Event], events_max: int, *, backward: bool, matches: Matches | None = None
) -> Page:
    """Return the first of `events` that match, of the number and bytes that a page may have."""
    found: list[Event] = []
    last: Event | None = None
    page_bytes = searched_bytes = 0
    for searched, event in enumerate(events, 1):
        size = len(event.text) + limits.log_event_extra_bytes
        searched_bytes += size
        is_full = page_bytes + size > limits.log_page_bytes_max and bool(found)
        is_enough = last is not None and (
            searched > limits.log_page_searched_max
            or searched_bytes > limits.log_page_searched_bytes_max
        )
        if is_full or is_enough or len(found) == events_max:
            return Page(found, _behind(last, backward), is_last=False)
        last = event
        if matches is None or matches(event.text.decode()):
            found.append(event)
            page_bytes += size
    return Page(found, _behind(last, backward), is_last=True)


def _behind(last: Event | None, backward: bool) -> Boundary | None:
    if last is None:
        return None
    return last.before if backward else last.behind
