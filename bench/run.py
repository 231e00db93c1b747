"""The course of a run: start, prepare, measure in rounds, stop.

1. Every server that is there is started, one after the other, gets its tables, is driven for a
   moment to warm up, and then stands still (SIGSTOP) except while it is measured itself.
2. The floor is a server like them, made of answers that Penstock gave.
3. Round after round everything is measured once; every other round in reverse, so that a machine
   that grows slower or faster is unfair to nobody.
4. Whatever happens, every process that was started ends.
"""

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.api import ApiError
from bench.floor import write_answers
from bench.installs import Missing
from bench.load import Load, LoadFailed, drive
from bench.measurements import (
    COMMITS,
    ENGINE,
    MEASUREMENTS,
    CannotMeasure,
    Course,
    Measurement,
    engine_commits,
)
from bench.outcome import Outcome
from bench.plan import Plan, check_names
from bench.processes import ChildFailed
from bench.servers import (
    FLOOR,
    LOCAL_DISK,
    LOCAL_MEMORY,
    PENSTOCK,
    SERVERS,
    NotStarted,
    Running,
    Server,
    floor_server,
    start,
)
from bench.work import WORKLOADS, WrongAnswer

THREAD_CHOICES = (1, 2)
CALIBRATION_ROUNDS = 3
CALIBRATION_SECONDS = 1.0
QUICK_PEERS = ("dynalite-memory", "ministack")
"""Who stands in where DynamoDB Local is missing, so that a quick run has peers."""

_FAILURES = (ApiError, LoadFailed, WrongAnswer, ChildFailed, OSError)


@dataclass
class Step:
    """One measurement on one server, as part of a round."""

    title: str
    measure: Callable[[], None]


