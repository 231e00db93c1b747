"""The course of a run: acts, in each of which servers start, are measured in rounds, and stop.

1. Every server that is there is started, one after the other, gets its tables, is driven for a
   moment to warm up, and then stands still (SIGSTOP) except while it is measured itself.
2. The floor is a server like them, made of answers that Penstock gave.
3. Round after round everything is measured once; every other round in reverse, so that a machine
   that grows slower or faster is unfair to nobody.
4. What goes wrong is noted, and the rest goes on.
5. Whatever happens, every process that was started ends.
"""

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench import disk
from bench.api import UnknownAction
from bench.floor import write_answers
from bench.installs import Missing
from bench.interrupts import Shield
from bench.load import Load, drive
from bench.measurements import Act, CannotMeasure, Course, Lone, Measurement
from bench.outcome import Outcome
from bench.plan import Plan, PlanError
from bench.register import title_of
from bench.selection import Selection
from bench.servers import FLOOR, PENSTOCK, Running, Server, floor_server, start
from bench.trouble import detail, sentence
from bench.work import WORKLOADS

THREAD_CHOICES = (1, 2)
CALIBRATION_ROUNDS = 3
CALIBRATION_SECONDS = 1


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
        try:
            self.plan.data.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PlanError(f"--data: {error}") from error
        self.outcome.is_in_memory = disk.file_system(self.plan.data) in disk.IN_MEMORY
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
            try:
                self._play(act, lone)
            except Exception as failure:  # noqa: BLE001 - what was measured is not to be lost
                self._fail("Penstock and all others", act, failure)
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
                with Shield():
                    for running in self._running.values():
                        running.stop()

    # --- servers

    def _start(self, server: Server) -> None:
        """Have a server among those that are measured, or note why it is not."""
        if self._selection.stands_in(server.name, self._running):
            self.outcome.leave_out(server.name, "stands in for DynamoDB Local, which is there")
            return
        try:
            self.tell(f"{server.title}: looking for it, installing it where it is an open peer")
            found = server.find()
            self.tell(f"{server.title}: starting, filling its tables, warming up")
            running = start(server, found, self.plan.data)
        except Missing as missing:
            self.outcome.leave_out(server.name, str(missing))
            self._add_aside(server.title, missing)
        except Exception as failure:  # noqa: BLE001 - whatever it is, the others can be measured
            self._note_no_start(server, failure)
        else:
            self._prepare(running)

    def _note_no_start(self, server: Server, failure: Exception) -> None:
        self.outcome.leave_out(server.name, f"did not start: {sentence(failure)}")
        self._fail(server.title, "did not start", failure)

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
            self.outcome.leave_out(FLOOR, "it gives Penstock's answers, and there are none")
            return
        server = floor_server(answers)
        try:
            self._write_answers(penstock, work, answers)
            self.tell(f"{server.title}: starting, warming up")
            running = start(server, server.find(), self.plan.data)
        except Exception as failure:  # noqa: BLE001 - the servers can be measured without it
            self._note_no_start(server, failure)
            return
        self._prepare(running)
        try:
            self._choose_threads(work[0])
        except Exception as failure:  # noqa: BLE001 - then it is one
            self._fail(server.title, "choosing the threads of wrk", failure)

    def _write_answers(self, penstock: Running, work: list[Measurement], answers: Path) -> None:
        with self._awake(penstock):
            told = {
                f"DynamoDB_20120810.{load.action}": penstock.answer_to(
                    load.action, load.body(load.groups()[0], self._course.values(1))
                )
                for load in (WORKLOADS[each.name] for each in work)
            }
        write_answers(told, answers)

    def _floor_work(self) -> list[Measurement]:
        return [each for each in self._selection.of(FLOOR, self._act) if each.name in WORKLOADS]

    def _choose_threads(self, each: Measurement) -> None:
        """Take as many threads of wrk as drive the floor fastest: then wrk is not what is slow."""
        if self.plan.threads is not None:
            return
        floor = self._running[FLOOR]
        self.tell("trying one and two threads of wrk on the floor")
        choices = [each for each in THREAD_CHOICES if each <= self.plan.connections]
        best: dict[int, float] = dict.fromkeys(choices, 0.0)
        with self._awake(floor):
            for _ in range(CALIBRATION_ROUNDS):
                for threads in choices:
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
                self._add_aside(f"{title_of(each.server)}, {each.name}", reason)
            except Exception as failure:  # noqa: BLE001 - the other measurements go on
                self._lack(each.server, each, f"failed: {sentence(failure)}")
                self._fail(title_of(each.server), each.name, failure)

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
            self._add_aside(f"{server.title}, {each.name}", reason)
            self.tell(f"{server.title}, {each.name}: not measured: {reason}")
        except UnknownAction:
            self._lack(server.name, each, f"{server.title} does not know the action")
        except Exception as failure:  # noqa: BLE001 - the other measurements go on
            has_ended = running.child.has_ended()
            said = f"; {server.title} has ended" if has_ended else ""
            self._lack(server.name, each, f"failed: {sentence(failure)}{said}")
            self._fail(server.title, each.name, failure)
            if has_ended:
                self.outcome.asides.append(f"{server.title} said: {running.child.said()}")

    def _is_whole(self, server: str, each: Measurement | Lone) -> bool:
        """Say whether a measurement has not failed on a server so far."""
        lacking = self.outcome.reasons.get(server, {})
        return not any(quantity.name in lacking for quantity in each.gives)

    def _lack(self, server: str, each: Measurement | Lone, reason: str) -> None:
        for quantity in each.gives:
            self.outcome.lack(server, quantity.name, reason)

    def _fail(self, title: str, what: str, failure: Exception) -> None:
        text = f"{what}: {sentence(failure)}"
        self.outcome.fail(title, text)
        self._add_aside(f"{title}, {what}", failure)
        self.tell(f"FAILED: {title}, {text}")

    def _add_aside(self, title: str, trouble: Exception) -> None:
        if more := detail(trouble):
            self.outcome.asides.append(f"{title}: {more}")
