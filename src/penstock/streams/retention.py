"""Retention: which records of a log may still be read.

What is older than 24 hours is invisible at once, whether or not its bytes are still there.
"""

from penstock.base import limits
from penstock.storage.waist import Stamp, stamp_at


def horizon(now_ms: int) -> Stamp:
    """Return the smallest stamp that may still be read at `now_ms`."""
    return stamp_at(now_ms - limits.stream_retention_ms)
