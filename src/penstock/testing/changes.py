"""Changes of items as a test writes them down: `inserted`, `modified`, `removed`, `expired`.

Images are plain Python values as boto3's resources take and give them: str, int, Decimal, bool,
None, bytes, lists, dicts, sets. A float stands for the number that it prints as. Any other object
is a matcher: it fits every value that it compares equal to, as `unittest.mock.ANY` does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

EventName = Literal["INSERT", "MODIFY", "REMOVE"]
Plain = Mapping[str, Any]
"""An item in plain Python values."""


@dataclass(frozen=True, slots=True)
class ItemChange:
    """One change of one item; an image is None where there was, or is, no item.

    `expired` says that the item was removed because its time to live had ended.
    """

    event: EventName
    old: Plain | None
    new: Plain | None
    expired: bool = False

    @property
    def image(self) -> Plain:
        """The item after the change, or before it where it is removed."""
        return (self.old if self.new is None else self.new) or {}


def inserted(new: Plain) -> ItemChange:
    """Return the change that makes the item `new`."""
    return ItemChange("INSERT", None, _item(new, "inserted"))


def modified(old: Plain, new: Plain) -> ItemChange:
    """Return the change of the item `old` into `new`."""
    return ItemChange("MODIFY", _item(old, "modified"), _item(new, "modified"))


def removed(old: Plain) -> ItemChange:
    """Return the change that removes the item `old`, by whatever but its time to live."""
    return ItemChange("REMOVE", _item(old, "removed"), None)


def expired(old: Plain) -> ItemChange:
    """Return the change that removes the item `old` because its time to live has ended."""
    return ItemChange("REMOVE", _item(old, "expired"), None, expired=True)


def _item(image: Any, maker: str) -> Plain:
    if not isinstance(image, Mapping) or not image:
        raise TypeError(f"{maker}() takes items as dicts of plain values, not {image!r}")
    wrong = [name for name in image if not isinstance(name, str)]
    if wrong:
        raise TypeError(f"{maker}(): an attribute's name is a str, not {wrong[0]!r}")
    return image
