"""What a command writes to once nobody reads it any more."""

import os
from typing import TextIO


def forget(output: TextIO) -> None:
    """Keep the interpreter from flushing into a pipe that nobody reads any more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), output.fileno())
