"""Running one mapping: every shard of its stream, each after its parent, until it is to stop."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import NamedTuple

from penstock.base import limits
from penstock.base.errors.engine import EngineError
from penstock.consumers.checkpoints import Checkpoint, LeaseLost
from penstock.consumers.context import MappingContext, log
from penstock.consumers.delivery import backoff_ms
from penstock.consumers.shard_run import ShardRun
from penstock.consumers.source import SourceGone, SourceShard, SourceUnavailable
from penstock.storage.fibers import alike

STREAM_GONE = "PROBLEM: Stream not found"


class _Failed(NamedTuple):
    """A shard that could not go on: how often in a row, and when it is begun again."""

    times: int
    again_ms: float


class MappingRunner:
    """One mapping, from its checkpoints on."""

    def __init__(self, context: MappingContext) -> None:
        self._context = context
        self._checkpoints: dict[str, Checkpoint] = {}
        self._is_loaded = False
        """Whether the checkpoints at hand are those that are stored."""
        self._finished: set[str] = set()
        self._running: dict[asyncio.Task[bool], str] = {}
        self._failed: dict[str, _Failed] = {}
        self._troubles = 0

    async def run(self) -> None:
        """Return when `context.stop` is set and nothing is under way any more; LeaseLost."""
        try:
            while not self._context.stop.is_set:
                await self._start_shards()
                await self._wait()
                self._collect()
            while self._running:
                await asyncio.wait(self._running)
                self._collect()
        finally:  # whoever runs the mapping next finds nothing of this under way
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    async def _start_shards(self) -> None:
        """Start what may begin: shards whose parent is finished, or gone."""
        try:
            if not self._is_loaded:
                self._load()
            shards = await self._context.source.shards()
            await self._forget_all_but(shards)
            running = set(self._running.values())
            there = running.union(shard.id for shard in shards)
            for shard in shards:
                if shard.parent in there and shard.parent not in self._finished:
                    continue
                if shard.id in self._finished or shard.id in running or self._is_paused(shard.id):
                    continue
                await self._start(shard.id)
        except SourceGone as gone:
            self._note_trouble(gone)
            await self._tell_gone()
        except (SourceUnavailable, EngineError) as error:
            self._note_trouble(error)
        else:
            self._troubles = 0

    def _load(self) -> None:
        self._checkpoints = self._context.checkpoints.load()
        self._is_loaded = True
        self._finished.update(
            shard_id
            for shard_id, checkpoint in self._checkpoints.items()
            if checkpoint.position is None and checkpoint.window is None
        )

    async def _start(self, shard_id: str) -> None:
        mapping = self._context.mapping
        checkpoint = self._checkpoints.get(shard_id)
        is_stored = checkpoint is not None
        if checkpoint is None:
            position = await self._context.source.begin(
                shard_id, mapping.starting_position, mapping.created_ms
            )
            if position is None:
                self._finished.add(shard_id)
                return
            checkpoint = Checkpoint(position)
        run = ShardRun(self._context, shard_id, checkpoint, is_stored=is_stored)
        task = asyncio.create_task(alike(run.run()), name=f"{mapping.uuid} {shard_id}")
        self._running[task] = shard_id

    def _is_paused(self, shard_id: str) -> bool:
        failed = self._failed.get(shard_id)
        return failed is not None and self._context.clock.elapsed_ms() < failed.again_ms

    async def _wait(self) -> None:
        """Wait until a shard has ended, or the mapping is to stop, or it is time to look again."""
        timers, stop = self._context.timers, self._context.stop
        now_ms = self._context.clock.elapsed_ms()
        ms = limits.mapping_shards_interval_ms
        if self._troubles:
            ms = backoff_ms(self._troubles)
        paused = [failed.again_ms - now_ms for failed in self._failed.values()]
        ms = min([ms, *(left_ms for left_ms in paused if left_ms > 0)])
        waiting = asyncio.create_task(timers.wait(stop, ms))
        try:
            await asyncio.wait([waiting, *self._running], return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()

    def _collect(self) -> None:
        """Take out the shards that have ended."""
        for task in [task for task in self._running if task.done()]:
            shard_id = self._running.pop(task)
            error = None if task.cancelled() else task.exception()
            if isinstance(error, LeaseLost):
                raise error
            if error is not None:
                self._note_failed(shard_id, error)
            elif not task.cancelled() and task.result():
                self._failed.pop(shard_id, None)
                self._finished.add(shard_id)
                self._checkpoints[shard_id] = Checkpoint(None)
            if error is not None or task.cancelled() or not task.result():
                self._is_loaded = False

    def _note_failed(self, shard_id: str, error: BaseException) -> None:
        """Note that a shard could not go on, and let it rest before it is begun again.

        A bug of ours ends one run of a shard, never the server.
        """
        if not isinstance(error, SourceGone | SourceUnavailable | EngineError):
            log.error("A shard of a mapping failed by a bug", exc_info=error)
        self._note_trouble(error)
        now_ms = self._context.clock.elapsed_ms()
        before = self._failed.get(shard_id, _Failed(0, now_ms))
        is_in_a_row = now_ms - before.again_ms < limits.retry_ms_max
        times = before.times + 1 if is_in_a_row else 1
        self._failed[shard_id] = _Failed(times, now_ms + backoff_ms(times))

    async def _forget_all_but(self, shards: Sequence[SourceShard]) -> None:
        """Take away what is stored of shards that have left the stream."""
        there = {shard.id for shard in shards} | set(self._running.values())
        gone = [shard_id for shard_id in self._checkpoints if shard_id not in there]
        if gone:
            await self._context.checkpoints.forget(gone)
            for shard_id in gone:
                self._failed.pop(shard_id, None)
                del self._checkpoints[shard_id]
                self._finished.discard(shard_id)

    async def _tell_gone(self) -> None:
        context = self._context
        if context.result != STREAM_GONE:
            with contextlib.suppress(EngineError):
                await context.checkpoints.save_result(STREAM_GONE)
                context.result = STREAM_GONE

    def _note_trouble(self, error: BaseException) -> None:
        self._troubles += 1
        self._context.note_error(str(error) or repr(error))
        log.warning(
            "A mapping could not go on",
            extra={"mapping": self._context.mapping.uuid, "error": repr(error)},
        )
