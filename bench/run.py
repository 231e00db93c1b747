"""The course of a run: acts, in each of which servers start, are measured in rounds, and stop.

1. Every server that is there is started, one after the other, gets its tables, is driven for a
   moment to warm up, and then stands still (SIGSTOP) except while it is measured itself.
2. The floor is a server like them, made of answers that Penstock gave.
3. Round after round everything is measured once; every other round in reverse, so that a machine
   that grows slower or faster is unfair to nobody.
4. Whatever happens, every process that was started ends.
"""

import contextlib
import http.client
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.api import ApiError, UnknownAction
from bench.floor import write_answers
from bench.installs import Missing
from bench.load import Load, LoadFailed, drive
from bench.measurements import Act, CannotMeasure, Course, Lone, Measurement
from bench.outcome import Outcome
from bench.plan import Plan
from bench.processes import ChildFailed
from bench.raw_client import ServerError
from bench.register import title_of
from bench.selection import Selection
from bench.servers import FLOOR, PENSTOCK, NotStarted, Running, Server, floor_server, start
from bench.work import WORKLOADS, WrongAnswer
from bench.workers import WorkFailed

THREAD_CHOICES = (1, 2)
CALIBRATION_ROUNDS = 3
CALIBRATION_SECONDS = 1

_FAILURES = (
    ApiError, ChildFailed, LoadFailed, OSError, ServerError, WorkFailed, WrongAnswer,
    http.client.HTTPException,
)  # fmt: skip


@dataclass
class Step:
    """One measurement on one server, as part of a round."""

    title: str
    measure: Callable[[], None]


