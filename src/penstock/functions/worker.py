"""One worker: a process that runs one version of a function, an invocation at a time.

Its states: STARTING with its first work waiting, BUSY, IDLE, ENDED. Whatever becomes of the
process, the work that it has is done exactly once, with an outcome or with NotInvoked; a worker
that has failed at more than an answer is ENDED and never used again.

Limits are kept in real time, since processes live in it; the clock only stamps what is logged.
"""

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from penstock.base import limits
from penstock.base.clock import Clock, SystemClock
from penstock.base.ids import Entropy
from penstock.functions import worker_texts as texts
from penstock.functions.invoker import FunctionError, NotInvoked, Outcome
from penstock.functions.log_sink import LogSink
from penstock.functions.runtime_api import Answer, Invocation, RuntimeApi
from penstock.functions.runtime_connection import RuntimeServer
from penstock.functions.runtimes import CannotRun, Command, InvalidEntrypoint, Runtimes
from penstock.functions.worker_environment import Place, worker_environment
from penstock.functions.worker_output import WorkerOutput
from penstock.functions.worker_process import Start, WorkerProcess, exit_text
from penstock.functions.worker_spec import WorkerSpec

log = logging.getLogger(__name__)

_ENDED_FROM_OUTSIDE = (-signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP)

_MACHINE = SystemClock()
"""What a worker's own clock shows: deadlines are told by it, wherever ours was moved to."""

_MEGABYTE = 1024 * 1024
_STOPPING = "the server is stopping"


class State(Enum):
    """What a worker is doing."""

    STARTING = "starting"
    BUSY = "busy"
    IDLE = "idle"
    ENDED = "ended"


class Asked(NamedTuple):
    """What is asked of a worker: one invocation."""

    arn: str
    payload: bytes
    request_id: str
    client_context: bytes | None
    tail: bool


@dataclass(eq=False, slots=True)
class Work:
    """One invocation on its way; `done` is its outcome, or NotInvoked."""

    asked: Asked
    done: asyncio.Future[Outcome]
    answer: Answer | None = None
    """What the runtime has posted. It is told as soon as the worker is ready again, so that the
    next invocation finds it idle; or where that takes a while, without it."""
    began_ms: float | None = None
    """When its time began, by the machine's clock that never steps back."""
    deadline_ms: int = 0
    timer: asyncio.TimerHandle | None = None
    early_timer: asyncio.TimerHandle | None = None


@dataclass(eq=False, slots=True)
class Shared:
    """What all workers of a pool have in common."""

    clock: Clock
    entropy: Entropy
    logs: LogSink
    root: Path
    runtimes: Runtimes
    on_idle: Callable[["Worker"], None]
    """Called before the outcome is told, so that whoever is told finds the worker idle."""
    on_end: Callable[["Worker"], None]
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    is_stopping: bool = False
    """Whether the server is to stop: who ends a service may signal all its processes at once."""


