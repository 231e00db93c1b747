"""What a command writes to once nobody reads it any more, and how a command ends at once."""

import contextlib
import os
import sys
from typing import NoReturn, TextIO


def forget(output: TextIO) -> None:
    """Keep the interpreter from flushing into a pipe that nobody reads any more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), output.fileno())


def end_process() -> NoReturn:
    """End the process with status 0, here and now: what was opened knows that it ends so."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(0)
