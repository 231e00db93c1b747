"""One run of the simulation: a seed, the steps that follow from it, and what came of them.

One random thing happens at a time: a request begins, a group becomes durable or fails, the server
crashes, the clock moves, a job runs, a consumer reads. In between the loop runs until it is idle,
and the auditor reads all that is durable. Nothing else decides what happens, so a seed is a run.
"""

import logging
import traceback
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import blake2b
from random import Random
from typing import Any, NamedTuple

from penstock.base import limits
from penstock.base.errors.api import ApiError
from penstock.base.errors.engine import EngineError
from penstock.base.ids import Entropy
from penstock.streams.stream import Shard
from penstock.tables import lineage
from penstock.testing.checkers import lost_writes, wrong_fold, wrong_records
from penstock.testing.faulty_engine import Faults, FaultyEngine, Point
from simulation.auditor import Auditor
from simulation.consumer import Consumer
from simulation.ledger import KEY, MARK, Attempt, Ledger, mark_of
from simulation.requests import REFUSALS, Request, Requests
from simulation.server import REGION, Machine, MakeEngine, Server, settings_of
from simulation.wrong import Checker, Wrong

__all__ = ["STEPS", "Outcome", "simulate"]

STEPS = 150
REQUESTS_MAX = 12
"""How many requests are under way at most."""
PARTITIONS_MAX = 8
DRAIN_ROUNDS_MAX = 400
TRACE_SHOWN = 30

SECOND_MS = 1000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS

_CHANGE_REFUSALS = frozenset(
    {
        "ValidationException",
        "ResourceNotFoundException",
        "ResourceInUseException",
        "LimitExceededException",
        "ThrottlingException",
    }
)
"""What a change of a table or of its shards may be refused with."""
_FAULTS: tuple[Point, ...] = (
    "reserve",
    "write",
    "sync",
    "sync",
    "reopen",
    "unavailable",
    "conflict",
    "lost answer",
    "lost answer",
    "rehearsal",
)

Ended = Callable[[Any, Exception | None], str]
"""Takes the answer of a task or what it raised, and returns what the trace says of it."""


class Outcome(NamedTuple):
    """What came of a run."""

    seed: int
    steps: int
    trace: list[str]
    wrong: Wrong | None

    @property
    def digest(self) -> str:
        """Return a text that two runs share only if they were the same in all."""
        return blake2b("\n".join(self.trace).encode(), digest_size=16).hexdigest()

    def report(self) -> str:
        """Return what to know of a run that failed, and how to have it again."""
        steps = "" if self.steps == STEPS else f' ARGS="--steps {self.steps}"'
        return "\n".join(
            [
                f"seed {self.seed} fails at step {self.step}; the end of its trace is:",
                *self.trace[-TRACE_SHOWN:],
                f"what is wrong: {self.wrong}",
                f"to replay it: make sim SEED={self.seed}{steps}",
            ]
        )

    @property
    def step(self) -> int:
        """Return the step that was taken last."""
        return int(self.trace[-1].split()[0])


@dataclass
class _Task:
    """Something that was begun, and what to do with its end."""

    name: str
    task: Any
    ended: Ended
    request: Request | None = None


def simulate(seed: int, steps: int = STEPS, make_engine: MakeEngine = FaultyEngine) -> Outcome:
    """Run the simulation of `seed`."""
    simulation = Simulation(seed, make_engine)
    wrong: Wrong | None = None
    with _quiet():
        try:
            simulation.run(steps)
        except Wrong as found:
            wrong = found
        except Exception:  # noqa: BLE001 - a bug, of the product or of the simulation
            wrong = Wrong(Checker.LIVES, traceback.format_exc())
    return Outcome(seed, steps, simulation.trace, wrong)