class Worker:
    """One worker, from `begin` to its end."""

    def __init__(self, spec: WorkerSpec, shared: Shared) -> None:
        self.spec = spec._replace(code=spec.code.absolute())  # it is elsewhere
        self.state = State.STARTING
        self.is_retired = False
        """Whether it ends as soon as it has nothing to do."""
        self.has_begun = False
        """Whether its runtime has ever asked for an invocation."""
        self.idle_since_ms = 0.0
        self.gone: asyncio.Future[None] = shared.loop.create_future()
        """Done when there is no process any more."""
        self._shared = shared
        self._loop = shared.loop
        self._api = RuntimeApi(self)
        self._server = RuntimeServer(self._api)
        self._stream = self._stream_name()
        self._output = WorkerOutput(self._write_line, _MACHINE.elapsed_ms)
        self._process: WorkerProcess | None = None
        self._work: Work | None = None
        self._started_ms = _MACHINE.elapsed_ms()
        self._init_ms: float | None = None
        self._memory_bytes = 0
        self._init_timer: asyncio.TimerHandle | None = None
        self._watch_timer: asyncio.TimerHandle | None = None
        self._starting: asyncio.Task[None] | None = None

    @property
    def never_began(self) -> bool:
        """Whether it had a process, which ended before it asked for anything."""
        return self._process is not None and not self.has_begun

    # --- called by the pool

    def begin(self, work: Work) -> None:
        """Start the process, and give it `work` as soon as it asks for some."""
        self._work = work
        self._starting = self._loop.create_task(self._start())

    def run(self, work: Work) -> None:
        """Give it `work`; it is idle."""
        self.state = State.BUSY
        self._work = work
        self._give(work)

    def retire(self) -> None:
        """End it as soon as it has nothing to do."""
        self.is_retired = True
        if self.state is State.IDLE:
            self.end()

    def end(self) -> None:
        """End it at once, whatever it does; safe twice. What it was asked was not invoked."""
        work = self._work
        self._end()
        if work is not None:
            self._refuse(work, NotInvoked("unavailable", _STOPPING))

    # --- its start

    async def _start(self) -> None:
        try:
            command = await asyncio.to_thread(self._shared.runtimes.command, self.spec)
            address = await self._server.start()
        except CannotRun as error:
            self._fail_to_start(str(error))
        except InvalidEntrypoint as error:
            if self._work is not None:
                self._fail(self._work, texts.INVALID_ENTRYPOINT, str(error))
        except OSError as error:
            self._fail_to_start(f"the worker's port could not be had: {error}")
        except Exception as error:  # a bug of ours, or no thread is left: nobody may wait for ever
            log.exception("A worker could not be started")
            self._fail_to_start(f"the worker could not be started: {error!r}")
        else:
            if self.state is not State.ENDED:
                self._try_to_launch(command, address)
            else:
                self._server.close()
        if self._process is None:
            self._is_gone()

    def _try_to_launch(self, command: Command, address: str) -> None:
        try:
            self._launch(command, address)
        except Exception as error:  # as there
            log.exception("A worker could not be started")
            self._fail_to_start(f"the worker could not be started: {error}")

    def _launch(self, command: Command, address: str) -> None:
        spec, own = self.spec, self._shared.root / f"worker-{self._stream[-32:]}"
        place = Place(address, own, self._stream, command.folder, self._shared.runtimes.search_path)
        environment = worker_environment(spec, place)
        data_bytes = 2 * spec.memory_mb * _MEGABYTE + limits.worker_memory_slack_bytes
        arguments = command.arguments(os.getpid(), data_bytes)
        start = Start(arguments, environment, spec.code, own, (self._stream, address))
        self._output.tell(texts.init_line(spec.runtime))
        if command.notice is not None:
            self._output.tell(f"[penstock] {command.notice}")
        self._started_ms = _MACHINE.elapsed_ms()
        self._init_timer = self._loop.call_later(limits.function_init_seconds_max, self._be_late)
        self._process = WorkerProcess(start, self._on_output, self._on_exit)
        self._watch()

    def _fail_to_start(self, text: str) -> None:
        work = self._work
        self._end()
        if work is not None:
            self._refuse(work, NotInvoked("unavailable", text))

    def _be_late(self) -> None:
        """Let the time of the invocation begin, though the runtime has not begun.

        AWS starts it anew here, within that time. It goes on instead, in the same time.
        """
        self._init_timer = None
        self._output.tell(
            texts.init_report_line(limits.function_init_seconds_max * 1000, "timeout")
        )
        if self._work is not None:
            self._begin_time(self._work)

    # --- what the runtime does: called by its API

    def on_next(self) -> None:
        if self.state is State.ENDED:
            return
        if not self.has_begun:
            self.has_begun = True
            if self._init_timer is not None:
                self._init_timer.cancel()
                self._init_timer = None
                self._init_ms = _MACHINE.elapsed_ms() - self._started_ms
        work = self._work
        if work is None:
            self._become_idle()
        elif work.answer is None:
            self.state = State.BUSY
            self._give(work)
        else:
            self._finish_answered(work, work.answer)

    def on_answer(self, answer: Answer) -> None:
        work = self._work
        if work is not None:
            work.answer = answer
            seconds = limits.worker_answer_wait_seconds
            work.early_timer = self._loop.call_later(seconds, self._tell, work, answer)

    def on_init_error(self, answer: Answer) -> None:
        work = self._work
        if work is not None:
            outcome = Outcome(answer.payload, "Unhandled", self.spec.version)
            self._conclude(work, outcome, "error", answer.error_type or "")
        self._end()

    # --- the way of an invocation

    def _give(self, work: Work) -> None:
        if work.began_ms is None:
            self._begin_time(work)
        asked = work.asked
        bits = self._shared.entropy.bits(160)
        trace = f"{bits >> 64:024x}"
        self._api.give(
            Invocation(
                asked.request_id,
                asked.arn,
                asked.payload,
                work.deadline_ms,
                f"Root=1-{_MACHINE.now_ms() // 1000:08x}-{trace};Parent={bits & 2**64 - 1:016x}"
                ";Sampled=0",
                asked.client_context,
            )
        )
        if self._watch_timer is None:
            self._watch_timer = self._loop.call_later(limits.worker_watch_seconds, self._watch)

    def _begin_time(self, work: Work) -> None:
        seconds = self.spec.timeout_seconds
        work.began_ms = _MACHINE.elapsed_ms()
        work.deadline_ms = _MACHINE.now_ms() + seconds * 1000
        work.timer = self._loop.call_later(seconds, self._time_out, work)
        self._output.begin_tail()
        self._output.tell(texts.start_line(work.asked.request_id, self.spec.version))

    def _finish_answered(self, work: Work, answer: Answer) -> None:
        self._conclude(work, self._outcome_of(answer), "", "")

    def _outcome_of(self, answer: Answer) -> Outcome:
        error: FunctionError | None = None if answer.error_type is None else "Unhandled"
        return Outcome(answer.payload, error, self.spec.version)

    def _tell(self, work: Work, answer: Answer) -> None:
        """Tell the outcome while the runtime goes on; it is busy until it asks again."""
        if not work.done.done():
            self._output.drain()
            tail = self._output.tail() if work.asked.tail else b""
            work.done.set_result(self._outcome_of(answer)._replace(log_tail=tail))

    def _time_out(self, work: Work) -> None:
        work.timer = None
        if work is not self._work:
            return
        if work.answer is not None:  # what it does after its answer takes too long
            self._finish_answered(work, work.answer)
        else:
            seconds = float(self.spec.timeout_seconds)
            request_id = work.asked.request_id
            line = texts.timed_out_line(self._shared.clock.now_ms(), request_id, seconds)
            payload = texts.error_payload(
                request_id, texts.TIMED_OUT, texts.timed_out_text(seconds)
            )
            outcome = Outcome(payload, "Unhandled", self.spec.version)
            self._conclude(work, outcome, "timeout", "", line)
        self._end()

    def _fail(self, work: Work, error_type: str, text: str) -> None:
        """Conclude `work`, of which the runtime will say nothing more, and end."""
        request_id = work.asked.request_id
        line = texts.error_line(request_id, error_type, text)
        payload = texts.error_payload(request_id, error_type, text)
        outcome = Outcome(payload, "Unhandled", self.spec.version)
        self._conclude(work, outcome, "error", error_type, line)
        self._end()

    def _conclude(
        self, work: Work, outcome: Outcome, status: str, error_type: str, line: str = ""
    ) -> None:
        """Log the end of an invocation, be idle where the runtime is ready, tell the outcome."""
        self._cancel_timers(work)
        if work.began_ms is None:  # its worker never began
            self._output.begin_tail()
            self._output.tell(texts.start_line(work.asked.request_id, self.spec.version))
        self._output.drain()
        self._see_memory(alone=True)
        duration_ms = 0.0 if work.began_ms is None else _MACHINE.elapsed_ms() - work.began_ms
        if status == "timeout":  # a timer may ring a moment early
            duration_ms = max(duration_ms, self.spec.timeout_seconds * 1000.0)
        request_id = work.asked.request_id
        init_ms, self._init_ms = self._init_ms, None
        report = texts.Report(
            request_id, duration_ms, self._memory_bytes, init_ms, status, error_type
        )
        if line:
            self._output.tell(line)
        self._output.tell(texts.end_line(request_id))
        self._output.tell(texts.report_line(self.spec, report))
        self._work = None
        if work.answer is not None:
            self._become_idle()
        if not work.done.done():
            tail = self._output.tail() if work.asked.tail else b""
            work.done.set_result(outcome._replace(log_tail=tail))

    def _become_idle(self) -> None:
        if self._watch_timer is not None:
            self._watch_timer.cancel()
            self._watch_timer = None
        self.state = State.IDLE
        self.idle_since_ms = self._shared.clock.elapsed_ms()
        if self.is_retired:
            self.end()
        else:
            self._shared.on_idle(self)

    def _cancel_timers(self, work: Work) -> None:
        for timer in (work.timer, work.early_timer):
            if timer is not None:
                timer.cancel()

    def _refuse(self, work: Work, reason: NotInvoked) -> None:
        self._cancel_timers(work)
        if not work.done.done():
            work.done.set_exception(reason)

    # --- the process

    def _watch(self) -> None:
        """Look at its memory, now and again while it has something to do."""
        self._watch_timer = self._loop.call_later(limits.worker_watch_seconds, self._watch)
        if self._see_memory() <= self.spec.memory_mb * _MEGABYTE:
            return
        if self._work is not None and self._work.answer is None:
            self._fail(self._work, texts.OUT_OF_MEMORY, texts.KILLED)

    def _see_memory(self, *, alone: bool = False) -> int:
        """Return what it holds now, and keep the most that was seen."""
        held = 0 if self._process is None else self._process.resident_bytes(alone=alone)
        self._memory_bytes = max(self._memory_bytes, held)
        return held

    def _on_output(self, readable: int) -> None:
        if self.state is State.ENDED:
            os.close(readable)
        else:
            self._output.open(readable)

    def _on_exit(self, end: int | OSError) -> None:
        work = self._work
        if isinstance(end, OSError):
            self._fail_to_start(f"the worker could not be started: {end}")
        elif work is not None and work.answer is not None:  # it ended after its answer
            self._finish_answered(work, work.answer)
        elif work is not None and end in _ENDED_FROM_OUTSIDE:
            self._loop.call_later(limits.worker_signal_seconds, self._judge_signal, work, end)
            return
        elif work is not None:
            self._fail(work, texts.EXIT_ERROR, exit_text(end))
        self._end()
        self._is_gone()

    def _judge_signal(self, work: Work, end: int) -> None:
        """Conclude what a signal of another process has ended.

        By then it is known whether that was meant for the server: then the function did not fail,
        and no attempt is counted.
        """
        if self._shared.is_stopping:
            self._refuse(work, NotInvoked("unavailable", _STOPPING))
        else:
            self._fail(work, texts.EXIT_ERROR, exit_text(end))
        self._end()
        self._is_gone()

    def _end(self) -> None:
        """Let nothing be left but what waits for the process to be gone; safe twice."""
        if self.state is State.ENDED:
            return
        self.state = State.ENDED
        self._work = None
        for timer in (self._init_timer, self._watch_timer):
            if timer is not None:
                timer.cancel()
        self._output.close()
        self._server.close()
        if self._process is not None:
            self._process.kill()
        self._shared.on_end(self)

    def _is_gone(self) -> None:
        if not self.gone.done():
            self.gone.set_result(None)

    # --- its log

    def _stream_name(self) -> str:
        at = datetime.fromtimestamp(self._shared.clock.now_ms() / 1000, UTC)
        random = f"{self._shared.entropy.bits(128):032x}"
        return f"{at:%Y/%m/%d}/[{self.spec.version}]{random}"

    def _write_line(self, line: str) -> None:
        self._shared.logs.write(
            self.spec.region,
            self.spec.log_group,
            self._stream,
            self._shared.clock.now_ms(),
            line,
        )
