"""Events by themselves: when they run, how often, and that their rows outlive whoever runs them."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
import pytest

from penstock.base import limits
from penstock.base.errors.engine import EngineUnavailable
from penstock.base.timers import Signal
from penstock.functions import catalog
from penstock.functions.events import Event, Events
from penstock.functions.function import Code, EventConfig, Function, function_lock
from penstock.functions.invoker import NotInvoked, Outcome, Reason
from penstock.functions.turns import Turns
from penstock.storage.fibers import in_fibers, wait_for
from penstock.storage.memory import MemoryEngine
from penstock.storage.prefixes import Prefix
from penstock.storage.waist import Span
from penstock.testing.clock import FakeClock

REGION = "eu-west-1"
ARN = f"arn:aws:lambda:{REGION}:123456789012:function:f"
FUNCTION = Function(REGION, "f", ARN, "role", "python3.12", "app.handler", Code("00", 0, "/"))
ALL = Span.of_prefix(Prefix.INVOCATION.key)


class Runs:
    """An invoker that notes what it is asked for, and does as it is told."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None, bytes]] = []
        self.outcome: Outcome | NotInvoked | Callable[[], Coroutine[Any, Any, Outcome]]
        self.outcome = Outcome(b"null")

    async def invoke(
        self, function_arn: str, payload: bytes, *, request_id: str | None = None, **_: Any
    ) -> Outcome:
        self.asked.append((function_arn, request_id, payload))
        if isinstance(self.outcome, NotInvoked):
            raise self.outcome
        return self.outcome if isinstance(self.outcome, Outcome) else await self.outcome()