@dataclass
class Run:
    """A run; `step` is told before each step, with how many there are in its act."""

    plan: Plan
    tell: Callable[[str], None]
    step: Callable[[str, int, int], None]
    outcome: Outcome = field(default_factory=Outcome)
    versions: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._course = Course(self.plan, self.plan.threads or 1, self.tell)
        self._selection = Selection(self.plan, self.outcome)
        self._act = Act.REQUESTS
        self._began = time.monotonic()
        self._running: dict[str, Running] = {}

    @property
    def threads(self) -> int:
        """How many threads wrk was given."""
        return self._course.threads

    def go(self) -> Outcome:
        """Measure everything; return what it came to."""
        self._selection.note_what_is_left_out()
        lone = self._selection.lone()
        for act in self._selection.acts() or [Act.REQUESTS]:
            self._play(act, lone)
            lone = []
        return self.outcome

    def _play(self, act: Act, lone: list[Lone]) -> None:
        self._act, self._running = act, {}
        with tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder:
            try:
                for server in self._selection.servers(act):
                    self._start(server)
                if act is Act.REQUESTS and self._selection.wants_floor():
                    self._start_floor(Path(folder) / "answers.json")
                self._measure_in_rounds(lone)
            finally:
                with contextlib.ExitStack() as stack:
                    for running in self._running.values():
                        stack.callback(running.stop)

    # --- servers

    def _start(self, server: Server) -> None:
        """Have a server among those that are measured, or note why it is not."""
        if self._selection.stands_in(server.name, self._running):
            self.outcome.absent[server.name] = "stands in for DynamoDB Local, which is there"
            return
        try:
            self.tell(f"{server.title}: looking for it, installing it where it is an open peer")
            found = server.find()
            self.tell(f"{server.title}: starting, filling its tables, warming up")
            running = start(server, found)
        except Missing as missing:
            self.outcome.absent[server.name] = str(missing)
        except NotStarted as failure:
            self.outcome.absent[server.name] = f"did not start: {failure}"
            self._fail(server.title, f"did not start: {failure}")
        else:
            self._prepare(running)

    def _prepare(self, running: Running) -> None:
        name = running.server.name
        self._running[name] = running
        self.versions[name] = running.version
        for each in self._selection.of(name, self._act):
            with self._noting_failures(running, each):
                each.prepare(running, self._course)
        running.child.pause()

    def _start_floor(self, answers: Path) -> None:
        penstock = self._running.get(PENSTOCK)
        work = [each for each in self._floor_work() if self._is_whole(PENSTOCK, each)]
        if penstock is None or not work:
            self.outcome.absent[FLOOR] = "it gives Penstock's answers, and there are none"
            return
        with self._awake(penstock):
            write_answers(
                {
                    f"DynamoDB_20120810.{load.action}": penstock.answer_to(
                        load.action, load.body(load.groups()[0], self._course.values(1))
                    )
                    for load in (WORKLOADS[each.name] for each in work)
                },
                answers,
            )
        server = floor_server(answers)
        self.tell(f"{server.title}: starting, warming up")
        self._prepare(start(server, server.find()))
        self._choose_threads(work[0])

    def _floor_work(self) -> list[Measurement]:
        return [each for each in self._selection.of(FLOOR, self._act) if each.name in WORKLOADS]

    def _choose_threads(self, each: Measurement) -> None:
        """Take as many threads of wrk as drive the floor fastest: then wrk is not what is slow."""
        if self.plan.threads is not None:
            return
        floor = self._running[FLOOR]
        self.tell("trying one and two threads of wrk on the floor")
        best: dict[int, float] = dict.fromkeys(THREAD_CHOICES, 0.0)
        with self._awake(floor):
            for _ in range(CALIBRATION_ROUNDS):
                for threads in THREAD_CHOICES:
                    load = Load(self.plan.connections, threads, CALIBRATION_SECONDS)
                    driven = drive(floor.host, floor.port, WORKLOADS[each.name], load, 0)
                    best[threads] = max(best[threads], driven.per_second)
        self._course.threads = max(best, key=lambda threads: best[threads])

    @contextlib.contextmanager
    def _awake(self, running: Running) -> Iterator[None]:
        running.child.resume()
        try:
            yield
        finally:
            running.child.pause()

    # --- rounds

    def _measure_in_rounds(self, lone: list[Lone]) -> None:
        steps = self._steps(lone)
        count = len(steps) * self.plan.rounds
        for round_number in range(self.plan.rounds):
            began = time.monotonic()
            order = steps if round_number % 2 == 0 else list(reversed(steps))
            for place, step in enumerate(order):
                title = f"{self._act}, round {round_number + 1} of {self.plan.rounds}: {step.title}"
                self.step(title, round_number * len(steps) + place, count)
                step.measure()
            self._look_at_the_time(began, self.plan.rounds - round_number - 1)

    def _look_at_the_time(self, round_began: float, rounds_left: int) -> None:
        """Let the rounds that are left be short where they would end too late as they are."""
        now = time.monotonic()
        all_seconds = self.plan.all_seconds
        if all_seconds is None or self._course.is_late:
            return
        if now - self._began + rounds_left * (now - round_began) > all_seconds:
            self._course.is_late = True
            self.tell(f"this machine is slow or busy: {rounds_left} rounds of 1 s are left")

    def _steps(self, lone: list[Lone]) -> list[Step]:
        """Return the steps of a round: group by group, and in a group server by server."""
        steps = [
            Step(f"{running.server.title}, {each.name}", self._measuring(running, each))
            for group in self._selection.groups(self._act)
            for running in self._in_order()
            for each in self._selection.of(running.server.name, self._act)
            if each.group == group
        ]
        steps += [
            Step(f"{title_of(each.server)}, {each.name}", self._measuring_alone(each))
            for each in lone
        ]
        return steps

    def _in_order(self) -> list[Running]:
        """Return the servers, the floor right behind Penstock."""
        first = [name for name in (PENSTOCK, FLOOR) if name in self._running]
        others = [name for name in self._running if name not in first]
        return [self._running[name] for name in [*first, *others]]

    def _measuring(self, running: Running, each: Measurement) -> Callable[[], None]:
        def measure() -> None:
            if self._is_whole(running.server.name, each):
                with self._awake(running), self._noting_failures(running, each):
                    self._add(running.server.name, each, each.run(running, self._course))

        return measure

    def _measuring_alone(self, each: Lone) -> Callable[[], None]:
        def measure() -> None:
            if not self._is_whole(each.server, each):
                return
            try:
                self._add(each.server, each, each.run(self.plan))
            except (Missing, CannotMeasure) as reason:
                self._lack(each.server, each, str(reason))
            except _FAILURES as failure:
                self._lack(each.server, each, f"failed: {failure}")
                self._fail(title_of(each.server), f"{each.name}: {failure}")

        return measure

    def _add(self, server: str, each: Measurement | Lone, values: tuple[float, ...]) -> None:
        for quantity, value in zip(each.gives, values, strict=True):
            self.outcome.add(server, quantity.name, value)

    # --- what goes wrong

    @contextlib.contextmanager
    def _noting_failures(self, running: Running, each: Measurement) -> Iterator[None]:
        """Turn what goes wrong into a reason, so that the rest goes on."""
        server = running.server
        try:
            yield
        except CannotMeasure as reason:
            self._lack(server.name, each, str(reason))
        except UnknownAction:
            self._lack(server.name, each, f"{server.title} does not know the action")
        except _FAILURES as failure:
            said = f"; it said: {running.child.said()}" if running.child.has_ended() else ""
            self._lack(server.name, each, f"failed: {failure}{said}")
            self._fail(server.title, f"{each.name}: {failure}{said}")

    def _is_whole(self, server: str, each: Measurement | Lone) -> bool:
        """Say whether a measurement has not failed on a server so far."""
        lacking = self.outcome.reasons.get(server, {})
        return not any(quantity.name in lacking for quantity in each.gives)

    def _lack(self, server: str, each: Measurement | Lone, reason: str) -> None:
        for quantity in each.gives:
            self.outcome.lack(server, quantity.name, reason)

    def _fail(self, title: str, text: str) -> None:
        self.outcome.failures.append(f"{title}, {text}")
        self.tell(f"FAILED: {title}, {text}")
