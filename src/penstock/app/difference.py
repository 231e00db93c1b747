"""The difference between two images of an item, attribute by attribute: pure, and safe to print.

An image is a map of attribute values as a DynamoDB client gives them, `{"city": {"S": "Seattle"}}`,
with binary as bytes. Texts made here never hold a character that a terminal would act upon.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

Value = Mapping[str, Any]
Image = Mapping[str, Value]

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_#:/@-]*")
_SETS = ("SS", "NS", "BS")
_BYTES_SHOWN_MAX = 16
_VALUE_CHARS_MAX = 400
_ALIKE_CHARS_MAX = 40  # of a long value, before the first character that changed


class Kind(Enum):
    """What happened to the value at one path."""

    ADDED = "+"
    REMOVED = "-"
    CHANGED = "~"
    SHOWN = "="  # the stream's view holds one side only, so nothing can be said of a difference


@dataclass(frozen=True, slots=True)
class Edit:
    """One path of an item with its value before and after, as text; an absent side is None."""

    kind: Kind
    path: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class Difference:
    """All edits of one change in order of path, and how many attributes stayed as they were."""

    edits: tuple[Edit, ...]
    unchanged: int
    note: str = ""


def record_difference(record: Mapping[str, Any]) -> Difference:
    """Return what one stream record of any view type says about its item, keys left out.

    `record` is an element of GetRecords' `Records`. Where the view holds one image of a MODIFY, its
    attributes are SHOWN; where it holds none, there are no edits and the note says so.
    """
    body = record["dynamodb"]
    keys = body.get("Keys", {})
    old, new = _without(body.get("OldImage"), keys), _without(body.get("NewImage"), keys)
    event, view = record["eventName"], body.get("StreamViewType", "")
    if event == "MODIFY" and (old is None) != (new is None):
        return _one_side(old, new)
    if old is None and new is None:
        return Difference((), 0, _absence(event, view))
    return item_difference(old or {}, new or {})


def item_difference(old: Image, new: Image) -> Difference:
    """Return the edits that lead from `old` to `new`, paths like `a.b[2]`, in order of name."""
    names = sorted(old.keys() | new.keys())
    edits: list[Edit] = []
    unchanged = 0
    for name in names:
        found = list(_edits(path_name(name), old.get(name), new.get(name)))
        edits += found
        unchanged += not found
    return Difference(tuple(edits), unchanged)


def value_text(value: Value) -> str:
    """Return an attribute value on one line: strings quoted, sets in braces, binary by its head."""
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return printable(json.dumps(content, ensure_ascii=False))
        case "N":
            return printable(str(content))
        case "BOOL":
            return "true" if content else "false"
        case "NULL":
            return "null"
        case "B":
            return _binary_text(content)
        case "M":
            inner = (f"{path_name(name)}: {value_text(content[name])}" for name in sorted(content))
            return "{" + ", ".join(inner) + "}"
        case "L":
            return "[" + ", ".join(value_text(element) for element in content) + "]"
        case _:
            return "{" + ", ".join(_element_texts(kind, content)) + "}"


def path_name(name: str) -> str:
    """Return an attribute name as it stands in a path: quoted unless it is a plain word."""
    if _PLAIN_NAME.fullmatch(name):
        return name
    return printable(json.dumps(name, ensure_ascii=False))


def printable(text: str) -> str:
    """Return `text` with every character that is not printable written as `\\uXXXX`."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def shortened_pair(old: str, new: str) -> tuple[str, str]:
    """Return both sides, long ones from shortly before the place where they begin to differ."""
    if max(len(old), len(new)) <= _VALUE_CHARS_MAX:
        return old, new
    pairs = enumerate(zip(old, new, strict=False))
    alike = next((at for at, (one, other) in pairs if one != other), min(len(old), len(new)))
    skipped = max(alike - _ALIKE_CHARS_MAX, 0)
    return shortened(old, skipped), shortened(new, skipped)


def shortened(text: str, skipped: int = 0) -> str:
    """Return what of `text` is shown, without its first `skipped` characters."""
    shown = text[skipped : skipped + _VALUE_CHARS_MAX]
    if shown == text:
        return text
    lead = "…" if skipped else ""
    trail = "…" if skipped + len(shown) < len(text) else ""
    return f"{lead}{shown}{trail} ({len(text)} characters)"


def _escaped(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _edits(path: str, old: Value | None, new: Value | None) -> Iterator[Edit]:
    if old is None or new is None:
        yield _whole(path, old, new)
        return
    ((old_kind, old_content),) = old.items()
    ((new_kind, new_content),) = new.items()
    if old_kind != new_kind:
        yield _whole(path, old, new)
    elif old_kind == "M":
        yield from _map_edits(path, old_content, new_content)
    elif old_kind == "L":
        yield from _list_edits(path, old_content, new_content)
    elif old_kind in _SETS:
        yield from _set_edits(path, old_kind, old_content, new_content)
    elif old_content != new_content:
        yield _whole(path, old, new)


def _map_edits(path: str, old: Image, new: Image) -> Iterator[Edit]:
    for name in sorted(old.keys() | new.keys()):
        yield from _edits(f"{path}.{path_name(name)}", old.get(name), new.get(name))


def _list_edits(path: str, old: list[Value], new: list[Value]) -> Iterator[Edit]:
    for at in range(max(len(old), len(new))):
        before = old[at] if at < len(old) else None
        after = new[at] if at < len(new) else None
        yield from _edits(f"{path}[{at}]", before, after)


def _set_edits(path: str, kind: str, old: Any, new: Any) -> Iterator[Edit]:
    before, after = set(old), set(new)
    for text in _element_texts(kind, before - after):
        yield Edit(Kind.REMOVED, path + "{}", text, None)
    for text in _element_texts(kind, after - before):
        yield Edit(Kind.ADDED, path + "{}", None, text)


def _whole(path: str, old: Value | None, new: Value | None) -> Edit:
    kind = Kind.ADDED if old is None else Kind.REMOVED if new is None else Kind.CHANGED
    before = None if old is None else value_text(old)
    after = None if new is None else value_text(new)
    return Edit(kind, path, before, after)


def _one_side(old: Image | None, new: Image | None) -> Difference:
    if new is not None:
        shown = [
            Edit(Kind.SHOWN, path_name(name), None, value_text(new[name])) for name in sorted(new)
        ]
        return Difference(tuple(shown), 0, "after the change; the stream's view is NEW_IMAGE")
    image = old or {}
    shown = [
        Edit(Kind.SHOWN, path_name(name), value_text(image[name]), None) for name in sorted(image)
    ]
    return Difference(tuple(shown), 0, "before the change; the stream's view is OLD_IMAGE")


def _absence(event: str, view: str) -> str:
    if view == "KEYS_ONLY":
        return "keys only; the stream's view is KEYS_ONLY"
    side = "new" if view == "OLD_IMAGE" else "old"
    return f"no {side} image of {event}; the stream's view is {view}" if view else ""


def _without(image: Image | None, keys: Image) -> Image | None:
    if image is None:
        return None
    return {name: value for name, value in image.items() if name not in keys}


def _element_texts(kind: str, content: Any) -> list[str]:
    one = kind[0]
    return sorted(value_text({one: element}) for element in content)


def _binary_text(content: Any) -> str:
    data = bytes(content)
    head = data[:_BYTES_SHOWN_MAX].hex()
    if len(data) <= _BYTES_SHOWN_MAX:
        return f"0x{head}"
    return f"0x{head}… ({len(data)} bytes)"