class Simulation:
    """A machine with its servers, clients, consumers and troubles."""

    def __init__(self, seed: int, make_engine: MakeEngine) -> None:
        self._random = random = Random(seed)
        settings = settings_of(random.choice((1, 2, 3)), random.choice((0, 0, 0, 700)))
        self._machine = Machine(Entropy(seed), Faults(Entropy(seed + 1)), settings, make_engine)
        self._clock = self._machine.clock
        self._born_ms = self._clock.now_ms()
        self._server = Server(self._machine)
        self._names = ("one", "two")[: random.choice((1, 1, 2))]
        self._ledger = Ledger()
        self._auditor = Auditor(self._machine.disk, self._ledger, self._names)
        self._requests = Requests(random, self._ledger)
        self._consumers = [
            Consumer(name, self._names, self._auditor, self._clock) for name in ("ann", "bob")
        ]
        self._under_way: list[_Task] = []
        self._repeatable: list[Request] = []
        self._expiring: set[str] = set()
        self._step = 0
        self._actions, self._weights = self._weather()
        self.trace: list[str] = []

    def run(self, steps: int) -> None:
        """Make the tables, take so many steps, and bring everything to its end."""
        self._set_up()
        for self._step in range(1, steps + 1):
            (action,) = self._random.choices(self._actions, self._weights)
            self._clock.advance(self._random.choice((0, 0, 1, 1, 7, 40)))
            try:
                what = action()
            except Wrong as wrong:
                self._note(f"{action.__name__.strip('_')} finds what is wrong")
                raise wrong from None
            self._settle(what)
        self._finish()

    def _weather(self) -> tuple[list[Callable[[], str]], list[float]]:
        """Return what can happen, and how often it does in this run."""
        storm = self._random.choice((0, 0.5, 1, 1, 3))
        surgery = self._random.choice((0.3, 1, 1, 3))
        weighed: list[tuple[Callable[[], str], float]] = [
            (self._write, 30),
            (self._release, 24),
            (self._consume, 26),
            (self._pass_time, 7),
            (self._run_job, 8),
            (self._repeat, 4),
            (self._hang_up, 0.5),
            (self._jump, 2),
            (self._step_back, 0.7 * storm),
            (self._arm, 4 * storm),
            (self._crash, 1.5 * storm),
            (self._operate, 5 * surgery),
            (self._switch_stream, 1.2 * self._random.choice((0, 0, 1, 2))),
            (self._switch_expiry, 0.5),
        ]
        return [action for action, _ in weighed], [weight for _, weight in weighed]

    # --- requests

    def _write(self) -> str:
        if len(self._under_way) >= REQUESTS_MAX:
            return self._release()
        name = self._random.choice(self._names)
        now_ms = self._clock.now_ms()
        return self._send(self._requests.make(name, self._step, self._auditor.number, now_ms))

    def _repeat(self) -> str:
        """Send a transaction again, whose client may or may not know what became of it."""
        if not self._repeatable:
            return self._write()
        request = self._repeatable.pop()
        request.is_repeated = True
        request.made_ms = min(request.made_ms, self._clock.now_ms())
        if not _is_remembered(request, self._auditor.latest_ms + MINUTE_MS):
            return "has a transaction whose token is forgotten"
        for attempt in request.attempts:
            attempt.state, attempt.ended = "under way", None
        return "again: " + self._send(request)

    def _send(self, request: Request) -> str:
        def ended(answer: Any, error: Exception | None) -> str:
            return self._take_outcome(request, answer, error)

        self._begin(str(request), self._server.call(request.action, request.body), ended)
        self._under_way[-1].request = request
        return f"begins {request}"

    def _take_outcome(self, request: Request, answer: Any, error: Exception | None) -> str:
        if error is None:
            made = request.take_answer(answer)
            for attempt in request.attempts:
                if attempt in made:
                    self._acknowledge(attempt)
                else:
                    self._ledger.refuse(attempt, self._step)
            if request.token is not None:
                self._repeatable.append(replace(request, attempts=[]))  # it must do nothing more
            return "is made"
        if isinstance(error, ApiError):
            if error.code not in REFUSALS:
                raise Wrong(Checker.ANSWERS, f"{request} was refused: {error}")
            for attempt in request.attempts:
                self._ledger.refuse(attempt, self._step)
            return f"is refused: {error.code}"
        for attempt in request.attempts:
            self._ledger.doubt(attempt, self._step)
        if request.token is not None:
            self._repeatable.append(request)
        return f"is in doubt: {type(error).__name__}"

    def _acknowledge(self, attempt: Attempt) -> None:
        """Note the success, and that what was written is there as far as anybody can say."""
        name, key = attempt.item
        streamed = self._auditor.streamed_since(name, attempt.snapshot)
        self._ledger.acknowledge(attempt, self._step, streamed=streamed)
        if streamed or name in self._expiring or not self._ledger.is_alone(attempt):
            return
        found = mark_of(self._auditor.items(name).get(key))
        if found != attempt.mark:
            raise Wrong(Checker.ANSWERS, f"{attempt} was acknowledged, but the item has {found}")

    def _hang_up(self) -> str:
        waiting = [each for each in self._under_way if each.request is not None]
        if not waiting:
            return "nobody is there to hang up"
        chosen = self._random.choice(waiting)
        chosen.task.cancel()
        return f"hangs up: {chosen.name}"

    # --- the machine

    def _release(self) -> str:
        if not self._server.flusher.is_holding:
            return self._pass_time()
        self._server.flusher.release()
        return "a group goes to the disk"

    def _arm(self) -> str:
        point = self._random.choice(_FAULTS)
        times = self._random.choice((1, 1, 2))
        self._machine.faults.arm(point, times)
        return f"arms {point} {times} times"

    def _crash(self) -> str:
        self._server.engine.crash()
        self._machine.loop.run_until_idle()
        self._server = Server(self._machine)
        return "crashes, and starts again"

    def _pass_time(self) -> str:
        return self._advance(self._random.choice((100, SECOND_MS + 1, 5 * SECOND_MS, MINUTE_MS)))

    def _jump(self) -> str:
        """Let much time pass at once, but no more than an hour over a group that is in doubt.

        What is not durable before a jump of a day is too old to be read when it is durable. It may
        be trimmed before anybody sees it, and then nobody can say whether it ever was there.
        """
        day_ms = limits.stream_retention_ms
        (ms,) = self._random.choices(
            (16 * MINUTE_MS, HOUR_MS, 4 * HOUR_MS, day_ms - 30 * MINUTE_MS, day_ms + SECOND_MS),
            (4, 3, 3, 1, 1),
        )
        while ms > HOUR_MS and self._server.flusher.is_holding:
            self._server.flusher.release()
            self._settle("a group goes to the disk, before much time passes")
        return self._advance(HOUR_MS if self._server.engine.is_in_doubt else ms)

    def _advance(self, ms: int) -> str:
        """Let so much time pass, unless a transaction is repeated whose token would not outlive it.

        The server judges a token when it comes to it, however long the request was on its way.
        """
        now_ms = max(self._auditor.latest_ms, self._clock.now_ms()) + ms
        repeated = (each.request for each in self._under_way if each.request is not None)
        if any(each.is_repeated and not _is_remembered(each, now_ms) for each in repeated):
            return "waits for a repeated transaction"
        self._clock.advance(ms)
        return f"{ms} ms pass"

    def _step_back(self) -> str:
        ms = self._random.choice((1, 500, MINUTE_MS, HOUR_MS))
        self._clock.set(self._clock.now_ms() - ms)
        for each in self._under_way:
            if each.request is not None:
                each.request.made_ms = min(each.request.made_ms, self._clock.now_ms())
        return f"the clock steps back by {ms} ms"

    def _run_job(self) -> str:
        name = self._random.choice(self._server.jobs)
        if any(each.name == name for each in self._under_way):
            return f"{name} runs already"
        self._begin(name, self._server.run_job(name), _take_job)
        return f"runs {name}"

    # --- changes of tables and shards

    def _operate(self) -> str:
        """Roll, split or trim the shards of a table, all or one, open or closed."""
        name = self._random.choice(self._names)
        stream = self._auditor.tables[name].descriptor.stream
        shard: Shard | None = None
        if stream is not None and self._random.random() < 0.5:
            shard = self._random.choice(self._auditor.shards_of(stream.number))
        shard_id = None if shard is None else shard.id
        kind = self._random.choices(("roll", "split", "trim"), (3, 3, 2))[0]
        tables = self._server.tables
        if kind == "trim":
            self._trim(name, shard_id)
        elif kind == "roll" or self._is_wide(name):
            self._begin("roll", lineage.roll_shards(tables, REGION, name, shard_id), _take_change)
        else:
            self._begin("split", lineage.split_shard(tables, REGION, name, shard_id), _take_change)
        return f"{kind} of {name}: {shard_id or 'all'}"

    def _is_wide(self, name: str) -> bool:
        return len(self._auditor.tables[name].descriptor.partitions) >= PARTITIONS_MAX

    def _trim(self, name: str, shard_id: str | None) -> None:
        """Trim, and see to it that nothing which was there before can still be read."""
        there = {log: records[-1] for log, records in self._auditor.archive.items() if records}

        def ended(answer: Any, error: Exception | None) -> str:
            for shard in answer or ():
                logs = (log for log, found in self._auditor.shards.items() if found.id == shard.id)
                for log in logs:
                    last = there.get(log)
                    if last is not None and self._auditor.shards[log].trimmed < last.stamp:
                        raise Wrong(Checker.ANSWERS, f"{last} was not trimmed")
            return _take_change(answer, error)

        self._begin("trim", lineage.trim_shards(self._server.tables, REGION, name, shard_id), ended)

    def _switch_stream(self) -> str:
        name = self._random.choice(self._names)
        if self._auditor.tables[name].descriptor.stream is None:
            specification: dict[str, Any] = _STREAM
        elif self._random.random() < 0.5:
            specification = {"StreamEnabled": False}
        else:
            return "leaves the streams as they are"
        body = {"TableName": name, "StreamSpecification": specification}
        self._begin("UpdateTable", self._server.call("UpdateTable", body), _take_change)
        return f"the stream of {name}: {specification['StreamEnabled']}"

    def _switch_expiry(self) -> str:
        return self._set_expiry(self._random.choice(self._names), self._random.random() < 0.7)

    def _set_expiry(self, name: str, wanted: bool) -> str:
        self._expiring.add(name)
        specification = {"Enabled": wanted, "AttributeName": "expires"}
        body = {"TableName": name, "TimeToLiveSpecification": specification}
        self._begin("UpdateTimeToLive", self._server.call("UpdateTimeToLive", body), _take_change)
        return f"the time to live of {name}: {wanted}"

    # --- consumers

    def _consume(self) -> str:
        consumer = self._random.choice(self._consumers)
        return f"{consumer.name} {consumer.step(self._server.read, self._random)}"

    # --- the way of a step

    def _begin(self, name: str, work: Coroutine[Any, Any, Any], ended: Ended) -> None:
        task = self._machine.loop.create_task(work)
        self._under_way.append(_Task(name, task, ended))

    def _settle(self, what: str) -> None:
        """Let everything go on that can, judge what is durable, and take what has ended."""
        self._note(what)
        self._machine.loop.run_until_idle()
        if self._machine.loop.complaints:
            raise Wrong(Checker.LIVES, "; ".join(self._machine.loop.complaints))
        for line in self._auditor.audit(self._step, self._clock.now_ms()):
            self._note(f"  record in {line}")
        ended = [each for each in self._under_way if each.task.done()]
        self._under_way = [each for each in self._under_way if not each.task.done()]
        for each in ended:
            error = _error_of(each)
            answer = None if error is not None else each.task.result()
            self._note(f"  {each.name} {each.ended(answer, error)}")

    def _note(self, what: str) -> None:
        self.trace.append(f"{self._step:4} {self._clock.now_ms() - self._born_ms:10} {what}")

    def _set_up(self) -> None:
        for name in self._names:
            body = {
                "TableName": name,
                "AttributeDefinitions": [{"AttributeName": KEY, "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": KEY, "KeyType": "HASH"}],
                "BillingMode": "PAY_PER_REQUEST",
                "StreamSpecification": _STREAM,
            }
            self._begin("CreateTable", self._server.call("CreateTable", body), _take_set_up)
            self._bring_to_end(f"creates {name}")
            self._clock.advance(SECOND_MS)
            # What is stored as over is over, also where the clock steps back before its end.
            self._begin("backfill", self._server.run_job("backfill"), _take_last_job)
            self._bring_to_end(f"settles {name}")
            if self._random.random() < 0.5:
                self._settle(self._set_expiry(name, True))
                self._bring_to_end("for its time to live")

    def _bring_to_end(self, what: str) -> None:
        """Let the disk do its work until nothing is under way."""
        self._settle(what)
        for _ in range(DRAIN_ROUNDS_MAX):
            if not self._under_way and not self._server.flusher.is_holding:
                return
            self._server.flusher.release()
            self._settle(f"{what}: a group goes to the disk")
        names = [each.name for each in self._under_way]
        raise Wrong(Checker.LIVES, f"these do not end: {names}")

    def _finish(self) -> None:
        """Let nothing fail any more; then all must end, and all be read."""
        self._step += 1
        self._machine.faults.disarm()
        self._clock.advance(int(limits.store_reopen_ms_min) + 1)
        self._bring_to_end("the end")
        self._settle(self._write())
        self._bring_to_end("the last write")
        for name in self._server.jobs:
            self._begin(name, self._server.run_job(name), _take_last_job)
            self._bring_to_end(f"the last {name}")
        for consumer in self._consumers:
            consumer.drain(self._server.read)
            self._note(f"{consumer.name} has read all")
        for name in self._names:
            if self._auditor.is_whole(name):
                self._check_whole(name)

    def _check_whole(self, name: str) -> None:
        """Let the published checkers judge a table that had one stream all its life."""
        stream = self._auditor.tables[name].descriptor.stream
        assert stream is not None
        logged = [
            r for (n, _), rs in self._auditor.archive.items() if n == stream.number for r in rs
        ]
        records = [each.record for each in sorted(logged, key=lambda each: each.stamp)]
        items = list(self._auditor.items(name).values())
        writes = self._ledger.writes(name)
        for checker, wrong in (
            (Checker.ONCE, wrong_records(writes, records, MARK)),
            (Checker.FOLD, wrong_fold(records, items, [KEY])),
            (Checker.ONCE, lost_writes(writes, items, [KEY], MARK)),
        ):
            if wrong:
                raise Wrong(checker, f"of {name}: {'; '.join(wrong)}")


