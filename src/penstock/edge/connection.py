"""One client's connection: its bytes, its limits of time and memory, and how it ends.

Reading, running and writing each have a file of their own (`reader`, `pipeline`, `messages` and
`outbox`); here they meet the transport. A connection ends in one of three ways: *deaf*, where
nothing more is read and the last answer closes it; *lingering*, where the answer to a refused
request is given time to arrive; *cut*.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from penstock.base.ids import Entropy
from penstock.edge.limits import EdgeLimits
from penstock.edge.messages import HttpRequest, HttpResponse, Refusal, ResponseWriter
from penstock.edge.outbox import Outbox
from penstock.edge.pipeline import DispatchFunction, Pipeline, Waiting
from penstock.edge.reader import RequestReader, Stage

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_JOINED_BODY_BYTES_MAX = 64 * 1024  # copying less than this is cheaper than a second write


@dataclass(eq=False, slots=True)
class Shared:
    """What the connections of one server have in common."""

    dispatch: DispatchFunction
    limits: EdgeLimits
    entropy: Entropy
    writer: ResponseWriter
    loop: asyncio.AbstractEventLoop
    on_less: Callable[[], None]
    """Called when a connection has gone or a request that outlived its connection is done."""
    connections: set["Connection"] = field(default_factory=set)
    tasks: set[Waiting] = field(default_factory=set)
    held_bytes: int = 0
    draining: bool = False
    leaving: bool = False
    """Whether clients should go elsewhere: every answer is the last of its connection."""
    outbox: Outbox = field(init=False)

    def __post_init__(self) -> None:
        self.outbox = Outbox(self.loop)


class Connection(asyncio.Protocol):
    """One client's connection, from accept to close."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._limits = shared.limits
        self._reader = RequestReader(shared.limits)
        self._pipeline = Pipeline(
            shared.dispatch, shared.limits, shared.tasks, self._on_late_answer
        )
        self._transport: asyncio.Transport
        self._since = 0.0  # when what is being waited for began
        self._stage_seen = 0
        self._held_bytes = 0
        self._deaf = False
        self._lingers = False
        self._half_closed = False
        self._closing = False
        self._lost = False
        self._reading_paused = False
        self._write_blocked = False
        self._advance_scheduled = False
        self._outgoing: list[bytes] = []

    # --- called by the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=self._limits.write_buffer_bytes_max)
        self._since = self._shared.loop.time()
        full = len(self._shared.connections) >= self._limits.connections_max
        self._shared.connections.add(self)
        if full or self._shared.draining:
            self._deaf = True
            self._answer_refusal(Refusal(503, "Too many connections"))
            self._advance()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        self._pipeline.forget()
        self._reader.abandon()  # what it holds would stay until cycles are looked for
        self._outgoing = []
        self._shared.held_bytes -= self._held_bytes
        self._shared.connections.discard(self)
        self._shared.on_less()

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        requests = self._reader.feed(data)
        if len(requests) == 1 and self._is_ordinary(requests[0]):
            answer = self._pipeline.run(requests[0])
            if answer is not None:
                self._send_at_once(answer, requests[0])
                return
        else:
            for request in requests:
                self._pipeline.submit(request)
        if self._reader.refusal is not None:
            self._refuse(self._reader.refusal)
        elif self._reader.finished or self._is_drained():
            self._deaf = True
        if self._stage_seen != self._reader.stages_begun:
            self._stage_seen = self._reader.stages_begun
            self._since = self._shared.loop.time()
        self._advance()

    def eof_received(self) -> bool:
        """Say whether to keep the other direction open: as long as answers are owed.

        A client that has gone looks like this too, until something is sent to it: none may wait.
        """
        self._deaf = self._half_closed = True
        self._pipeline.end_waits()
        self.flush()  # what is written before the end of this call is still sent
        return len(self._pipeline) > 0 and not self._closing

    def pause_writing(self) -> None:
        self._write_blocked = True
        self._since = self._shared.loop.time()
        self._govern_reading()

    def resume_writing(self) -> None:
        self._write_blocked = False
        self._since = self._shared.loop.time()
        self._advance()

    # --- called by the outbox

    def flush(self) -> None:
        """Send what is to go out, if anything still is."""
        pieces, self._outgoing = self._outgoing, []
        if not pieces or self._transport.is_closing():
            return
        if len(pieces) == 1:
            self._transport.write(pieces[0])
        else:
            self._transport.writelines(pieces)

    # --- called by the server

    def drain(self) -> None:
        """Close as soon as no request is under way; none waits any longer by its client's wish."""
        self._pipeline.end_waits()
        if self._is_drained():
            self._deaf = True
            if len(self._pipeline) == 0:
                self._close()

    def cut(self) -> None:
        """Close at once, whatever is under way; what is answered is sent as far as it goes."""
        self.flush()
        self._transport.abort()

    def check_time(self, now: float) -> None:
        """End what has taken longer than it may; `now` is the loop's time in seconds."""
        seconds = now - self._since
        if self._write_blocked or self._transport.get_write_buffer_size() > 0:
            if seconds > self._limits.write_seconds_max:
                self.cut()
        elif self._closing:
            if seconds > self._limits.linger_seconds_max:
                self.cut()
        elif not self._deaf and not self._reading_paused:
            self._check_reading_time(seconds)

    def _check_reading_time(self, seconds: float) -> None:
        stage = self._reader.stage
        if stage is Stage.IDLE:
            if len(self._pipeline) == 0 and seconds > self._limits.idle_seconds_max:
                self._close()
        elif stage is Stage.HEAD:
            if seconds > self._limits.header_seconds_max:
                self._time_out("Headers took too long")
        elif seconds > self._limits.body_seconds_max:
            self._time_out("Request body took too long")

    # --- the way of a request

    def _is_ordinary(self, request: HttpRequest) -> bool:
        """Say whether `request` came alone, with nothing under way and nothing behind it.

        Such a request, if it needs no waiting, is answered without the accounts below.
        """
        return (
            request.keep_alive
            and self._reader.refusal is None
            and self._reader.stage is Stage.IDLE
            and len(self._pipeline) == 0
            and self._held_bytes == 0
            and not (self._write_blocked or self._closing or self._shared.leaving)
        )

    def _send_at_once(self, answer: HttpResponse, request: HttpRequest) -> None:
        self._stage_seen = self._reader.stages_begun
        self._since = self._shared.loop.time()
        pieces: list[bytes] = []
        self._append_answer(pieces, answer, request, last=False)
        self._write(pieces)

    def _advance(self) -> None:
        """Run what may run, send what is ready, then decide whether to read on.

        One round runs no more than `pipelined_requests_max` requests, so that one client's flood of
        small requests leaves the loop to others in between.
        """
        if self._closing or self._transport.is_closing():
            return
        if not self._write_blocked:
            self._pipeline.start_waiting()
            self._send_answers()
        if self._pipeline.broken:
            self.cut()
            return
        self._account()
        self._govern_reading()
        if self._pipeline.can_start() and not self._write_blocked:
            self._schedule_advance()
        self._send_continue()

    def _on_late_answer(self) -> None:
        self._advance()
        if self._lost:
            self._shared.on_less()

    def _schedule_advance(self) -> None:
        if not self._advance_scheduled:
            self._advance_scheduled = True
            self._shared.loop.call_soon(self._advance_later)

    def _advance_later(self) -> None:
        self._advance_scheduled = False
        self._advance()

    def _send_answers(self) -> None:
        pieces: list[bytes] = []
        last = False
        while not last and (exchange := self._pipeline.next_answered()) is not None:
            last = self._deaf and len(self._pipeline) == 0
            assert exchange.answer is not None
            self._append_answer(pieces, exchange.answer, exchange.request, last=last)
        if not pieces:
            return
        self._since = self._shared.loop.time()
        self._write(pieces)
        if last:
            self._close()

    def _write(self, pieces: list[bytes]) -> None:
        """Have `pieces` sent with what others have to send, by `flush` or before the close."""
        waits = bool(self._outgoing)
        self._outgoing += pieces  # before `add`, which may have them sent at once
        if not waits:
            self._shared.outbox.add(self)

    def _append_answer(
        self,
        pieces: list[bytes],
        response: HttpResponse,
        request: HttpRequest | None,
        *,
        last: bool,
    ) -> None:
        """Put the bytes of an answer behind `pieces`: in one piece where that is cheap."""
        head = self._shared.writer.head(response, request, last=last)
        if request is not None and request.method == b"HEAD":
            pieces.append(head)
        elif len(response.body) <= _JOINED_BODY_BYTES_MAX:
            pieces.append(head + response.body)
        else:
            pieces += (head, response.body)

    def _send_continue(self) -> None:
        """Tell a client that holds its body back to go on, once all before it is answered."""
        if self._reader.awaits_continue and len(self._pipeline) == 0 and not self._deaf:
            self._reader.awaits_continue = False
            self._write([_CONTINUE])

    # --- limits

    def _account(self) -> None:
        held = self._reader.buffered_bytes + self._pipeline.held_bytes
        self._shared.held_bytes += held - self._held_bytes
        self._held_bytes = held
        over = self._shared.held_bytes > self._limits.buffered_bytes_max
        if over and self._reader.stage is Stage.BODY and not self._deaf:
            self._refuse(Refusal(503, "Too many request bodies at once"))
            self._schedule_advance()

    def _govern_reading(self) -> None:
        pause = not self._deaf and (
            self._write_blocked
            or len(self._pipeline) >= self._limits.pipelined_requests_max
            or (
                len(self._pipeline) > 0  # else it is one body alone, which has its own limit
                and self._held_bytes > self._limits.pipelined_bytes_max
            )
        )
        if pause == self._reading_paused or self._closing or self._half_closed:
            return
        self._reading_paused = pause
        if pause:
            self._transport.pause_reading()
        else:
            self._since = self._shared.loop.time()
            self._transport.resume_reading()

    def _is_drained(self) -> bool:
        return self._shared.leaving and self._reader.stage is Stage.IDLE

    # --- the end

    def _time_out(self, text: str) -> None:
        self._refuse(Refusal(408, text))
        self._advance()

    def _refuse(self, refusal: Refusal) -> None:
        """Answer `refusal` behind what is under way, and read no more."""
        self._deaf = self._lingers = True
        self._reader.abandon()
        self._answer_refusal(refusal)

    def _answer_refusal(self, refusal: Refusal) -> None:
        self._pipeline.submit_answer(refusal.response(self._shared.entropy.request_id()))

    def _close(self) -> None:
        """Close once all that was written is sent.

        A client that is still sending would have its answer destroyed by the reset that follows a
        plain close. So after a refusal only our own direction is closed, and what still comes is
        dropped until the client closes too or `linger_seconds_max` have passed.
        """
        if self._transport.is_closing():
            return
        self.flush()
        self._closing = True
        self._since = self._shared.loop.time()
        if self._lingers and not self._half_closed and self._transport.can_write_eof():
            self._transport.write_eof()
        else:
            self._transport.close()
