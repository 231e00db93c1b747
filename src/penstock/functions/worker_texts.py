"""What AWS tells of invocations: the lines in a function's log, and the payloads of errors.

Texts as they are quoted from live AWS in public issues, 2018 to 2026; where they changed, the
newest.
"""

import math
from typing import NamedTuple

import msgspec

from penstock.base.clock import iso_label
from penstock.functions.worker_spec import WorkerSpec

EXIT_ERROR = "Runtime.ExitError"
OUT_OF_MEMORY = "Runtime.OutOfMemory"
TIMED_OUT = "Sandbox.Timedout"
INVALID_ENTRYPOINT = "Runtime.InvalidEntrypoint"
KILLED = "Runtime exited with error: signal: killed"


class Report(NamedTuple):
    """What is told at the end of an invocation."""

    request_id: str
    duration_ms: float
    memory_bytes: int
    """The most that was seen of what it held."""
    init_ms: float | None
    """How long the worker took to begin, of its first invocation."""
    status: str = ""
    error_type: str = ""


def init_line(runtime: str) -> str:
    """Return the line that a worker begins with."""
    return f"INIT_START Runtime Version: {runtime}"


def init_report_line(init_ms: float, status: str) -> str:
    """Return the line of a worker that took too long to begin."""
    return f"INIT_REPORT Init Duration: {init_ms:.2f} ms\tPhase: init\tStatus: {status}"


def start_line(request_id: str, version: str) -> str:
    """Return the line that begins an invocation."""
    return f"START RequestId: {request_id} Version: {version}"


def end_line(request_id: str) -> str:
    """Return the line that ends it."""
    return f"END RequestId: {request_id}"


def report_line(spec: WorkerSpec, report: Report) -> str:
    """Return the line that ends an invocation; since 2025-08 the start is billed, too."""
    billed = math.ceil(report.duration_ms + (report.init_ms or 0.0))
    pieces = [
        f"REPORT RequestId: {report.request_id}",
        f"Duration: {report.duration_ms:.2f} ms",
        f"Billed Duration: {billed} ms",
        f"Memory Size: {spec.memory_mb} MB",
        f"Max Memory Used: {math.ceil(report.memory_bytes / (1024 * 1024))} MB",
    ]
    if report.init_ms is not None:
        pieces.append(f"Init Duration: {report.init_ms:.2f} ms")
    if report.status:
        pieces.append(f"Status: {report.status}")
    if report.error_type:
        pieces.append(f"Error Type: {report.error_type}")
    return "\t".join(pieces) + "\t"


def timed_out_text(seconds: float) -> str:
    """Return what is told of a time that is over."""
    return f"Task timed out after {seconds:.2f} seconds"


def timed_out_line(at_ms: int, request_id: str, seconds: float) -> str:
    """Return the line of an invocation that was ended for its time."""
    return f"{iso_label(at_ms)}Z {request_id} {timed_out_text(seconds)}"


def error_line(request_id: str, error_type: str, text: str) -> str:
    """Return the line of a worker that ended."""
    return f"RequestId: {request_id} Error: {text}\n{error_type}"


def error_payload(request_id: str, error_type: str, text: str) -> bytes:
    """Return the payload of an error that the function did not tell itself."""
    members = {"errorType": error_type, "errorMessage": f"RequestId: {request_id} Error: {text}"}
    return msgspec.json.encode(members)