_STREAM = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}


def _error_of(ended: _Task) -> Exception | None:
    """Return what a task raised; Wrong where that is a bug."""
    if ended.task.cancelled():
        return EngineError("the client hung up")
    error = ended.task.exception()
    if error is None or isinstance(error, (ApiError, EngineError)):
        found: Exception | None = error
        return found
    told = "".join(traceback.format_exception(error))
    raise Wrong(Checker.LIVES, f"{ended.name} failed by a bug: {told}")


def _is_remembered(request: Request, now_ms: int) -> bool:
    """Say whether the token of a request that is sent again is still known at `now_ms`."""
    return now_ms - request.made_ms <= limits.transaction_token_life_ms


def _take_change(answer: Any, error: Exception | None) -> str:
    if isinstance(error, ApiError) and error.code not in _CHANGE_REFUSALS:
        raise Wrong(Checker.ANSWERS, f"a change was refused: {error}")
    return "is made" if error is None else f"is refused: {error}"


def _take_job(answer: Any, error: Exception | None) -> str:
    if isinstance(error, ApiError):
        raise Wrong(Checker.LIVES, f"a job was refused: {error}")
    return "has run" if error is None else f"ends: {type(error).__name__}"


def _take_set_up(answer: Any, error: Exception | None) -> str:
    assert error is None, error
    return "is made"


def _take_last_job(answer: Any, error: Exception | None) -> str:
    if error is not None:
        raise Wrong(Checker.LIVES, f"a job failed although nothing was armed: {error!r}")
    return "has run"


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the log from telling of faults that were armed."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
