"""Delivery: a batch is handed to the function until all of it is finished, one way or another.

The rules are those of AWS (docs/mappings.md tells them): retries with back-off, bisecting, partial
failures, ages, and what is told to the destination. One delivery runs at a time in each lane.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from penstock.base import limits
from penstock.base.errors.engine import EngineError
from penstock.consumers.checkpoints import LeaseLost
from penstock.consumers.context import CALL_FAILED, OK, MappingContext
from penstock.consumers.documents import Condition, GivenUp
from penstock.consumers.events import event
from penstock.consumers.failures import tell
from penstock.consumers.progress import Item
from penstock.consumers.responses import error_text, failed_from
from penstock.consumers.tumbling import Tumbling
from penstock.functions.invoker import NotInvoked, Outcome


@dataclass(slots=True)
class Piece:
    """Records that are handed to the function together; more of a batch than all, after a split."""

    items: Sequence[Item]
    retries: int = 0
    """What it has used of MaximumRetryAttempts."""
    calls: int = 0
    """How often the function has run on these records."""
    refusals: int = 0
    """How often in a row the function could not be run."""
    request_id: str = ""
    """Of the last call."""


class _Verdict(NamedTuple):
    """Where the records begin that were not handled (None where all were), and what failed."""

    failed_from: int | None
    outcome: Outcome


class Delivery:
    """Hands the batches of one lane to the function.

    `finish` is told what is finished, in pieces, as soon as it is; `note_result` that the result of
    the last batch is another. `renew_window` makes the last call of a tumbling window that ends
    within a batch, and begins the next.
    """

    def __init__(
        self,
        context: MappingContext,
        shard_id: str,
        finish: Callable[[Sequence[Item]], None],
        note_result: Callable[[], None],
        tumbling: Tumbling | None,
        renew_window: Callable[[], Awaitable[None]],
    ) -> None:
        self._context = context
        self._shard_id = shard_id
        self._finish = finish
        self._note_result = note_result
        self._tumbling = tumbling
        self._renew_window = renew_window

    async def deliver(self, batch: Sequence[Item]) -> None:
        """Return when every record of `batch` is finished; Stopped where the mapping is to stop.

        LeaseLost where it is another node's.
        """
        context = self._context
        pieces = [Piece(batch)]
        while pieces:
            piece = self._readable(pieces.pop())
            if not piece.items:
                continue
            if context.stop.is_set:
                await context.pause(0)
            if self._tumbling is not None and self._tumbling.is_over:  # by a piece before
                await self._renew_window()
            if self._is_too_old(piece):
                await self._give_up(piece, "RecordAgeExceeded", None)
                continue
            if self._has_outgrown(piece):
                pieces += _halves(piece)
                continue
            try:
                outcome = await self._call(piece)
            except NotInvoked as refused:
                self._note_refusal(piece, refused)
                pieces.append(piece)
                await context.pause_after(refused, backoff_ms(piece.refusals))
                continue
            pieces += await self._judge(piece, outcome)
        last = batch[-1].record
        context.counts.iterator_age_ms = max(0.0, context.clock.now_ms() - last.created_ms)

    async def _judge(self, piece: Piece, outcome: Outcome) -> list[Piece]:
        """Finish what the function has handled; return what is to be handed to it, the last first.

        What is given up is so when this returns, and what is to be tried again is due then.
        """
        context, mapping = self._context, self._context.mapping
        failed = self._failed_from(piece, outcome)
        if failed is None:
            self._finish(piece.items)
            self._note(OK)
            return []
        self._note(CALL_FAILED)
        context.counts.failed += len(piece.items) - failed
        rest = Piece(piece.items[failed:], piece.retries, piece.calls, request_id=piece.request_id)
        if failed:
            self._finish(piece.items[:failed])
        if mapping.bisects and len(piece.items) > 1:
            pieces = [rest] if failed else _halves(rest)
        else:
            rest.retries += 1
            if 0 <= mapping.retry_attempts_max < rest.retries:
                await self._give_up(rest, "RetryAttemptsExhausted", outcome)
                return []
            pieces = [rest]
        context.counts.retries += 1
        await context.pause(backoff_ms(rest.retries))
        return pieces

    def _failed_from(self, piece: Piece, outcome: Outcome) -> int | None:
        """Return where the records begin that the function has not handled, or None."""
        if outcome.error is not None:
            self._context.note_error(error_text(outcome.payload))
            return 0
        failed: int | None = None
        if self._context.mapping.reports_item_failures:
            numbers = [item.record.sequence_number for item in piece.items]
            failed = failed_from(outcome.payload, numbers)
        if self._tumbling is not None and failed != 0:
            refused = self._tumbling.take(outcome.payload)
            if refused is not None:
                self._context.note_error(refused)
                return 0
        if failed is not None:
            self._context.note_error(
                f"reported as failed from record {failed + 1} of {len(piece.items)}"
            )
        return failed

    async def _call(self, piece: Piece) -> Outcome:
        """Run the function once on a piece; NotInvoked where it did not run."""
        piece.request_id = self._context.entropy.uuid()
        payload = self.payload_of(piece.items)
        outcome = await invoke(self._context, payload, piece.request_id)
        piece.calls += 1
        piece.refusals = 0
        self._context.counts.invoked += len(piece.items)
        return outcome

    def payload_of(self, items: Sequence[Item]) -> bytes:
        """Return the event that hands these records to the function."""
        records = [item.record.data for item in items]
        if self._tumbling is not None:
            return self._tumbling.event(records)
        return event(records)

    async def _give_up(self, piece: Piece, condition: Condition, outcome: Outcome | None) -> None:
        """Tell the destination of a piece that is not tried again, and finish it."""
        context, mapping = self._context, self._context.mapping
        first, last = piece.items[0].record, piece.items[-1].record
        if mapping.failure_destination is None:
            context.counts.dropped += len(piece.items)
        else:
            given_up = GivenUp(
                request_id=piece.request_id or context.entropy.uuid(),
                function_arn=mapping.function_arn,
                condition=condition,
                invocations=piece.calls,
                outcome=outcome,
                shard_id=self._shard_id,
                source_arn=mapping.source_arn,
                first_sequence_number=first.sequence_number,
                last_sequence_number=last.sequence_number,
                first_created_ms=first.created_ms,
                last_created_ms=last.created_ms,
                records=len(piece.items),
            )
            await tell(context, mapping.failure_destination, given_up, self.payload_of(piece.items))
        self._finish(piece.items)
        self._note(CALL_FAILED)

    def _is_too_old(self, piece: Piece) -> bool:
        """Say whether the first record is older than the mapping allows."""
        seconds_max = self._context.mapping.record_age_seconds_max
        age_ms = self._context.clock.now_ms() - piece.items[0].record.created_ms
        return seconds_max >= 0 and age_ms > seconds_max * 1000

    def _has_outgrown(self, piece: Piece) -> bool:
        """Say whether a piece is too large beside the state that the piece before it has left."""
        if self._tumbling is None or len(piece.items) < 2:
            return False
        records = sum(len(item.record.data) + 1 for item in piece.items)
        size = limits.event_frame_bytes + self._tumbling.state_bytes + records
        return size > limits.invocation_bytes_max

    def _readable(self, piece: Piece) -> Piece:
        """Return a piece without what has left the stream since: that is gone, as on AWS."""
        if not piece.calls and not piece.refusals:
            return piece
        horizon_ms = self._context.clock.now_ms() - limits.stream_retention_ms
        gone = 0
        while gone < len(piece.items) and piece.items[gone].record.created_ms < horizon_ms:
            gone += 1
        if gone:
            self._finish(piece.items[:gone])
            piece.items = piece.items[gone:]
        return piece

    def _note_refusal(self, piece: Piece, refused: NotInvoked) -> None:
        piece.refusals += 1
        self._context.note_error(refused.text)
        self._note(CALL_FAILED)

    def _note(self, result: str) -> None:
        if self._context.result != result:
            self._context.result = result
            self._note_result()


async def invoke(context: MappingContext, payload: bytes, request_id: str) -> Outcome:
    """Run the function once, and count it; NotInvoked where it did not run.

    LeaseLost where the mapping is not this node's any more: another may have gone on with it, and
    be beyond these records.
    """
    if not context.is_ours():
        raise LeaseLost
    counts, clock = context.counts, context.clock
    begun_ms = clock.elapsed_ms()
    counts.in_flight += 1
    try:
        outcome = await context.invoker.invoke(
            context.mapping.function_arn, payload, request_id=request_id
        )
    except NotInvoked as refused:
        if refused.reason == "throttled":
            counts.throttles += 1
        raise
    except EngineError as error:  # it could not be looked up
        raise NotInvoked("unavailable", str(error)) from error
    finally:
        counts.in_flight -= 1
    counts.invocations += 1
    counts.duration_ms += clock.elapsed_ms() - begun_ms
    if outcome.error is not None:
        counts.errors += 1
    await context.turns.pass_on(context.mapping.function_arn, context.timers)
    return outcome


def _halves(piece: Piece) -> list[Piece]:
    """Return the two halves of a piece, the second first; neither has used a retry for that."""
    middle = (len(piece.items) + 1) // 2
    parts = (piece.items[middle:], piece.items[:middle])
    return [Piece(part, piece.retries, piece.calls, request_id=piece.request_id) for part in parts]


def backoff_ms(failures: int) -> float:
    """Return how many milliseconds to wait after as many failures in a row."""
    doublings = min(max(failures - 1, 0), limits.retry_doublings_max)
    return min(limits.retry_ms_min * 2.0**doublings, limits.retry_ms_max)
