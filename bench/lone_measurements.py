"""Measures what has no running server: the engine alone, and how servers start."""

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.measurements import CannotMeasure, Lone, Quantity
from bench.plan import Plan
from bench.processes import free_port, run
from bench.servers import ENGINE, LOCAL_DISK, LOCAL_MEMORY, PENSTOCK, SERVERS
from bench.starting import NotHealthy, start_to_healthy

ENGINE_SECONDS_MORE = 60.0
HEALTHY = {PENSTOCK: 200, LOCAL_DISK: 400, LOCAL_MEMORY: 400, "dynalite-memory": 200}
"""What a server answers to `GET /` when it is healthy; DynamoDB Local refuses a bare one."""
_MB = 1_000_000

COMMITS = Quantity("commits", "the engine's own group commit", "transactions/s", is_durable=True)
START = Quantity("start", "start to healthy", "s", 2, less_is_better=True)
MEMORY = Quantity("idle-memory", "idle memory", "MB", 0, less_is_better=True)


def engine_commits(plan: Plan) -> tuple[float, ...]:
    """Return how many transactions per second the engine alone makes durable."""
    folder = Path(tempfile.mkdtemp(prefix="penstock-bench-", dir=plan.data))
    seconds = plan.other_seconds
    command = [sys.executable, "-m", "bench.floor", "engine", str(folder / "store"), str(seconds)]
    try:
        return (float(run(command, folder / "log", seconds * 2 + ENGINE_SECONDS_MORE)),)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def start_of(server: str) -> Callable[[Plan], tuple[float, ...]]:
    """Return what starts a server once, and tells seconds and idle memory."""

    def measure(plan: Plan) -> tuple[float, ...]:
        found, port = SERVERS[server].find(), free_port()
        try:
            started = start_to_healthy(found, port, status=HEALTHY[server], root=plan.data)
        except NotHealthy as failure:
            raise CannotMeasure(str(failure), failure.detail) from failure
        return started.seconds, started.idle_rss_bytes / _MB

    return measure


LONE_MEASUREMENTS = (
    Lone("commits", ENGINE, (COMMITS,), engine_commits),
    *(Lone(f"start-{server}", server, (START, MEMORY), start_of(server)) for server in HEALTHY),
)