class Trial:
    """A store with a function, and who runs its events."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.engine = MemoryEngine(self.clock, rehearse=True)
        self.runs = Runs()
        self.turns = Turns()
        self.events = self.new_events()

    def new_events(self) -> Events:
        return Events(self.engine, self.clock, self.runs, self.turns)

    async def store(self, function: Function) -> None:
        await self.engine.transact(
            lambda txn: catalog.store_function(txn, function),
            locks=(function_lock(REGION, function.name),),
        )

    async def add(self, identifier: str, arn: str = ARN) -> None:
        await self.events.add(Event(identifier, arn, b"{}", self.clock.now_ms()))

    async def settle(self) -> float | None:
        """Run what is due to its end, which no turn comes for; return when more will be."""
        while True:
            wait_ms = await self.events.run()
            tasks = list(self.events._under_way.values())
            if not tasks:
                return wait_ms
            while not all(task.done() for task in tasks):
                await asyncio.sleep(0)
                if self.events._timers.waiting:
                    self.pass_ms(int(limits.event_turn_ms_max))

    def pass_ms(self, ms: int) -> None:
        """Let time pass for those that wait, too."""
        self.clock.advance(ms)
        self.events._timers.moved()

    @property
    def rows(self) -> int:
        return len(self.engine.snapshot(lambda reader: reader.scan(ALL, 1000)))


def tried(work: Callable[[Trial], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        trial = Trial()
        await trial.store(FUNCTION)
        await work(trial)

    asyncio.run(asyncio.wait_for(run(), 60))


def test_an_event_runs_once_and_is_gone() -> None:
    async def work(trial: Trial) -> None:
        await trial.add("one")
        assert trial.rows == 1
        assert await trial.settle() is None
        assert trial.runs.asked == [(ARN, "one", b"{}")]
        assert trial.rows == 0
        await trial.settle()
        assert len(trial.runs.asked) == 1

    tried(work)


def test_errors_are_tried_again_after_one_and_two_minutes() -> None:
    async def work(trial: Trial) -> None:
        trial.runs.outcome = Outcome(b"{}", "Unhandled")
        await trial.add("one")
        for attempts, wait_ms in ((1, 60_000), (2, 120_000)):
            assert await trial.settle() == wait_ms
            assert len(trial.runs.asked) == attempts
            trial.clock.advance(wait_ms - 1)
            assert await trial.settle() == 1
            assert len(trial.runs.asked) == attempts
            trial.clock.advance(1)
        assert await trial.settle() is None
        assert len(trial.runs.asked) == 3
        assert trial.rows == 0

    tried(work)


@pytest.mark.parametrize("reason", ["throttled", "unavailable"])
def test_what_cannot_run_waits_longer_each_time(reason: Reason) -> None:
    async def work(trial: Trial) -> None:
        trial.runs.outcome = NotInvoked(reason, "not now")
        await trial.add("one")
        waits = []
        for _ in range(11):
            wait_ms = await trial.settle()
            assert wait_ms is not None
            waits.append(wait_ms / 1000)
            trial.clock.advance(int(wait_ms))
        assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
        trial.runs.outcome = Outcome(b"{}", "Unhandled")
        assert await trial.settle() == 60_000  # refusals use no attempt up
        trial.runs.outcome = Outcome(b"null")
        trial.clock.advance(60_000)
        assert await trial.settle() is None
        assert trial.rows == 0

    tried(work)


def test_what_cannot_run_is_given_up_after_six_hours() -> None:
    async def work(trial: Trial) -> None:
        trial.runs.outcome = NotInvoked("throttled", "not now")
        await trial.add("one")
        begun_ms = trial.clock.now_ms()
        while (wait_ms := await trial.settle()) is not None:
            trial.clock.advance(int(wait_ms))
        passed_ms = trial.clock.now_ms() - begun_ms
        later_ms = limits.event_turn_ms_max + limits.event_backoff_ms_max
        assert 21_600_000 < passed_ms <= 21_600_000 + later_ms
        assert trial.rows == 0

    tried(work)


def test_an_event_has_its_turn_beside_a_function_that_leaves_no_room() -> None:
    """A mapping calls again as soon as it is answered: only by a turn is there ever room."""

    async def work(trial: Trial) -> None:
        trial.runs.outcome = NotInvoked("throttled", "all workers are busy")
        await trial.add("one")
        await trial.events.run()
        other, timers = ARN.replace(":f", ":busy"), trial.events._timers
        for waits_ms in (0, 900):  # one of another function has no turn before it has waited
            trial.pass_ms(waits_ms)
            await asyncio.sleep(0)
            await trial.turns.pass_on(other, timers)
            assert len(trial.runs.asked) == 1
        trial.pass_ms(100)
        trial.runs.outcome = Outcome(b"null")
        next_turn = asyncio.create_task(trial.turns.wait(other, timers, Signal(), 60_000))
        await asyncio.sleep(0)
        trial.pass_ms(1000)
        await trial.turns.pass_on(other, timers)
        assert len(trial.runs.asked) == 2
        await asyncio.wait_for(next_turn, 10)  # which the event has passed on
        assert await trial.settle() is None
        assert trial.rows == 0

    tried(work)


@pytest.mark.parametrize(
    ("config", "attempts"),
    [
        (EventConfig(0, retry_attempts_max=0), 1),
        (EventConfig(0, retry_attempts_max=1), 2),
        (EventConfig(0, age_seconds_max=60), 2),
        (EventConfig(0), 3),
    ],
)
def test_a_function_says_how_often_and_how_long(config: EventConfig, attempts: int) -> None:
    async def work(trial: Trial) -> None:
        await trial.store(
            msgspec.structs.replace(FUNCTION, event_configs={"$LATEST": config, "live": config})
        )
        trial.runs.outcome = Outcome(b"{}", "Unhandled")
        for arn in (ARN, f"{ARN}:live"):
            trial.runs.asked.clear()
            await trial.add("one", arn)
            while (wait_ms := await trial.settle()) is not None:
                trial.clock.advance(int(wait_ms))
            assert len(trial.runs.asked) == attempts

    tried(work)


def test_events_of_a_function_that_has_gone_are_given_up() -> None:
    async def work(trial: Trial) -> None:
        trial.runs.outcome = NotInvoked("missing", "it is not there")
        await trial.add("one")
        assert await trial.settle() is None
        assert trial.rows == 0

    tried(work)


def test_few_events_of_a_function_wait_for_a_turn_at_a_time() -> None:
    """The others would keep events of other functions from being begun."""

    async def work(trial: Trial) -> None:
        trial.runs.outcome = NotInvoked("throttled", "all workers are busy")
        more = 3
        for number in range(limits.event_turns_max + more):
            await trial.add(str(number))
        await trial.events.run()
        tasks = list(trial.events._under_way.values())
        done, waiting = await asyncio.wait(tasks, timeout=0.1)
        while len(done) < more:
            done, waiting = await asyncio.wait(tasks, timeout=0.1)
        assert (len(done), len(waiting)) == (more, limits.event_turns_max)
        trial.runs.outcome = Outcome(b"null")
        trial.pass_ms(int(limits.event_turn_ms_max))
        assert await trial.settle() is None
        assert trial.rows == 0
        assert not trial.events._waiting

    tried(work)


def test_events_of_a_function_that_may_never_run_are_given_up_at_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As on AWS, without any attempt."""

    async def work(trial: Trial) -> None:
        await trial.store(msgspec.structs.replace(FUNCTION, concurrency_max=0))
        await trial.add("one")
        assert await trial.settle() is None
        assert trial.runs.asked == []
        assert trial.rows == 0
        (told,) = [each for each in caplog.records if each.message == "An event was given up"]
        assert "concurrency is 0" in vars(told)["reason"]

    tried(work)


