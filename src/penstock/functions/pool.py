"""The workers of one node: as many as there is work for, and none a while after there was some.

An invocation takes the worker that became idle last, or starts one. Each worker has one invocation
at a time. What finds no room is refused as throttled, and never waits in line: whoever asked knows
better when to ask again.
"""

import asyncio
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from penstock.base import limits
from penstock.base.background import Job
from penstock.base.clock import Clock
from penstock.base.environment import environment
from penstock.base.ids import Entropy
from penstock.functions.invoker import NotInvoked, Outcome
from penstock.functions.log_sink import LogSink
from penstock.functions.process_tree import kill_strays
from penstock.functions.runtimes import Runtimes
from penstock.functions.worker import Asked, Shared, Work, Worker
from penstock.functions.worker_spec import WorkerSpec

_SECOND_MS = 1000.0


@dataclass(eq=False, slots=True)
class _Fleet:
    """The workers of one function, of all its versions."""

    workers: set[Worker] = field(default_factory=set)
    idle: list[Worker] = field(default_factory=list)
    """The one that became idle last is the last."""
    revisions: dict[str, str] = field(default_factory=dict)
    """Of each version, the revision that was asked for last."""
    starting: int = 0
    """Invocations that wait until a worker may be started."""
    failures: int = 0
    """Workers in a row that ended without having begun."""
    start_at_ms: float = 0.0
    """Before which no worker is started."""

    @property
    def busy(self) -> int:
        return len(self.workers) - len(self.idle)

    def take_idle(self, spec: WorkerSpec) -> Worker | None:
        for place in range(len(self.idle) - 1, -1, -1):
            has = self.idle[place].spec
            if has.version == spec.version and has.revision == spec.revision:
                return self.idle.pop(place)
        return None


