"""What a worker needs to know of the function that it runs."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple


class WorkerSpec(NamedTuple):
    """One version of a function, as workers run it."""

    name: str
    arn: str
    """As it is executed: with the version or alias, where the invocation named one."""
    version: str
    runtime: str
    """As AWS names them: python3.12, nodejs20.x, provided.al2023."""
    handler: str
    code: Path
    """A directory, which workers read and never change."""
    timeout_seconds: int
    memory_mb: int
    environment: Mapping[str, str]
    region: str
    account: str
    log_group: str
    revision: str
    """Another one wherever workers of an older one must not be used any more."""