def test_what_is_under_way_is_not_begun_twice_and_outlives_a_stop() -> None:
    async def work(trial: Trial) -> None:
        never: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        trial.runs.outcome = lambda: _result(never)
        await trial.add("one")
        for _ in range(3):
            await trial.events.run()
            await asyncio.sleep(0)
        assert len(trial.runs.asked) == 1
        await trial.events.stop()
        assert trial.rows == 1
        trial.events = trial.new_events()
        trial.runs.outcome = Outcome(b"null")
        await trial.settle()
        assert [identifier for _, identifier, _ in trial.runs.asked] == ["one", "one"]
        assert trial.rows == 0

    tried(work)


def test_some_run_at_a_time_those_that_waited_longest_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "events_under_way_max", 2)

    async def work(trial: Trial) -> None:
        await trial.store(msgspec.structs.replace(FUNCTION, name="g"))
        gates: list[asyncio.Future[Outcome]] = []

        async def wait() -> Outcome:
            gates.append(asyncio.get_running_loop().create_future())
            return await gates[-1]

        trial.runs.outcome = wait
        for number in range(4):
            await trial.add(f"f{number}")
            trial.clock.advance(1)
        await trial.add("g0", ARN[:-1] + "g")
        await trial.events.run()
        await asyncio.sleep(0)
        begun = ["f0", "f1", "g0"]  # one of each function, however many another has
        assert [identifier for _, identifier, _ in trial.runs.asked] == begun
        await trial.events.run()
        assert len(trial.events._under_way) == len(begun)
        trial.runs.outcome = Outcome(b"null")
        for gate in gates:
            gate.set_result(Outcome(b"null"))
        await trial.settle()
        assert sorted(identifier or "" for _, identifier, _ in trial.runs.asked) == [
            "f0",
            "f1",
            "f2",
            "f3",
            "g0",
        ]
        assert trial.rows == 0

    tried(work)


def test_an_event_of_which_the_store_could_not_note_the_end_runs_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "events_retry_seconds", 0.001)

    async def work(trial: Trial) -> None:
        await trial.add("one")
        transact = trial.engine.transact

        async def fail(*_: Any, **__: Any) -> Any:
            trial.engine.transact = transact  # type: ignore[method-assign]
            raise EngineUnavailable("for once")

        trial.engine.transact = fail  # type: ignore[method-assign]
        await trial.settle()
        assert [identifier for _, identifier, _ in trial.runs.asked] == ["one", "one"]
        assert trial.rows == 0

    tried(work)


class _OldView:
    """A view of the rows of events as they were."""

    def __init__(self, rows: list[tuple[bytes, bytes]]) -> None:
        self._rows = rows

    def get(self, key: bytes) -> bytes | None:
        return dict(self._rows).get(key)

    def scan(self, span: Span, limit: int, backward: bool = False) -> list[tuple[bytes, bytes]]:
        return [row for row in self._rows if span.covers(row[0])][:limit]


def test_what_ends_while_the_store_is_asked_is_not_begun_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A view that comes across a network is older than what has happened meanwhile."""

    async def work(trial: Trial) -> None:
        gate: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        trial.runs.outcome = lambda: _result(gate)
        await trial.add("one")
        await trial.events.run()
        (task,) = trial.events._under_way.values()
        rows = trial.engine.snapshot(lambda reader: reader.scan(ALL, 10))

        def late(look: Callable[[_OldView], Any]) -> Any:
            monkeypatch.undo()
            gate.set_result(Outcome(b"null"))
            wait_for(asyncio.ensure_future(asyncio.wait([task])))
            return look(_OldView(rows))

        while not trial.runs.asked:
            await asyncio.sleep(0)
        monkeypatch.setattr(trial.engine, "snapshot", late)
        await in_fibers(trial.events.run)()
        await trial.settle()
        assert [identifier for _, identifier, _ in trial.runs.asked] == ["one"]
        assert trial.rows == 0

    tried(work)


async def _result(future: "asyncio.Future[Outcome]") -> Outcome:
    return await future
