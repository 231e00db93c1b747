"""The flushers: where jobs run, and how they end without a loop."""

import asyncio
import threading

from penstock.storage.flusher import LoopFlusher, ThreadFlusher


def test_a_threads_job_leaves_the_loop_free_and_reports_on_it() -> None:
    """The job waits for the loop to go on, and `done` runs on the loop's thread with its error."""
    flusher = ThreadFlusher("test")

    async def scene() -> None:
        loop = asyncio.get_running_loop()
        went_on = threading.Event()
        ended = loop.create_future()
        error = OSError("as it happens")

        def job() -> None:
            assert went_on.wait(60)
            raise error

        flusher.submit(job, lambda e: ended.set_result((e, threading.get_ident())), loop)
        await asyncio.sleep(0)
        went_on.set()
        assert await ended == (error, threading.get_ident())

    asyncio.run(scene())
    flusher.stop()


def test_a_threads_job_that_takes_too_long_is_not_waited_for() -> None:
    """`drain` gives up in time, and ends the job itself once that is possible."""
    flusher = ThreadFlusher("test")
    go_on = threading.Event()
    results: list[Exception | None] = []
    loop = asyncio.new_event_loop()

    def wait() -> None:
        go_on.wait(60)

    flusher.submit(wait, results.append, loop)
    assert not flusher.drain(0.01)
    assert results == []
    loop.close()
    go_on.set()
    assert flusher.drain(60)
    assert results == [None]
    flusher.stop()


def test_a_loops_job_runs_on_the_next_turn_and_once() -> None:
    """Also when it was drained before that turn came."""
    flusher = LoopFlusher()
    ran = []

    async def scene() -> None:
        loop = asyncio.get_running_loop()
        flusher.submit(lambda: ran.append("job"), lambda _: ran.append("done"), loop)
        assert ran == []
        await asyncio.sleep(0)
        assert ran == ["job", "done"]
        flusher.submit(lambda: ran.append("job"), lambda _: ran.append("done"), loop)
        assert flusher.drain(1)
        await asyncio.sleep(0)
        assert ran == ["job", "done"] * 2

    asyncio.run(scene())
    flusher.stop()
