"""Jobs run at the start, when they are rung for and when they ask to; nothing they do ends them."""

import asyncio
import logging

import pytest

from penstock.base.background import Background, Job, JobsFailed
from penstock.base.errors.engine import EngineFull, EngineUnavailable

FOR_EVER_MS = 1e9
DEADLINE_SECONDS = 60.0


class Work:
    """A job's work that a test looks at: it does what `script` says, run by run, and then rests."""

    def __init__(self, *script: float | Exception | None) -> None:
        self.runs = 0
        self._script = list(script)
        self._more = asyncio.Event()

    async def run(self) -> float | None:
        self.runs += 1
        self._more.set()
        step = self._script.pop(0) if self._script else FOR_EVER_MS
        if isinstance(step, Exception):
            raise step
        return step

    def job(self, interval_ms: float = FOR_EVER_MS) -> Job:
        return Job("work", self.run, interval_ms)

    async def until(self, runs: int) -> None:
        """Wait until the work has been begun that often."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while self.runs < runs:
                self._more.clear()
                await self._more.wait()


def test_a_job_runs_at_the_start_and_whenever_its_alarm_rings() -> None:
    async def check() -> None:
        work = Work()
        job = work.job()
        background = Background([job])
        await background.start()
        await work.until(1)
        job.alarm.ring()
        await work.until(2)
        await background.stop()
        assert work.runs == 2

    asyncio.run(check())


def test_an_alarm_that_rings_while_its_job_runs_has_it_run_again() -> None:
    """What the job had already passed when it rang is looked at once more."""

    async def check() -> None:
        runs = 0
        done = asyncio.Event()

        async def run() -> None:
            nonlocal runs
            runs += 1
            if runs == 1:
                job.alarm.ring()
            else:
                done.set()

        job = Job("work", run, FOR_EVER_MS)
        background = Background([job])
        await background.start()
        await asyncio.wait_for(done.wait(), DEADLINE_SECONDS)
        await background.stop()

    asyncio.run(check())


def test_a_job_runs_again_when_it_asks_to_and_otherwise_after_its_interval() -> None:
    async def check() -> None:
        asking, resting = Work(0.0, 1.0, 0.0), Work(None, None)
        background = Background([asking.job(), resting.job(interval_ms=1.0)])
        await background.start()
        await asking.until(4)
        await resting.until(3)
        await background.stop()

    asyncio.run(check())


def test_neither_a_bug_nor_the_store_ends_a_job(caplog: pytest.LogCaptureFixture) -> None:
    """A bug is logged with its trace each time, trouble with the store when it begins and ends."""
    full = EngineUnavailable("no")

    async def check() -> None:
        work = Work(ValueError("bug"), full, full, None, full)
        background = Background([work.job(interval_ms=0.0)])
        await background.start()
        await work.until(6)
        await background.stop()

    with caplog.at_level(logging.INFO, "penstock.base.background"):
        asyncio.run(check())
    told = [(record.levelname, record.message, bool(record.exc_info)) for record in caplog.records]
    refused = ("WARNING", "A background job could not use the store", False)
    again = ("INFO", "A background job can use the store again", False)
    bug = ("ERROR", "A background job failed", True)
    assert told == [bug, refused, again, refused, again]


def test_catching_up_waits_for_a_whole_run_of_every_job() -> None:
    """A run that is under way does not count: it may have passed by already."""

    async def check() -> None:
        runs, may_end = 0, asyncio.Event()
        other = Work()

        async def run() -> None:
            nonlocal runs
            await may_end.wait()
            runs += 1

        background = Background([other.job(), Job("slow", run, FOR_EVER_MS)])
        await background.start()
        await other.until(1)
        caught_up = asyncio.create_task(background.catch_up())
        await other.until(2)
        assert not caught_up.done()
        may_end.set()
        await asyncio.wait_for(caught_up, DEADLINE_SECONDS)
        assert (runs, other.runs) == (2, 2)
        await background.stop()

    asyncio.run(check())


def test_the_jobs_catch_up_one_after_the_other_in_their_order() -> None:
    """So that each finds what those before it have left."""

    async def check() -> None:
        told: list[str] = []

        def job(name: str, steps: int) -> Job:
            async def run() -> None:
                for _ in range(steps):
                    told.append(name)
                    await asyncio.sleep(0)

            return Job(name, run, FOR_EVER_MS)

        background = Background([job("first", 5), job("second", 3), job("third", 1)])
        await background.start()
        await background.catch_up()
        told.clear()
        await asyncio.wait_for(background.catch_up(), DEADLINE_SECONDS)
        assert told == ["first"] * 5 + ["second"] * 3 + ["third"]
        await background.stop()

    asyncio.run(check())


def test_jobs_that_fail_while_they_catch_up_are_told_and_the_others_run() -> None:
    """Also a bug; and a failure is told once, not for the next run."""

    async def check() -> None:
        full, bug = EngineFull("no room"), ValueError("bug")
        works = [Work(None, full), Work(), Work(None, bug), Work()]
        background = Background(
            [Job(f"job {n}", work.run, FOR_EVER_MS) for n, work in enumerate(works)]
        )
        await background.start()
        for work in works:
            await work.until(1)
        with pytest.raises(JobsFailed) as caught:
            await asyncio.wait_for(background.catch_up(), DEADLINE_SECONDS)
        assert caught.value.failures == [("job 0", full), ("job 2", bug)]
        assert str(caught.value) == "job 0: EngineFull('no room'); job 2: ValueError('bug')"
        assert [work.runs for work in works] == [2, 2, 2, 2]
        await asyncio.wait_for(background.catch_up(), DEADLINE_SECONDS)
        await background.stop()

    asyncio.run(check())


def test_a_job_that_is_not_ours_lets_its_time_pass_and_goes_on_when_it_is() -> None:
    """Neither the start nor its alarm nor its interval runs it meanwhile."""

    async def check() -> None:
        ours = False
        work, other = Work(), Work(*[1.0] * 20)
        job = Job("work", work.run, 1.0, is_ours=lambda: ours)
        background = Background([job, other.job()])
        await background.start()
        job.alarm.ring()
        await other.until(20)
        assert work.runs == 0
        ours = True
        job.alarm.ring()
        await work.until(1)
        await background.stop()

    asyncio.run(check())


def test_an_alarm_of_a_job_that_is_not_ours_is_passed_on() -> None:
    """Only the alarm, not the start or the interval; and a failure is no end of it."""

    async def check() -> None:
        work, passed, other = Work(), Work(EngineUnavailable("no"), None), Work(*[1.0] * 20)

        async def pass_on() -> None:
            await passed.run()

        job = Job("work", work.run, 1.0, is_ours=lambda: False, pass_on=pass_on)
        background = Background([job, other.job()])
        await background.start()
        await other.until(20)
        assert passed.runs == 0
        for rings in (1, 2):
            job.alarm.ring()
            await passed.until(rings)
        await background.stop()
        assert (work.runs, passed.runs) == (0, 2)

    asyncio.run(check())


def test_who_catches_up_runs_every_job_ours_or_not() -> None:
    """Of another server nobody knows whether it has seen that time."""

    async def check() -> None:
        ours, others = Work(), Work()
        theirs = Job("theirs", others.run, FOR_EVER_MS, is_ours=lambda: False)
        background = Background([ours.job(), theirs])
        await background.start()
        await ours.until(1)
        await asyncio.wait_for(background.catch_up(), DEADLINE_SECONDS)
        assert (ours.runs, others.runs) == (2, 1)
        await background.stop()

    asyncio.run(check())


def test_a_stop_interrupts_a_job_and_may_come_twice() -> None:
    async def check() -> None:
        begun = asyncio.Event()
        ended_by: list[type[BaseException]] = []

        async def run() -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            except BaseException as error:
                ended_by.append(type(error))
                raise

        background = Background([Job("endless", run, FOR_EVER_MS)])
        await background.start()
        await asyncio.wait_for(begun.wait(), DEADLINE_SECONDS)
        await background.stop()
        await background.stop()
        assert ended_by == [asyncio.CancelledError]

    asyncio.run(check())


def test_a_stop_does_not_wait_for_a_job_that_does_not_stop() -> None:
    async def check() -> None:
        begun, release, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def run() -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                await release.wait()
                ended.set()

        background = Background([Job("stubborn", run, FOR_EVER_MS)])
        await background.start()
        await asyncio.wait_for(begun.wait(), DEADLINE_SECONDS)
        await background.stop(seconds_max=0.0)
        assert not ended.is_set()
        release.set()
        await asyncio.wait_for(ended.wait(), DEADLINE_SECONDS)

    asyncio.run(check())
