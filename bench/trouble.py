"""What goes wrong, and how much of it may be told where.

What is stored is published. So a reason or a failure that is stored, or stands on the page, names
no path, no address and no machine; what else is known goes to the terminal alone.
"""

import re
import socket
import traceback

TEXT_CHARS_MAX = 300

_ADDRESS = re.compile(r"\b[A-Za-z][\w+.-]*://\S+")
_PATH = re.compile(r"(?<![\w.])~?/[^\s\"'`:,;()\[\]<>]+")


class Trouble(Exception):
    """What the benchmark can tell in a sentence; `detail` is for the terminal alone."""

    def __init__(self, text: str, detail: str = "") -> None:
        super().__init__(text)
        self.detail = detail.strip()


def sentence(error: Exception) -> str:
    """Return what went wrong as it may be stored; of what nobody expected, its type as well."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    line = lines[0] if lines else ""
    if isinstance(error, Trouble):
        return public(line)
    return public(f"{type(error).__name__}: {line}" if line else type(error).__name__)


def detail(error: Exception) -> str:
    """Return what else is known of it, for the terminal; empty where that is nothing."""
    if isinstance(error, Trouble):
        return error.detail
    return "".join(traceback.format_exception(error)).strip()


def public(text: str) -> str:
    """Return a text without what tells of the machine: paths, addresses, and its name."""
    told = _PATH.sub("(path)", _ADDRESS.sub("(address)", text))
    name = socket.gethostname()
    if name and name != "localhost":
        told = re.sub(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", "(host)", told)
    return told if len(told) <= TEXT_CHARS_MAX else f"{told[:TEXT_CHARS_MAX]}…"
