"""Fibers: synchronous code waits in them, and whoever drives them sees a coroutine."""

import asyncio
import contextvars
import gc
import threading
import weakref
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import coroutine
from typing import Any

import pytest
import uvloop

from penstock.base import limits
from penstock.storage import fibers
from penstock.storage.fibers import Fiber, alike, in_fiber, in_fibers, wait_for
from unit.storage.fiber_calls import run_sync

Run = Callable[[Coroutine[Any, Any, Any]], Any]

_seen: contextvars.ContextVar[str] = contextvars.ContextVar("seen", default="nothing")


class Thing:
    """What a weak reference can be made to."""


class Stop(BaseException):
    """An error that is no Exception."""


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Iterator[Run]:
    """Run a coroutine to its end on a loop of either kind."""
    with asyncio.Runner(loop_factory=request.param) as runner:
        yield runner.run


def later(value: Any = None) -> "asyncio.Future[Any]":
    """Return a future that is done with `value` on the loop's next turn."""
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    loop.call_soon(lambda: None if future.done() else future.set_result(value))
    return future


def never() -> "asyncio.Future[Any]":
    return asyncio.get_running_loop().create_future()


def wait_twice(first: Any, second: Any) -> tuple[Any, Any]:
    """Wait in the middle of what is no coroutine, below a sort of the standard library's."""

    def key(place: int) -> Any:
        return wait_for(later((first, second)[place]))

    assert sorted(range(2), key=key) in ([0, 1], [1, 0])
    return wait_for(later(first)), wait_for(later(second))


@coroutine
def _yielding(value: Any) -> Any:
    return (yield value)


async def echo(value: Any) -> Any:
    return await _yielding(value)


# --- waiting


def test_synchronous_code_waits_while_others_run(run: Run) -> None:
    order: list[str] = []

    def ask(name: str) -> str:
        order.append(f"{name} asks")
        answer: str = wait_for(later(name))
        order.append(f"{name} knows")
        return answer

    async def work() -> list[str]:
        return await asyncio.gather(*(run_sync(ask, name) for name in ("a", "b")))

    assert run(work()) == ["a", "b"]
    assert order == ["a asks", "b asks", "a knows", "b knows"]


def test_waits_and_awaits_go_together(run: Run) -> None:
    async def work() -> list[Any]:
        found: list[Any] = [wait_twice(1, 2)]
        await asyncio.sleep(0)
        found.append(wait_twice(3, 4))
        found += await asyncio.gather(asyncio.sleep(0, "five"), asyncio.sleep(0.001, "six"))
        return found

    assert run(Fiber(work())) == [(1, 2), (3, 4), "five", "six"]


def test_what_is_done_already_needs_no_wait() -> None:
    loop = asyncio.new_event_loop()
    future = loop.create_future()
    future.set_result("done")
    assert wait_for(future) == "done"
    with pytest.raises(StopIteration) as ended:
        run_sync(wait_for, future).send(None)
    assert ended.value.value == "done"
    loop.close()


def test_only_in_a_fiber_can_synchronous_code_wait(run: Run) -> None:
    async def work() -> None:
        assert not in_fiber()
        future = never()
        with pytest.raises(RuntimeError, match="only in a fiber"):
            wait_for(future)
        future.cancel()
        assert await run_sync(in_fiber)
        assert not in_fiber()

    run(work())


def test_the_driver_is_given_what_an_await_would_give_it(run: Run) -> None:
    """It sees the future, marked as awaited, and nothing of the stack between."""

    async def work() -> None:
        future = never()
        fiber = run_sync(lambda: wait_for(future))
        assert fiber.send(None) is future
        assert future._asyncio_future_blocking
        future._asyncio_future_blocking = False
        future.set_result("so")
        with pytest.raises(StopIteration) as ended:
            fiber.send(None)
        assert ended.value.value == "so"

    run(work())


def test_who_drives_on_too_early_is_told(run: Run) -> None:
    async def work() -> None:
        fiber = run_sync(lambda: wait_for(never()))
        fiber.send(None)
        with pytest.raises(RuntimeError, match="before what it waits for was done"):
            fiber.send(None)

    run(work())


