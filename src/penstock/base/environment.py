"""The process environment: the one place that reads it."""

import os
from collections.abc import Mapping


def environment() -> Mapping[str, str]:
    """Return the environment variables of this process."""
    return os.environ
