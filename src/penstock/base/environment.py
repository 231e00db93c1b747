"""The process environment and the machine below it: the one place that reads them."""

import os
from collections.abc import Mapping
from pathlib import Path


def environment() -> Mapping[str, str]:
    """Return the environment variables of this process."""
    return os.environ


def boot() -> str:
    """Return a name of the time since the machine was switched on; nothing where none is told."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""