def test_a_fiber_is_driven_as_its_coroutine_is() -> None:
    """What is sent and thrown arrives, and what is yielded comes out."""

    async def work() -> tuple[Any, str]:
        sent = await echo("first")
        try:
            await echo("second")
        except ValueError as error:
            return sent, str(error)
        raise AssertionError

    fiber = Fiber(work())
    assert fiber.send(None) == "first"
    assert fiber.send("sent") == "second"
    with pytest.raises(StopIteration) as ended:
        fiber.throw(ValueError("thrown"))
    assert ended.value.value == ("sent", "thrown")
    with pytest.raises(RuntimeError, match="cannot reuse"):
        fiber.send(None)


@pytest.mark.parametrize("value", [None, (1, 2), (), ValueError("a value"), StopIteration(3)])
def test_any_value_is_returned_as_it_is(run: Run, value: object) -> None:
    async def work() -> object:
        return value

    async def awaiting() -> object:
        return await Fiber(work())

    assert run(Fiber(work())) is value
    assert run(awaiting()) is value


# --- errors


@pytest.mark.parametrize("error", [ValueError("no"), Stop("stop"), asyncio.CancelledError("gone")])
def test_an_error_comes_out_as_it_is(error: BaseException) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        run_sync(fail).send(None)
    assert caught.value is error
    assert [each.name for each in caught.traceback][-1] == "fail"
    with pytest.raises(StopIteration):
        run_sync(int).send(None)  # the stack goes on to the next


def test_the_error_of_what_is_waited_for_is_raised_where_it_waits(run: Run) -> None:
    async def work() -> str:
        future = never()
        asyncio.get_running_loop().call_soon(future.set_exception, ValueError("no"))
        try:
            wait_for(future)
        except ValueError as error:
            return f"caught {error}, then {wait_for(later('more'))}"
        raise AssertionError

    assert run(Fiber(work())) == "caught no, then more"


def test_a_stop_iteration_is_no_return(run: Run) -> None:
    def stop() -> None:
        wait_for(later())
        raise StopIteration("not a result")

    with pytest.raises(RuntimeError, match="StopIteration"):
        run(run_sync(stop))


def test_the_error_being_handled_is_of_each_fiber(run: Run) -> None:
    """One that waits in an `except` goes on with its own, whatever others handle meanwhile."""

    def handle(name: str) -> str:
        try:
            raise ValueError(name)
        except ValueError:
            wait_for(later())
            try:
                raise
            except ValueError as again:
                return str(again)

    async def work() -> list[str]:
        return await asyncio.gather(*(run_sync(handle, name) for name in "abc"))

    assert run(work()) == ["a", "b", "c"]


# --- tasks


def test_a_fiber_is_of_the_task_that_drives_it(run: Run) -> None:
    async def work() -> None:
        tasks: list[asyncio.Task[Any] | None] = []

        def look() -> None:
            tasks.append(asyncio.current_task())
            wait_for(later())
            tasks.append(asyncio.current_task())

        driving: asyncio.Task[None] = asyncio.create_task(run_sync(look))
        await asyncio.gather(driving, *(run_sync(wait_for, later()) for _ in range(3)))
        assert tasks == [driving, driving]
        await run_sync(look)
        assert tasks[2:] == [asyncio.current_task()] * 2

    run(work())


def test_a_cancelled_task_is_cancelled_where_it_waits(run: Run) -> None:
    async def work() -> None:
        noted: list[str] = []
        future = never()

        def ask() -> None:
            try:
                wait_for(future)
            except asyncio.CancelledError:
                noted.append(f"cancelled, {wait_for(later('and it cleans up'))}")
                raise

        task: asyncio.Task[None] = asyncio.create_task(run_sync(ask))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()
        assert future.cancelled()
        assert noted == ["cancelled, and it cleans up"]

    run(work())