class Pool:
    """The workers of one node, within one event loop."""

    def __init__(
        self,
        clock: Clock,
        entropy: Entropy,
        logs: LogSink,
        root: Path,
        workers_max: int,
        *,
        node_ric: Path | None = None,
        idle_ms: float = limits.worker_idle_ms,
    ) -> None:
        """Keep `workers_max` processes at most, each with a directory of its own below `root`.

        `node_ric` is the directory of aws-lambda-ric, where it is not with the functions or npm.
        """
        self._clock, self._entropy, self._logs = clock, entropy, logs
        self._root = root.absolute()  # workers are elsewhere
        self._workers_max = workers_max
        self._idle_ms = idle_ms
        self._runtimes = Runtimes(environment().get("PATH", ""), node_ric and node_ric.absolute())
        self._shared: Shared | None = None
        self._fleets: dict[tuple[str, str, str], _Fleet] = {}
        self._going: set[Worker] = set()
        """Workers that have ended, whose processes are not yet gone."""
        self._prepared: asyncio.Task[None] | None = None
        self._is_stopped = False

    @property
    def workers(self) -> int:
        """How many workers there are."""
        return sum(len(fleet.workers) for fleet in self._fleets.values())

    @property
    def busy(self) -> int:
        """How many workers have something to do."""
        return sum(fleet.busy for fleet in self._fleets.values())

    async def invoke(
        self,
        spec: WorkerSpec,
        payload: bytes,
        *,
        tail: bool = False,
        client_context: bytes | None = None,
        request_id: str | None = None,
        concurrency_max: int | None = None,
    ) -> Outcome:
        """Run the function once, on a worker of exactly this `spec.revision`.

        `concurrency_max` is how many invocations the function may have at once, all versions
        together; None for no limit of its own. Raises NotInvoked: "throttled" where no worker may
        be started, "unavailable" where none can, and where the pool is stopped meanwhile: then
        whatever the function has done of it will be asked of it again. Who is cancelled leaves the
        function to go on.
        """
        if self._shared is None:
            self._shared = self._share()
        asked = Asked(spec.arn, payload, request_id or self._entropy.uuid(), client_context, tail)
        fleet = self._fleets.setdefault((spec.region, spec.account, spec.name), _Fleet())
        if fleet.revisions.get(spec.version) != spec.revision:
            self._replace(fleet, spec)
        worker = self._take(fleet, spec, concurrency_max)
        work = Work(asked, self._shared.loop.create_future())
        if worker is not None:
            worker.run(work)
        else:
            fleet.starting += 1  # or it would be forgotten meanwhile
            try:
                await self._may_start(fleet)
            finally:
                fleet.starting -= 1
            worker = self._take(fleet, spec, concurrency_max)  # others were here meanwhile
            if worker is not None:
                worker.run(work)
            else:
                self._make_room()
                worker = Worker(spec, self._shared)
                worker.is_retired = fleet.revisions.get(spec.version) != spec.revision
                fleet.workers.add(worker)
                worker.begin(work)
        return await work.done

    def retire(self, name: str) -> None:
        """Let no worker of the functions of that name be used again; what they have they finish."""
        for (_, _, function), fleet in self._fleets.items():
            if function == name:
                fleet.revisions.clear()
                fleet.failures, fleet.start_at_ms = 0, 0.0
                for worker in tuple(fleet.workers):
                    self._retire(fleet, worker)

    def job(self) -> Job:
        """Return the job that ends idle workers."""
        return Job("idle workers", self.tend, limits.worker_tend_interval_ms)

    async def tend(self) -> None:
        """End the workers that have been idle for long enough."""
        now_ms = self._clock.elapsed_ms()
        for key, fleet in tuple(self._fleets.items()):
            for worker in tuple(fleet.idle):
                if now_ms - worker.idle_since_ms >= self._idle_ms:
                    worker.end()
            is_unused = not fleet.workers and not fleet.starting
            if is_unused and now_ms >= fleet.start_at_ms + limits.worker_backoff_ms_max:
                del self._fleets[key]

    def leave(self) -> None:
        """Know that the server is to stop: a worker that is signalled now has not failed."""
        if self._shared is not None:
            self._shared.is_stopping = True

    async def stop(self) -> None:
        """End all workers at once, whatever they do, within 0.2 s; safe twice."""
        self._is_stopped = True
        for fleet in tuple(self._fleets.values()):
            for worker in tuple(fleet.workers):
                worker.end()
        gone = [worker.gone for worker in self._going if not worker.gone.done()]
        if gone:
            await asyncio.wait(gone, timeout=limits.worker_end_seconds_max)

    # --- who runs what

    def _take(self, fleet: _Fleet, spec: WorkerSpec, concurrency_max: int | None) -> Worker | None:
        """Return an idle worker for `spec`, or None where one has to be started."""
        if self._is_stopped:
            raise NotInvoked("unavailable", "the server is stopping")
        if concurrency_max is not None and fleet.busy >= concurrency_max:
            raise NotInvoked("throttled", "the function's reserved concurrency is used up")
        return fleet.take_idle(spec)

    async def _may_start(self, fleet: _Fleet) -> None:
        """Wait until a worker may be started: after such as never began, not at once."""
        await self._prepare()
        assert self._shared is not None
        now_ms = self._shared.loop.time() * _SECOND_MS
        wait_ms = fleet.start_at_ms - now_ms
        if wait_ms <= 0:
            return
        if wait_ms > limits.worker_backoff_ms_max:
            raise NotInvoked("throttled", "the function's workers end before they begin")
        fleet.start_at_ms += _backoff_ms(fleet.failures)  # the next one, after this one
        await asyncio.sleep(wait_ms / _SECOND_MS)

    async def _prepare(self) -> None:
        """Have the directory for the workers' own ones, once."""
        if self._prepared is None:
            self._prepared = asyncio.create_task(asyncio.to_thread(_make_folder, self._root))
        try:
            await asyncio.shield(self._prepared)
        except OSError as error:  # a full disk, say: it may be another time
            self._prepared = None
            raise NotInvoked("unavailable", f"workers have no directory: {error}") from error

    def _make_room(self) -> None:
        """See that one more worker may be started; the longest idle one goes for it."""
        if self.workers < self._workers_max:
            return
        idle = [worker for fleet in self._fleets.values() for worker in fleet.idle]
        if not idle:
            raise NotInvoked("throttled", f"all {self._workers_max} workers are busy")
        min(idle, key=lambda worker: worker.idle_since_ms).end()

    def _replace(self, fleet: _Fleet, spec: WorkerSpec) -> None:
        """Retire the workers of older revisions of this version."""
        if spec.version in fleet.revisions:
            fleet.failures, fleet.start_at_ms = 0, 0.0
        fleet.revisions[spec.version] = spec.revision
        for worker in tuple(fleet.workers):
            if worker.spec.version == spec.version and worker.spec.revision != spec.revision:
                self._retire(fleet, worker)

    def _retire(self, fleet: _Fleet, worker: Worker) -> None:
        if worker in fleet.idle:
            fleet.idle.remove(worker)
        worker.retire()

    # --- told by workers

    def _share(self) -> Shared:
        return Shared(
            self._clock,
            self._entropy,
            self._logs,
            self._root,
            self._runtimes,
            self._on_idle,
            self._on_end,
        )

    def _fleet_of(self, worker: Worker) -> _Fleet | None:
        spec = worker.spec
        return self._fleets.get((spec.region, spec.account, spec.name))

    def _on_idle(self, worker: Worker) -> None:
        fleet = self._fleet_of(worker)
        if fleet is None or worker not in fleet.workers:
            worker.end()
            return
        fleet.failures = 0
        fleet.start_at_ms = 0.0
        fleet.idle.append(worker)

    def _on_end(self, worker: Worker) -> None:
        self._going.add(worker)
        worker.gone.add_done_callback(lambda _: self._going.discard(worker))
        fleet = self._fleet_of(worker)
        if fleet is None:
            return
        fleet.workers.discard(worker)
        if worker in fleet.idle:
            fleet.idle.remove(worker)
        if worker.never_began and not self._is_stopped:
            fleet.failures += 1
            assert self._shared is not None
            now_ms = self._shared.loop.time() * _SECOND_MS
            wait_ms = _backoff_ms(fleet.failures)
            fleet.start_at_ms = max(fleet.start_at_ms, now_ms + wait_ms)


def _backoff_ms(failures: int) -> float:
    """Return how long to wait after so many workers in a row that never began."""
    doubled = limits.worker_backoff_ms_min * 2.0 ** min(max(failures - 1, 0), 30)
    return min(doubled, limits.worker_backoff_ms_max)


def _make_folder(root: Path) -> None:
    """Make `root`, and remove what workers of a server that was killed have left there.

    The workers went with it; what they had started is known by the directory, which it lived in.
    """
    root.mkdir(parents=True, exist_ok=True)
    for left in root.glob("worker-*"):
        kill_strays([os.fsencode(left)])
        shutil.rmtree(left, ignore_errors=True)
