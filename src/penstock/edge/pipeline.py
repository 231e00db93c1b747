"""The requests of one connection at work: run side by side, answered in the order they came.

A request is run by stepping its coroutine at once, without a task: what needs no waiting is
answered within the read that brought it. What waits for one future, as a write does for its commit,
is stepped on by that future. Only what has to wait again goes on as a task. Until its second wait a
coroutine therefore runs outside any task, where `asyncio.timeout` and `asyncio.TaskGroup` do not
work.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from types import coroutine
from typing import Any, Protocol

from penstock.base.wait import Wait
from penstock.edge.limits import EdgeLimits
from penstock.edge.messages import WAIT_HEADER, HttpRequest, HttpResponse

DispatchFunction = Callable[[HttpRequest], Coroutine[Any, Any, HttpResponse]]
"""Answers one request; raises nothing."""


class Waiting(Protocol):
    """A request under way that waits for something."""

    def cancel(self) -> object:
        """Give it up: it ends soon, and without an answer."""
        ...


class Exchange:
    """One request and, once there is one, its answer; no request where none could be read."""

    __slots__ = ("answer", "request")

    def __init__(self, request: HttpRequest | None, answer: HttpResponse | None = None) -> None:
        self.request = request
        self.answer = answer


class Pipeline:
    """Runs the requests of one connection; `on_answer` is called for each that had to wait.

    `tasks` gathers what is waiting, over all connections: it outlives the connection.
    """

    def __init__(
        self,
        dispatch: DispatchFunction,
        limits: EdgeLimits,
        tasks: set[Waiting],
        on_answer: Callable[[], None],
    ) -> None:
        self._dispatch = dispatch
        self._limits = limits
        self._tasks = tasks
        self._on_answer = on_answer
        self._exchanges: deque[Exchange] = deque()
        self._waiting: deque[Exchange] = deque()
        self._answer_bytes = 0
        self._request_bytes = 0
        self._waits_over = False
        self.broken = False
        """Whether a request was cancelled, so that it and what follows it cannot be answered."""

    def __len__(self) -> int:
        """Return how many requests have no answer on its way yet."""
        return len(self._exchanges)

    @property
    def held_bytes(self) -> int:
        """How many bytes of bodies and answers are in memory."""
        return self._request_bytes + self._answer_bytes

    def run(self, request: HttpRequest) -> HttpResponse | None:
        """Run `request`, the only one, at once: return its answer, or None where it has to wait."""
        exchange = Exchange(request)
        self._request_bytes += len(request.body)
        self._exchanges.append(exchange)
        self._start(exchange)
        if exchange.answer is not None:
            self.next_answered()
        return exchange.answer

    def submit(self, request: HttpRequest) -> None:
        """Take a request in; it runs when `start_waiting` finds room."""
        exchange = Exchange(request)
        self._request_bytes += len(request.body)
        self._exchanges.append(exchange)
        self._waiting.append(exchange)

    def submit_answer(self, answer: HttpResponse) -> None:
        """Put an answer that needs no work behind those that are under way."""
        self._exchanges.append(Exchange(None, answer))
        self._answer_bytes += len(answer.body)

    def can_start(self) -> bool:
        """Say whether a request waits that may run now."""
        under_way = len(self._exchanges) - len(self._waiting)
        return (
            bool(self._waiting)
            and under_way < self._limits.pipelined_requests_max
            and self._answer_bytes < self._limits.pipelined_bytes_max
        )

    def start_waiting(self) -> None:
        """Run what may run now."""
        while self.can_start():
            self._start(self._waiting.popleft())

    def next_answered(self) -> Exchange | None:
        """Take out the first exchange if it has its answer."""
        if not self._exchanges or self._exchanges[0].answer is None:
            return None
        exchange = self._exchanges.popleft()
        if exchange.request is not None:
            self._request_bytes -= len(exchange.request.body)
        if exchange.answer is not None:
            self._answer_bytes -= len(exchange.answer.body)
        return exchange

    def end_waits(self) -> None:
        """Let no request wait any longer by its client's wish, now and from now on."""
        self._waits_over = True
        for exchange in self._exchanges:
            if exchange.request is not None and exchange.request.wait is not None:
                exchange.request.wait.end()

    def forget(self) -> None:
        """Drop what has not begun, and the answers of the rest, which runs to its end."""
        self.end_waits()
        self._exchanges.clear()
        self._waiting.clear()
        self._request_bytes = self._answer_bytes = 0

    def _start(self, exchange: Exchange) -> None:
        request = exchange.request
        assert request is not None
        if WAIT_HEADER in request.headers:
            wait = Wait(request.headers[WAIT_HEADER], is_over=self._waits_over)
            exchange.request = request = request._replace(wait=wait)
        work = self._dispatch(request)
        try:
            waited = work.send(None)
        except StopIteration as stop:
            self._answer(exchange, stop.value)
            return
        except asyncio.CancelledError:
            self.broken = True
            return
        if isinstance(waited, asyncio.Future):
            self._tasks.add(_FirstWait(self, exchange, work, waited))
        else:
            self._go_on(exchange, work, waited)

    def _step(self, wait: "_FirstWait") -> None:
        """Go on with a request whose first wait is over."""
        self._tasks.discard(wait)
        try:
            waited = wait.work.send(None)
        except StopIteration as stop:
            self._answer(wait.exchange, stop.value)
        except asyncio.CancelledError:
            self.broken = True
        else:
            self._go_on(wait.exchange, wait.work, waited)
            return
        self._on_answer()

    def _go_on(
        self, exchange: Exchange, work: Coroutine[Any, Any, HttpResponse], waited: Any
    ) -> None:
        task = asyncio.get_running_loop().create_task(_to_the_end(work, waited))
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._finish(exchange, done))

    def _finish(self, exchange: Exchange, task: asyncio.Task[HttpResponse]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            self.broken = True
        else:
            self._answer(exchange, task.result())
        self._on_answer()

    def _answer(self, exchange: Exchange, answer: HttpResponse) -> None:
        exchange.answer = answer
        self._answer_bytes += len(answer.body)


class _FirstWait:
    """A request that waits for its first future, which steps it on when it is done."""

    __slots__ = ("_pipeline", "_waited", "exchange", "work")

    def __init__(
        self,
        pipeline: Pipeline,
        exchange: Exchange,
        work: Coroutine[Any, Any, HttpResponse],
        waited: "asyncio.Future[Any]",
    ) -> None:
        self._pipeline, self.exchange, self.work, self._waited = pipeline, exchange, work, waited
        waited.add_done_callback(self._done)

    def cancel(self) -> None:
        self._waited.cancel()

    def _done(self, _waited: "asyncio.Future[Any]") -> None:
        self._pipeline._step(self)  # noqa: SLF001 - a part of it


async def _to_the_end(work: Coroutine[Any, Any, HttpResponse], waited: Any) -> HttpResponse:
    """Drive `work`, which was stepped once and waits for `waited`, to its end, inside a task.

    A task takes a coroutine only: since Python 3.12 no longer the generator that does the driving.
    """
    return await _driven(work, waited)


@coroutine
def _driven(
    work: Coroutine[Any, Any, HttpResponse], waited: Any
) -> Generator[Any, Any, HttpResponse]:
    while True:
        try:
            try:
                sent = yield waited
            except BaseException as error:  # noqa: BLE001 - a cancellation or failure is the work's own
                waited = work.throw(error)
            else:
                waited = work.send(sent)
        except StopIteration as stop:
            answer: HttpResponse = stop.value
            return answer