@dataclass
class Run:
    """A run; `step` is told before each step, with how many there are in all."""

    plan: Plan
    tell: Callable[[str], None]
    step: Callable[[str, int, int], None]
    outcome: Outcome = field(default_factory=Outcome)
    running: dict[str, Running] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    threads: int = 1

    def __post_init__(self) -> None:
        check_names("server", self.plan.servers, [*SERVERS, FLOOR, ENGINE])
        check_names("measurement", self.plan.only, [*MEASUREMENTS, COMMITS.name])
        self._course = Course(self.plan, self.plan.threads or 1, self.tell)
        self._measurements = [each for each in MEASUREMENTS.values() if self._is_asked_for(each)]
        self._drop_what_lacks_a_tool()

    def go(self) -> Outcome:
        """Measure everything; return what it came to."""
        with tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder:
            try:
                self._start_servers()
                self._start_floor(Path(folder) / "answers.json")
                self._choose_threads()
                self._measure_in_rounds()
            finally:
                self._stop_servers()
        return self.outcome

    def _is_asked_for(self, each: Measurement) -> bool:
        if self.plan.only is not None:
            return each.name in self.plan.only
        return each.is_quick or self.plan.kind != "quick"

    def _drop_what_lacks_a_tool(self) -> None:
        kept = []
        for each in self._measurements:
            try:
                each.need()
                kept.append(each)
            except Missing as missing:
                self._lack_everywhere(each, str(missing))
        self._measurements = kept

    def _lack_everywhere(self, each: Measurement, reason: str) -> None:
        for server in (*SERVERS, FLOOR):
            for quantity in each.gives:
                self.outcome.lack(server, quantity.name, reason)

    # --- servers

    def _wanted(self, server: Server) -> bool:
        """Say whether a server is part of this run."""
        if self.plan.servers is not None:
            return server.name in self.plan.servers
        if self.plan.kind == "quick" and server.name in QUICK_PEERS:
            return not ({LOCAL_DISK, LOCAL_MEMORY} & self.running.keys())
        return bool(self._measurements_on(server.name))

    def _measurements_on(self, server: str) -> list[Measurement]:
        quick = self.plan.kind == "quick" and server not in {PENSTOCK, FLOOR}
        return [
            each
            for each in self._measurements
            if each.is_for(server) and (not quick or server in each.quick_servers)
        ]

    def _start_servers(self) -> None:
        for server in SERVERS.values():
            if not self._wanted(server):
                self.outcome.absent[server.name] = "not part of this run"
                continue
            try:
                self.tell(f"{server.title}: looking for it")
                found = server.find()
                self.tell(f"{server.title}: starting, filling its tables, warming up")
                self._take(start(server, found))
            except Missing as missing:
                self.outcome.absent[server.name] = str(missing)
            except NotStarted as failure:
                self.outcome.absent[server.name] = f"did not start: {failure}"
                self.outcome.failures.append(f"{server.title} did not start: {failure}")

    def _take(self, running: Running) -> None:
        """Have a server among those that are measured, and prepare it."""
        name = running.server.name
        self.running[name] = running
        self.versions[name] = running.version
        for each in self._measurements_on(name):
            with self._noting_failures(running, each):
                each.prepare(running, self._course)
        running.child.pause()

    def _start_floor(self, answers: Path) -> None:
        penstock = self.running.get(PENSTOCK)
        if not self._wanted_beside("floor") or penstock is None or not self._measurements:
            self.outcome.absent[FLOOR] = "needs Penstock's answers, and wrk"
            return
        with self._awake(penstock):
            write_answers(
                {
                    f"DynamoDB_20120810.{work.action}": penstock.answer_to(
                        work.action, work.body(work.groups()[0], self._course.values(1))
                    )
                    for work in (WORKLOADS[each.name] for each in self._floor_work())
                },
                answers,
            )
        server = floor_server(answers)
        self._take(start(server, server.find()))

    def _floor_work(self) -> list[Measurement]:
        return [
            each
            for each in self._measurements_on(FLOOR)
            if each.name in WORKLOADS and self._is_whole(PENSTOCK, each)
        ]

    def _wanted_beside(self, name: str) -> bool:
        return self.plan.servers is None or name in self.plan.servers

    def _stop_servers(self) -> None:
        with contextlib.ExitStack() as stack:
            for running in self.running.values():
                stack.callback(running.stop)

    @contextlib.contextmanager
    def _awake(self, running: Running) -> Iterator[None]:
        running.child.resume()
        try:
            yield
        finally:
            running.child.pause()

    # --- rounds

    def _choose_threads(self) -> None:
        """Take as many threads of wrk as drive the floor fastest: then wrk is not what is slow."""
        floor = self.running.get(FLOOR)
        if self.plan.threads is None and floor is not None:
            self.tell("trying one and two threads of wrk on the floor")
            best: dict[int, float] = dict.fromkeys(THREAD_CHOICES, 0.0)
            with self._awake(floor):
                for _ in range(CALIBRATION_ROUNDS):
                    for threads in THREAD_CHOICES:
                        load = Load(self.plan.connections, threads, CALIBRATION_SECONDS)
                        work = WORKLOADS[self._floor_work()[0].name]
                        driven = drive(floor.host, floor.port, work, load, 0)
                        best[threads] = max(best[threads], driven.per_second)
            self._course.threads = max(best, key=lambda threads: best[threads])
        self.threads = self._course.threads

    def _measure_in_rounds(self) -> None:
        steps = self._steps()
        count = len(steps) * self.plan.rounds
        for round_number in range(self.plan.rounds):
            order = steps if round_number % 2 == 0 else list(reversed(steps))
            for place, step in enumerate(order):
                title = f"round {round_number + 1} of {self.plan.rounds}: {step.title}"
                self.step(title, round_number * len(steps) + place, count)
                step.measure()
        self.step("done", count, count)

    def _steps(self) -> list[Step]:
        """Return the steps of a round: group by group, and in a group server by server."""
        groups = list(dict.fromkeys(each.group for each in self._measurements))
        steps = [
            Step(f"{running.server.title}, {each.gives[0].title}", self._measuring(running, each))
            for group in groups
            for running in self._in_order()
            for each in self._measurements_on(running.server.name)
            if each.group == group
        ]
        if self._wants_engine():
            steps.append(Step(COMMITS.title, self._measure_engine))
        return steps

    def _in_order(self) -> list[Running]:
        """Return the servers, the floor right behind Penstock."""
        first = [name for name in (PENSTOCK, FLOOR) if name in self.running]
        others = [name for name in self.running if name not in first]
        return [self.running[name] for name in [*first, *others]]

    def _wants_engine(self) -> bool:
        named = self.plan.only is None or COMMITS.name in self.plan.only
        return named and self._wanted_beside(ENGINE)

    def _measuring(self, running: Running, each: Measurement) -> Callable[[], None]:
        def measure() -> None:
            if not self._is_whole(running.server.name, each):
                return
            with self._awake(running), self._noting_failures(running, each):
                for quantity, value in zip(
                    each.gives, each.run(running, self._course), strict=True
                ):
                    self.outcome.add(running.server.name, quantity.name, value)

        return measure

    def _measure_engine(self) -> None:
        try:
            self.outcome.add(ENGINE, COMMITS.name, engine_commits(self.plan))
        except ChildFailed as failure:
            self.outcome.lack(ENGINE, COMMITS.name, str(failure))
            self.outcome.failures.append(f"{COMMITS.title}: {failure}")

    def _is_whole(self, server: str, each: Measurement) -> bool:
        """Say whether a measurement has not failed on a server so far."""
        lacking = self.outcome.reasons.get(server, {})
        return not any(quantity.name in lacking for quantity in each.gives)

    @contextlib.contextmanager
    def _noting_failures(self, running: Running, each: Measurement) -> Iterator[None]:
        """Turn what goes wrong into a reason, so that the rest goes on."""
        try:
            yield
        except CannotMeasure as reason:
            self._lack(running, each, str(reason))
        except _FAILURES as failure:
            said = f"; it said: {running.child.said()}" if running.child.has_ended() else ""
            self._lack(running, each, f"failed: {failure}{said}")
            self.outcome.failures.append(f"{running.server.title}, {each.name}: {failure}{said}")
            self.tell(f"FAILED: {running.server.title}, {each.name}: {failure}")

    def _lack(self, running: Running, each: Measurement, reason: str) -> None:
        for quantity in each.gives:
            self.outcome.lack(running.server.name, quantity.name, reason)