def test_a_timeout_ends_a_wait(run: Run) -> None:
    async def inside() -> str:
        try:
            async with asyncio.timeout(0.001):
                wait_for(never())
        except TimeoutError:
            return "over"
        raise AssertionError

    async def outside() -> str:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await run_sync(lambda: wait_for(never()))
        return await Fiber(inside())

    assert run(outside()) == "over"


def test_context_variables_are_the_drivers(run: Run) -> None:
    """What it set is seen and what is set here stays set, in its context and no other."""

    def look_and_set(value: str) -> str:
        seen = _seen.get()
        wait_for(later())
        _seen.set(value)
        wait_for(later())
        assert _seen.get() == value
        return seen

    async def work() -> None:
        _seen.set("outer")
        tasks = [run_sync(look_and_set, f"of task {n}") for n in range(3)]
        assert await asyncio.gather(*tasks) == ["outer"] * 3
        assert _seen.get() == "outer"
        assert await run_sync(look_and_set, "of a fiber that was awaited") == "outer"
        assert _seen.get() == "of a fiber that was awaited"

    run(work())


def test_a_fiber_in_a_fiber_waits_for_itself(run: Run) -> None:
    """Also where the inner one is driven by hand and the outer one waits meanwhile."""

    async def inner(value: int) -> int:
        found: int = wait_for(later(value))
        await asyncio.sleep(0)
        more: int = wait_for(later(1))
        return found + more

    async def outer() -> list[int]:
        by_hand = Fiber(inner(10))
        first = by_hand.send(None)
        found = [wait_for(later(1)), await Fiber(inner(2))]
        found += await asyncio.gather(Fiber(inner(3)), Fiber(inner(4)))
        assert first.done()
        by_hand.send(None)
        last = by_hand.send(None)
        last._asyncio_future_blocking = False
        await last
        with pytest.raises(StopIteration) as ended:
            by_hand.send(None)
        return [*found, ended.value.value]

    assert run(Fiber(outer())) == [1, 3, 4, 5, 11]


def test_a_task_that_a_fiber_makes_is_a_fiber_where_that_is_asked_for(run: Run) -> None:
    async def ask() -> bool:
        return in_fiber()

    async def work() -> tuple[bool, bool]:
        return await asyncio.gather(ask(), alike(ask()))

    assert tuple(run(work())) == (False, False)
    assert tuple(run(Fiber(work()))) == (False, True)


def test_every_call_of_a_function_is_a_fiber(run: Run) -> None:
    async def ask(value: int, *, more: int = 0) -> int:
        return int(wait_for(later(value + more)))

    run_it = in_fibers(ask)
    assert [run(run_it(1)), run(run_it(1, more=2))] == [1, 3]


# --- the end of one that has not finished


@contextmanager
def noting(noted: list[str]) -> Iterator[None]:
    try:
        yield
    except GeneratorExit:
        noted.append("closed")
        raise
    finally:
        noted.append("cleaned up")


def test_a_fiber_that_waits_is_closed_where_it_waits(run: Run) -> None:
    noted: list[str] = []

    def ask() -> None:
        with noting(noted):
            wait_for(never())

    async def work() -> None:
        fiber = run_sync(ask)
        fiber.send(None)
        fiber.close()
        assert noted == ["closed", "cleaned up"]
        fiber.close()
        with pytest.raises(RuntimeError, match="cannot reuse"):
            fiber.send(None)

    run(work())


def test_a_fiber_that_awaits_is_closed_and_so_is_one_that_has_not_begun() -> None:
    noted: list[str] = []

    async def work() -> None:
        with noting(noted):
            await echo("waiting")

    fiber = Fiber(work())
    fiber.send(None)
    fiber.close()
    assert noted == ["closed", "cleaned up"]
    unbegun = Fiber(work())
    unbegun.close()
    assert noted == ["closed", "cleaned up"]


@pytest.mark.parametrize("awaiting", [False, True])
def test_what_waits_on_while_it_is_closed_is_an_error(run: Run, awaiting: bool) -> None:
    def stubborn() -> None:
        try:
            wait_for(never())
        finally:
            wait_for(never())

    async def as_stubborn() -> None:
        try:
            await never()
        finally:
            wait_for(never())

    async def work() -> None:
        fiber = Fiber(as_stubborn()) if awaiting else run_sync(stubborn)
        fiber.send(None)
        with pytest.raises(RuntimeError, match="waits for something while it is closed"):
            fiber.close()
        fiber.close()

    run(work())


