"""Fibers: coroutines in which synchronous code can wait for a future while the loop goes on.

An engine whose store is across a network is asked by synchronous code (`Engine.snapshot`). Inside a
fiber such a call is `wait_for(future)`: it gives the future to whoever drives the fiber, as an
`await` would, and comes back when the future is done. What lies between on the stack knows nothing.

A fiber is a coroutine for whoever drives it, a task or a caller of `send`. Each of its steps runs
on a greenlet from a list of idle ones, in the context and the task of its driver. A greenlet stays
with its fiber only while that waits in `wait_for`, so a fiber that never does costs two switches.

While synchronous code waits, others run: what it read before may have changed when it goes on.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Generator
from typing import Any, ParamSpec, TypeVar, cast

from greenlet import GreenletExit, getcurrent, greenlet

from penstock.base import limits

T = TypeVar("T")
P = ParamSpec("P")

_WENT_ON = "a fiber waits for something while it is closed"


class Fiber(Coroutine[Any, Any, T]):
    """A coroutine that runs `work`, and lets synchronous code in it call `wait_for`.

    Driven and closed on one thread. One that is dropped while it waits is closed, unless what it
    waits for refers to it: the collector does not look into a stack that is put aside.
    """

    __slots__ = ("_waiting", "_work")

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        self._work = work
        self._waiting: _Stack | None = None
        """Where it waits in `wait_for`; None where it waits in an `await`, or does not wait."""

    def send(self, value: Any, /) -> Any:
        """Run it to its next wait, as `Coroutine.send` does."""
        stack = self._waiting
        if stack is None:
            return self._step(self._work.send, value)
        self._waiting = None
        return self._outcome(stack, _driven(stack).switch())

    def throw(self, error: Any, /, *rest: Any) -> Any:
        """Raise `error` where it waits, as `Coroutine.throw` does."""
        stack = self._waiting
        try:
            if stack is None:
                return self._step(self._work.throw, error, *rest)
            self._waiting = None
            return self._outcome(stack, _driven(stack).throw(error, *rest))
        finally:
            del error, rest  # where it is raised, it has this frame in its traceback

    def close(self) -> None:
        """End it where it waits, as `Coroutine.close` does."""
        with contextlib.suppress(GeneratorExit, StopIteration):
            if self._waiting is None:
                self._step(_close, self._work)
            else:
                self.throw(GeneratorExit())
            raise RuntimeError(_WENT_ON)

    def __await__(self) -> Generator[Any, Any, T]:
        """Return itself, since it is driven in the same way."""
        return cast("Generator[Any, Any, T]", self)

    def __iter__(self) -> "Fiber[T]":
        return self

    def __next__(self) -> Any:
        return self.send(None)

    def __del__(self) -> None:
        if self._waiting is not None:
            self.close()

    def _step(self, step: Callable[..., Any], *arguments: Any) -> Any:
        """Call `step` on an idle stack."""
        idle = _idle.stacks
        stack = idle.pop() if idle else _new_stack()
        waited = _driven(stack).switch(step, arguments)
        del step, arguments  # as in `throw`
        return self._outcome(stack, waited)

    def _outcome(self, stack: "_Stack", waited: Any) -> Any:
        """Return what the step on `stack`, which has just been left, waits for, or raise its error.

        The stack is kept where it was left in the middle of the step.
        """
        if stack.waits:
            stack.waits = False
            self._waiting = stack
            return waited
        stack.gr_context = None
        idle = _idle.stacks
        if len(idle) < limits.fibers_idle_max:
            idle.append(stack)
        error = stack.error
        if error is None:
            return waited
        stack.error = None
        try:
            raise error
        finally:
            del error


def in_fiber() -> bool:
    """Say whether who asks runs in a fiber, so that it can call `wait_for`."""
    return type(getcurrent()) is _Stack


def wait_for(future: "asyncio.Future[T]") -> T:
    """Wait for `future` and return its result, or raise its error; in a fiber only.

    What the driver throws, a cancellation for one, is raised here. A task that is cancelled cancels
    the future, so give each fiber a future of its own.
    """
    if not future.done():
        if not in_fiber():
            raise RuntimeError("only in a fiber can synchronous code wait")
        future._asyncio_future_blocking = True  # noqa: SLF001 - as `Future.__await__` does
        _wait(future)
        if not future.done():
            raise RuntimeError("a fiber went on before what it waits for was done")
    return future.result()


def in_fibers(function: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Fiber[T]]:
    """Return `function` with each of its coroutines in a fiber."""

    def call(*args: P.args, **kwargs: P.kwargs) -> Fiber[T]:
        return Fiber(function(*args, **kwargs))

    return call


def alike(work: Coroutine[Any, Any, T]) -> Coroutine[Any, Any, T]:
    """Return `work` for a task of its own, in a fiber where who asks is in one.

    A task that a fiber makes is none by itself.
    """
    return Fiber(work) if in_fiber() else work


class _Stack(greenlet):  # type: ignore[misc]  # it has no types
    """A greenlet that runs steps of fibers, one after the other. Its `run` must not refer to it:

    the collector would never find out that nobody else does.
    """

    driver: Any = None
    """Who is given what comes of the step; None when nobody will ever be again."""
    waits = False
    """Whether it was left in the middle of a step."""
    error: BaseException | None = None
    """What the last step ended with."""


def _new_stack() -> _Stack:
    main = getcurrent()
    while main.parent is not None:
        main = main.parent
    return _Stack(_run_steps, main)


def _driven(stack: _Stack) -> _Stack:
    """Return `stack`, driven from here on by who asks, in the context of who asks."""
    driver = getcurrent()
    stack.driver = driver
    stack.gr_context = driver.gr_context
    return stack


def _close(work: Coroutine[Any, Any, Any]) -> None:
    """Close `work`: a step that ends as the last one of a coroutine does."""
    work.close()
    raise StopIteration


def _run_steps(step: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    while True:
        waited = None
        try:
            waited = step(*arguments)
        except BaseException as error:  # noqa: BLE001 - it is raised where the fiber is driven
            getcurrent().error = error
        del step, arguments
        driver = getcurrent().driver
        if driver is None:
            return
        step, arguments = driver.switch(waited)


def _wait(future: "asyncio.Future[Any]") -> None:
    """Give `future` to the driver, and return when it lets the fiber go on."""
    if getcurrent().driver is None:
        raise RuntimeError(_WENT_ON)
    getcurrent().waits = True
    try:
        getcurrent().driver.switch(future)
    except GreenletExit:
        # Nobody refers to the stack any longer, or its thread ends.
        getcurrent().driver = None
        raise


class _Idle(threading.local):
    """The stacks of this thread that nobody uses."""

    def __init__(self) -> None:
        self.stacks: list[_Stack] = []


_idle = _Idle()
