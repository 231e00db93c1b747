"""The functions that are measured: this file alone is their code, and runs in workers.

Each notes what it was given in the file that the variable NOTES names: a line for an invocation, in
one write, since several workers of a function write there. All clocks of `time.monotonic_ns` on one
machine agree.
"""

import os
import time
from typing import Any

Event = dict[str, Any]


def note_marks(event: Event, _context: object) -> None:
    """Note when it began, and the marks of the items."""
    began = time.monotonic_ns()
    _note(began, *(_mark(record) for record in event["Records"]))


def add_up(event: Event, _context: object) -> None:
    """Note when it began and ended, how many records it was given, and the sum of their marks."""
    began = time.monotonic_ns()
    records = event["Records"]
    total = sum(int(_mark(record)) for record in records)
    _note(began, time.monotonic_ns(), len(records), total)


def count(event: Event, _context: object) -> None:
    """Note how many records it was given."""
    _note(len(event["Records"]))


def _mark(record: Event) -> str:
    text: str = record["dynamodb"]["NewImage"]["mark"]["S"]
    return text


def _note(*words: object) -> None:
    line = " ".join(map(str, words)) + "\n"
    file = os.open(os.environ["NOTES"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)
