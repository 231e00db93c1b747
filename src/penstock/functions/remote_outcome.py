"""What an answer of a function elsewhere means: its outcome, in the form of Lambda's own."""

import base64
import binascii

import msgspec

from penstock.base import limits
from penstock.functions.invoker import FunctionError, Outcome


def no_outcome(kind: str, text: str, status: int) -> Outcome:
    """Return the outcome of an invocation without an answer that could be its function's."""
    told = msgspec.json.encode({"errorType": kind, "errorMessage": text})
    return Outcome(told, "Unhandled", status=status)


def too_large(place: str) -> Outcome:
    """Return the outcome of an answer that is larger than Lambda's may be."""
    text = (
        f"Response payload size exceeded maximum allowed payload size"
        f" ({limits.function_answer_bytes_max} bytes): {place}"
    )
    return no_outcome("Function.ResponseSizeTooLarge", text, 200)


def function_error(told: str | None) -> FunctionError | None:
    """Return what the header or member of a function's error says; any text is an error."""
    if not told:
        return None
    return "Handled" if told == "Handled" else "Unhandled"


def log_tail(told: str | None) -> bytes:
    """Return the end of a function's log out of base64; nothing where it is not there."""
    try:
        return base64.b64decode(told or "", validate=True)
    except (binascii.Error, ValueError):
        return b""
