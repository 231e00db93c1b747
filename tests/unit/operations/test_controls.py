"""Controls wait for the background as long as they may, and say so where that is not enough."""

import asyncio

import pytest

from penstock.base.background import Background, Job
from penstock.base.errors.api import ApiError
from penstock.base.errors.engine import EngineFull
from penstock.base.ids import Entropy
from penstock.operations.control.controls import Controls
from penstock.testing.clock import FakeClock

FOR_EVER_MS = 1e9


def test_catching_up_waits_for_the_jobs() -> None:
    async def check() -> None:
        runs = 0

        async def run() -> None:
            nonlocal runs
            await asyncio.sleep(0)
            runs += 1

        controls = Controls(FakeClock(), Entropy(1))
        background = Background([Job("work", run, FOR_EVER_MS)])
        controls.follow(background)
        await background.start()
        await controls.catch_up()
        before = runs
        await controls.catch_up()
        assert runs == before + 1
        await background.stop()

    asyncio.run(check())


def test_jobs_that_do_not_catch_up_are_an_error_and_go_on() -> None:
    async def check() -> None:
        release, ended = asyncio.Event(), asyncio.Event()

        async def run() -> None:
            await release.wait()
            ended.set()

        controls = Controls(FakeClock(), Entropy(1))
        background = Background([Job("slow", run, FOR_EVER_MS)])
        controls.follow(background)
        await background.start()
        with pytest.raises(ApiError) as caught:
            await controls.catch_up(0.01)
        assert caught.value.body()["message"] == (
            "The background jobs have not caught up within 0.01 s"
        )
        assert caught.value.code == "CatchUpTimeout"
        assert not ended.is_set()
        release.set()
        await asyncio.wait_for(ended.wait(), 60)
        await controls.catch_up()
        await background.stop()

    asyncio.run(check())


def test_jobs_that_fail_are_an_error_that_names_them() -> None:
    async def check() -> None:
        ended = []

        async def fail() -> None:
            raise EngineFull("no room")

        async def run() -> None:
            ended.append("run")

        controls = Controls(FakeClock(), Entropy(1))
        jobs = [Job("trimming", fail, FOR_EVER_MS), Job("other", run, FOR_EVER_MS)]
        background = Background(jobs)
        controls.follow(background)
        await background.start()
        with pytest.raises(ApiError) as caught:
            await controls.catch_up()
        assert caught.value.code == "CatchUpFailed"
        assert caught.value.body()["message"] == (
            "Background jobs have failed: trimming (EngineFull('no room')). They run again by"
            " themselves; the clock stays where it was moved to"
        )
        assert ended
        await background.stop()

    asyncio.run(check())


def test_whoever_waits_for_the_jobs_when_the_server_stops_is_told() -> None:
    """And whoever comes then does not wait at all."""

    async def check() -> None:
        controls = Controls(FakeClock(), Entropy(1))
        background = Background([Job("endless", asyncio.Event().wait, FOR_EVER_MS)])
        controls.follow(background)
        await background.start()
        waiting = asyncio.create_task(controls.catch_up())
        await asyncio.sleep(0)
        controls.stop()
        controls.stop()
        for each in (waiting, asyncio.create_task(controls.catch_up())):
            with pytest.raises(ApiError) as caught:
                await asyncio.wait_for(each, 30)
            assert (caught.value.code, caught.value.status) == ("ServiceUnavailable", 503)
        await background.stop()

    asyncio.run(check())
