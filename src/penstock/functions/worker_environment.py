"""The environment of a worker's process: what Lambda sets, what the user sets, and nothing else."""

from pathlib import Path
from typing import NamedTuple

from penstock.functions.worker_spec import WorkerSpec

_PATHS = "/usr/local/bin:/usr/bin:/bin:/opt/bin"


class Place(NamedTuple):
    """Where one worker lives: its API, its own directory, and the stream of its log."""

    api: str
    own: Path
    log_stream: str
    runtime_folder: Path
    """Where the runtime that it runs on is, on AWS /var/runtime."""
    search_path: str
    """PATH of the server, behind Lambda's own: programs are where the machine has them."""


def worker_environment(spec: WorkerSpec, place: Place) -> dict[str, str]:
    """Return all variables of a worker's process.

    The credentials are made up: what checks none takes them, and what does refuses them. A function
    brings others in its own variables, which win over those here that they may set on AWS.
    """
    usual = {
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PATH": ":".join(dict.fromkeys(f"{_PATHS}:{place.search_path}".split(":"))),
        "HOME": str(place.own),
        "TMPDIR": str(place.own),
        "AWS_ACCESS_KEY_ID": "penstock",
        "AWS_SECRET_ACCESS_KEY": "penstock",
        "AWS_SESSION_TOKEN": "penstock",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
    }
    return usual | dict(spec.environment) | _reserved(spec, place)


def _reserved(spec: WorkerSpec, place: Place) -> dict[str, str]:
    """Return what a function can not set on AWS either."""
    return {
        "_HANDLER": spec.handler,
        "AWS_DEFAULT_REGION": spec.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{spec.runtime}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
        "AWS_LAMBDA_FUNCTION_NAME": spec.name,
        "AWS_LAMBDA_FUNCTION_VERSION": spec.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": spec.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": place.log_stream,
        "AWS_LAMBDA_RUNTIME_API": place.api,
        "AWS_REGION": spec.region,
        "LAMBDA_RUNTIME_DIR": str(place.runtime_folder),
        "LAMBDA_TASK_ROOT": str(spec.code),
    }