def test_one_that_is_dropped_is_closed_and_nothing_is_left(run: Run) -> None:
    noted: list[str] = []

    def ask() -> None:
        things.add(thing := Thing())
        with noting(noted):
            wait_for(never())
        assert thing in things

    async def work() -> None:
        fiber = run_sync(ask)
        fiber.send(None)
        assert len(things) == 1
        del fiber
        assert noted == ["closed", "cleaned up"]
        assert not things

    things: weakref.WeakSet[Thing] = weakref.WeakSet()
    run(work())


def test_a_stack_that_nobody_can_go_on_with_ends(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    """It raises GreenletExit where it waits, and a wait on the way out is an error there."""
    monkeypatch.setattr(fibers._idle, "stacks", [])  # an idle one refers to its last driver
    noted: list[str] = []

    def ask() -> None:
        try:
            with noting(noted):
                wait_for(never())
        finally:
            with pytest.raises(RuntimeError, match="while it is closed"):
                wait_for(never())
            noted.append("refused")

    async def work() -> None:
        fiber = run_sync(ask)
        fiber.send(None)
        fiber._waiting = None
        assert noted == ["cleaned up", "refused"]
        assert await run_sync(in_fiber)

    run(work())


def test_a_finished_fiber_leaves_nothing_behind(run: Run) -> None:
    """Neither its values nor its errors stay with the stack that it ran on."""
    things: weakref.WeakSet[Thing] = weakref.WeakSet()

    def ask(thing: Thing) -> Thing:
        things.add(thing)
        wait_for(later(Thing()))
        return thing

    def fail(thing: Thing) -> None:
        things.add(thing)
        wait_for(later())
        raise ValueError(thing)

    async def work() -> None:
        await run_sync(ask, Thing())
        with pytest.raises(ValueError, match="Thing"):
            await run_sync(fail, Thing())

    gc.disable()
    try:
        run(work())
        assert not things
    finally:
        gc.enable()


def test_one_dropped_in_a_task_by_the_end_of_its_loop_is_cancelled() -> None:
    noted: list[str] = []

    def ask() -> None:
        with noting(noted):
            wait_for(never())

    async def work() -> "asyncio.Task[None]":
        task: asyncio.Task[None] = asyncio.create_task(run_sync(ask))
        await asyncio.sleep(0)
        return task

    assert asyncio.run(work()).cancelled()
    assert noted == ["cleaned up"]


def test_the_stacks_of_a_thread_end_with_it() -> None:
    stacks: weakref.WeakSet[Any] = weakref.WeakSet()

    def ask() -> None:
        wait_for(later())

    async def work() -> None:
        await asyncio.gather(*(run_sync(ask) for _ in range(3)))
        stacks.update(fibers._idle.stacks)
        assert len(stacks) == 3

    for _ in range(2):
        thread = threading.Thread(target=lambda: asyncio.run(work()))
        thread.start()
        thread.join()
        gc.collect()
        assert not stacks


# --- the stacks


def test_stacks_are_used_again(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    """As many are made as wait at the same time, and so many are kept as the limit says."""
    monkeypatch.setattr(limits, "fibers_idle_max", 3)
    monkeypatch.setattr(fibers._idle, "stacks", [])
    made: list[object] = []
    new_stack = fibers._new_stack

    def counted() -> Any:
        made.append(None)
        return new_stack()

    monkeypatch.setattr(fibers, "_new_stack", counted)

    def ask() -> None:
        wait_for(later())

    async def work() -> None:
        for _ in range(10):
            await run_sync(ask)
        assert len(made) == 1
        await asyncio.gather(*(run_sync(ask) for _ in range(5)))
        assert len(made) == 5
        assert len(fibers._idle.stacks) == 3

    run(work())
