"""What a function's answer means: which records to try again, and a window's state.

Facts: docs on partial batch responses and on tumbling windows, 2026-10, and answers seen on AWS.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from penstock.base import limits

_WHOLE_BATCH = 0
_NOTHING = (b"", b"null", b'""', b"{}", b"[]")

_decode = msgspec.json.Decoder().decode


class WindowState(NamedTuple):
    """The state that a function returned for a window: a JSON object.

    `is_too_large` says that it is over 1 MB, so that the window ends early.
    """

    data: bytes
    is_too_large: bool


class _WindowAnswer(msgspec.Struct):
    state: msgspec.Raw


_decode_window_answer = msgspec.json.Decoder(_WindowAnswer).decode


def failed_from(payload: bytes, sequence_numbers: Sequence[str]) -> int | None:
    """Return the index of the first record to try again, by the answer of ReportBatchItemFailures.

    None where all succeeded. 0, the whole batch, where the answer cannot be understood, or names
    what is none of `sequence_numbers`, which are those of the batch in its order.
    """
    if payload in _NOTHING:
        return None
    try:
        answer = _decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _WHOLE_BATCH
    if not answer and (answer is None or isinstance(answer, str | dict | list)):
        return None
    if not isinstance(answer, dict):
        return _WHOLE_BATCH
    failures = answer.get("batchItemFailures")
    if failures is None or failures == []:
        return None
    if not isinstance(failures, list):
        return _WHOLE_BATCH
    places = {number: index for index, number in enumerate(sequence_numbers)}
    return min(_place(failure, places) for failure in failures)


def _place(failure: Any, places: dict[str, int]) -> int:
    """Return which record a failure names; the first, which means all, where it names none."""
    identifier = failure.get("itemIdentifier") if isinstance(failure, dict) else None
    return places.get(identifier, _WHOLE_BATCH) if isinstance(identifier, str) else _WHOLE_BATCH


class _Error(msgspec.Struct, rename="camel"):
    error_message: str
    error_type: str = ""


_decode_error = msgspec.json.Decoder(_Error).decode


def error_text(payload: bytes) -> str:
    """Return what a function that failed says of it: the first line, as far as it is text.

    Messages of whole batches go on with tracebacks, which are in the function's log.
    """
    kind = ""
    try:
        error = _decode_error(payload)
        kind, text = error.error_type, error.error_message
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        text = payload[: limits.error_shown_chars_max].decode("utf-8", "replace")
    line = next((line for line in text.splitlines() if line.strip()), "").strip()
    return (f"{kind}: {line}" if kind else line)[: limits.error_shown_chars_max]


def window_state(payload: bytes) -> WindowState | None:
    """Return the state in a function's answer for a tumbling window.

    None where there is none, or no object, which makes it a failed invocation.
    """
    try:
        state = bytes(_decode_window_answer(payload).state)
        if not isinstance(_decode(state), dict):
            return None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return WindowState(state, len(state) > limits.window_state_bytes_max)
