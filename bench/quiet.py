"""Waiting until a server has done what it owes: a store goes on merging after it was filled."""

import os
import time
from pathlib import Path

BUSY_SHARE = 0.03
"""A process that takes less of a processor than this has nothing left to do."""
LOOK_SECONDS = 1.0
QUIET_SECONDS_MAX = 60.0
BLIND_SECONDS = 10.0
"""How long is waited where the time of a process is not told."""
_PROC = Path("/proc")  # Linux has it, macOS not


def await_quiet(process_id: int) -> bool:
    """Wait until a process is quiet; say whether it was in time."""
    before = processor_seconds(process_id)
    if before is None:
        time.sleep(BLIND_SECONDS)
        return True
    began = looked = time.monotonic()
    while looked - began < QUIET_SECONDS_MAX:
        time.sleep(LOOK_SECONDS)
        now, used = time.monotonic(), processor_seconds(process_id)
        if used is None or used - before < BUSY_SHARE * (now - looked):
            return True
        before, looked = used, now
    return False


def processor_seconds(process_id: int) -> float | None:
    """Return the processor time that a process has taken, None where that is not told."""
    try:
        text = (_PROC / str(process_id) / "stat").read_text("utf-8", "replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # its name, in brackets, may hold blanks
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
