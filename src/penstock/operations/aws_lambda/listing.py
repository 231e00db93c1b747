"""Lists that come in pages: where a page begins, and what says where the next one does."""

from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, TypeVar

from penstock.base import limits
from penstock.base.errors import aws_lambda

T = TypeVar("T")


def after_of(request: dict[str, Any]) -> str:
    """Return after what the page of a request begins: nothing for the first one."""
    marker = request.get("Marker")
    if not marker:
        return ""
    try:
        return b64decode(marker, b"-_", validate=True).decode()
    except ValueError:
        raise aws_lambda.invalid_parameter("Invalid value for parameter Marker") from None


def page_of(
    request: dict[str, Any],
    members: Iterable[T],
    name: str,
    shown: Callable[[T], Any],
    place: Callable[[T], str],
    members_max: int = limits.function_list_page_max,
) -> dict[str, Any]:
    """Return a page of `members` as the list `name`, with a NextMarker where there are more.

    `place` says after what the next page begins where a member is the last of its page.
    """
    most = min(request.get("MaxItems", members_max), members_max)
    found = list(islice(members, most + 1))
    page: dict[str, Any] = {name: [shown(member) for member in found[:most]]}
    if len(found) > most:
        page["NextMarker"] = urlsafe_b64encode(place(found[most - 1]).encode()).decode()
    return page
