"""One shard of a mapping that runs: read, filtered, put into lanes, delivered, checkpointed.

Three kinds of tasks: one reads, one delivers in each lane, one stores the checkpoint whenever it
has moved. Reading goes on while the function runs, as far as there is room.
"""

import asyncio
from collections.abc import Awaitable, Sequence

from penstock.base import limits
from penstock.base.errors.engine import EngineError
from penstock.base.timers import Signal
from penstock.consumers.checkpoints import Checkpoint
from penstock.consumers.context import CALL_FAILED, MappingContext, Stopped, log
from penstock.consumers.delivery import Delivery, backoff_ms, invoke
from penstock.consumers.events import lane_of
from penstock.consumers.lane import Lane
from penstock.consumers.progress import Item, Progress
from penstock.consumers.source import SourcePage, SourceUnavailable
from penstock.consumers.tumbling import Tumbling
from penstock.functions.invoker import NotInvoked
from penstock.storage.fibers import alike


class ShardRun:
    """One shard, from its checkpoint on, until it is finished or the mapping stops."""

    def __init__(
        self,
        context: MappingContext,
        shard_id: str,
        checkpoint: Checkpoint,
        *,
        is_stored: bool = True,
    ) -> None:
        mapping = context.mapping
        self._context = context
        self._id = shard_id
        self._progress = Progress(checkpoint.position, context.source.after)
        self._tumbling: Tumbling | None = None
        if mapping.tumbling_window_seconds:
            length_ms = mapping.tumbling_window_seconds * 1000
            self._tumbling = Tumbling(length_ms, shard_id, mapping.source_arn, checkpoint.window)
        self._lanes = [Lane(context.terms) for _ in range(mapping.parallelization_factor)]
        self._news = [Signal() for _ in self._lanes]
        self._room = Signal()
        self._unsaved = Signal()
        self._saved = checkpoint if is_stored else None
        if not is_stored:
            self._unsaved.set()
        self._saved_ms = context.clock.elapsed_ms()
        self._read_until_ms = 0
        """The time up to which all that was written has been read, as far as is known."""
        self.is_behind = False
        """Whether more records were there to be read when it was last read."""

    @property
    def records_at_hand(self) -> int:
        """How many records have been read and are not finished."""
        return len(self._progress)

    @property
    def oldest_ms(self) -> int | None:
        """When the first of them was written."""
        return self._progress.oldest_ms

    async def run(self) -> bool:
        """Return once the shard is finished and that is stored: True; False where it is to stop.

        Raises what the store or the source fails with for good, such as SourceGone and LeaseLost.
        """
        self._context.counts.shards[self._id] = self
        try:
            async with asyncio.TaskGroup() as group:
                beside = [
                    group.create_task(alike(work))
                    for work in (self._read(), self._save_when_moved(), self._wake_when_stopped())
                ]
                lanes = [
                    group.create_task(alike(self._run_lane(number)))
                    for number in range(len(self._lanes))
                ]
                await asyncio.wait(lanes)
                for task in beside:
                    task.cancel()
        except* Exception as errors:  # noqa: BLE001 - the first tells: the rest is of its making
            raise errors.exceptions[0] from None
        finally:
            self._context.counts.shards.pop(self._id, None)
        if self._checkpoint() != self._saved:
            await self._save()
        return self._progress.position is None and self._window_is_closed()

    async def _wake_when_stopped(self) -> None:
        await self._context.timers.wait(self._context.stop)
        self._wake_lanes()

    def _wake_lanes(self) -> None:
        for news in self._news:
            news.set()

    # --- reading

    async def _read(self) -> None:
        position = self._progress.position
        while position is not None:
            room = self._records_of_room()
            if not room:
                self._room.clear()
                if len(self._lanes) > 1:  # one of them may hold up the others
                    self._wake_lanes()
                await self._context.timers.wait(self._room)
                continue
            begun_ms = self._context.clock.now_ms()
            page = await self._page(position, min(room, limits.get_records_max))
            self._take_in(page, begun_ms)
            if self._context.filters is not None:  # they may drop it all, and room never ends
                await asyncio.sleep(0)
            if page.next is not None and page.at_tip and not page.records:
                await self._tried(self._wait_for_more(page.next))
            position = page.next
        self._wake_lanes()

    def _records_of_room(self) -> int:
        """Return how many records may be read now."""
        lanes, batch = len(self._lanes), self._context.mapping.batch_size
        if self._progress.bytes_at_hand >= 2 * lanes * limits.invocation_bytes_max:
            return 0
        return max(0, 2 * lanes * batch - len(self._progress))

    async def _page(self, position: str, limit: int) -> SourcePage:
        source, failures = self._context.source, 0
        while True:
            try:
                return await source.read(self._id, position, limit)
            except (SourceUnavailable, EngineError) as error:
                failures += 1
                await self._pause_after(error, failures)

    async def _wait_for_more(self, position: str) -> None:
        source, timers = self._context.source, self._context.timers
        waiting = source.wait(self._id, position, limits.mapping_watch_seconds_max)
        if self._tumbling is None:
            await waiting
            return
        look_ms = self._window_look_ms(self._tumbling)
        tasks = [asyncio.create_task(alike(work)) for work in (waiting, timers.sleep(look_ms))]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()

    def _window_look_ms(self, tumbling: Tumbling) -> float:
        """Return in how many milliseconds to look for what came late for a window.

        It ends by the clock, if it is open yet or not: the records of it may wait in their lane.
        """
        now_ms, due_ms = self._context.clock.now_ms(), tumbling.end_ms
        if due_ms is None or self._read_until_ms >= due_ms + limits.window_late_ms:
            due_ms = tumbling.end_of(now_ms)
        return max(due_ms + limits.window_late_ms - now_ms, limits.window_look_ms)

    async def _tried(self, work: Awaitable[None]) -> None:
        try:
            await work
        except (SourceUnavailable, EngineError) as error:
            await self._pause_after(error, 1)

    async def _pause_after(
        self, error: Exception, failures: int, text: str = "A mapping could not read its stream"
    ) -> None:
        self._context.note_error(str(error))
        log.warning(
            text,
            extra={"mapping": self._context.mapping.uuid, "shard": self._id, "error": str(error)},
        )
        await self._context.timers.sleep(backoff_ms(failures))

    def _take_in(self, page: SourcePage, begun_ms: int) -> None:
        context, records = self._context, page.records
        if page.trimmed:
            log.warning(
                "A mapping came too late for records that have left the stream",
                extra={"mapping": context.mapping.uuid, "shard": self._id},
            )
        context.counts.polled += len(records)
        if context.filters is not None:
            matches = context.filters.matches_bytes
            records = [record for record in records if matches(record.data)]
            context.counts.filtered += len(page.records) - len(records)
        items = [Item(record) for record in records]
        moved = self._progress.take_in(items, page.next)
        self.is_behind = not (page.at_tip or page.next is None)
        if not self.is_behind:
            self._read_until_ms = begun_ms
        self._fill_lanes(items)
        if moved and (page.records or page.next is None or self._is_stale()):
            self._unsaved.set()

    def _fill_lanes(self, items: Sequence[Item]) -> None:
        lanes, news = self._lanes, self._news
        now_ms = self._context.clock.elapsed_ms()
        if len(lanes) == 1:
            for item in items:
                lanes[0].add(item, now_ms)
            if items or self._tumbling is not None:
                news[0].set()
            return
        key = self._context.source.partition_key
        for item in items:
            number = lane_of(item.record.data, key, len(lanes))
            lanes[number].add(item, now_ms)
            news[number].set()

    def _is_stale(self) -> bool:
        """Say whether the checkpoint is so old that it is stored for its age alone."""
        elapsed_ms = self._context.clock.elapsed_ms() - self._saved_ms
        return elapsed_ms > limits.checkpoint_age_ms_max

    # --- delivering

    async def _run_lane(self, number: int) -> None:
        context, lane, news = self._context, self._lanes[number], self._news[number]
        delivery = Delivery(
            context,
            self._id,
            self._finish,
            self._unsaved.set,
            self._tumbling,
            self._renew_window,
        )
        try:
            while not context.stop.is_set:
                news.clear()
                if self._tumbling is not None and self._window_is_due(lane):
                    await self._end_window()
                    continue
                now_ms = context.clock.elapsed_ms()
                no_more = self._progress.is_ended or self._holds_up(lane)
                due_ms = lane.due_in_ms(now_ms, no_more=no_more)
                if due_ms is not None and due_ms <= 0:
                    await delivery.deliver(self._next_batch(lane))
                    lane.note_idle(context.clock.elapsed_ms())
                elif due_ms is None and self._progress.is_ended:
                    return
                else:
                    await context.timers.wait(news, due_ms)
        except Stopped:
            return

    def _holds_up(self, lane: Lane) -> bool:
        """Say whether nothing more can be read until this lane's next record is finished."""
        first = lane.first
        return first is not None and first is self._progress.first and not self._records_of_room()

    def _next_batch(self, lane: Lane) -> list[Item]:
        tumbling = self._tumbling
        if tumbling is None:
            return lane.take()
        first = lane.first
        assert first is not None  # a batch is due
        tumbling.open(lane.window_of(first))
        return lane.take(tumbling.state_bytes)

    def _finish(self, items: Sequence[Item]) -> None:
        if self._progress.finish(items) or self._tumbling is not None:
            self._unsaved.set()
        self._room.set()

    # --- tumbling windows

    def _window_is_due(self, lane: Lane) -> bool:
        """Say whether the open window has all its records, so that its last call is due."""
        tumbling = self._tumbling
        if tumbling is None or tumbling.window is None:
            return False
        if tumbling.is_over:
            return True
        first = lane.first
        if first is not None:
            return lane.window_of(first) > tumbling.window.start_ms
        end_ms = tumbling.end_ms
        assert end_ms is not None  # it is open
        return self._progress.is_ended or self._read_until_ms >= end_ms + limits.window_late_ms

    async def _end_window(self) -> None:
        """Make the last call of the open window, and forget it."""
        assert self._tumbling is not None  # asked before
        await self._call_last()
        self._tumbling.close()
        self._unsaved.set()

    async def _renew_window(self) -> None:
        """Make the last call of the open window, and begin what is left of it anew."""
        assert self._tumbling is not None  # asked before
        await self._call_last()
        self._tumbling.renew()
        self._unsaved.set()

    async def _call_last(self) -> None:
        """Make the last call of the open window, again and again until the function takes it."""
        context, tumbling = self._context, self._tumbling
        assert tumbling is not None  # asked before
        failures = 0
        while True:
            failures += 1
            try:
                event, request_id = tumbling.event([], is_final=True), context.entropy.uuid()
                outcome = await invoke(context, event, request_id)
            except NotInvoked as refused:
                self._note_failed_call(refused.text)
                await context.pause_after(refused, backoff_ms(failures))
                continue
            if outcome.error is None:
                break
            self._note_failed_call("the last call of a window failed")
            await context.pause(backoff_ms(failures))

    def _note_failed_call(self, text: str) -> None:
        self._context.note_error(text)
        self._context.result = CALL_FAILED
        self._unsaved.set()

    def _window_is_closed(self) -> bool:
        return self._tumbling is None or self._tumbling.window is None

    # --- checkpoints

    async def _save_when_moved(self) -> None:
        failures = 0
        while True:
            await self._context.timers.wait(self._unsaved)
            try:
                await self._save()
                failures = 0
            except EngineError as error:
                failures += 1
                self._unsaved.set()
                text = "A mapping could not store its checkpoint"
                await self._pause_after(error, failures, text)

    async def _save(self) -> None:
        self._unsaved.clear()
        checkpoint = self._checkpoint()
        await self._context.checkpoints.save(self._id, checkpoint, self._context.result)
        self._saved = checkpoint
        self._saved_ms = self._context.clock.elapsed_ms()

    def _checkpoint(self) -> Checkpoint:
        window = None if self._tumbling is None else self._tumbling.window
        return Checkpoint(self._progress.position, window)
