"""An event loop for the simulation: callbacks in their order, no clock, no sockets, no threads.

Nothing in it depends on anything but what is given to it, so the same tasks take the same turns in
every process. `run_until_idle` returns when nothing can go on before something happens outside.
"""

import asyncio
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any

TURNS_MAX = 1_000_000
"""How many callbacks may follow on one another before it must be a loop without end."""


class NeverIdle(Exception):
    """Tasks go on and on without waiting for anything."""


class SimulatedLoop(asyncio.AbstractEventLoop):
    """As much of an event loop as tasks and futures need; what waits for real time fails."""

    def __init__(self) -> None:
        self._ready: deque[asyncio.Handle] = deque()
        self.complaints: list[str] = []
        """What tasks failed with that nobody asked for."""

    def run_until_idle(self) -> None:
        """Run callbacks, and those that they add, until there are none."""
        events._set_running_loop(self)
        try:
            for _ in range(TURNS_MAX):
                if not self._ready:
                    return
                handle = self._ready.popleft()
                if not handle.cancelled():
                    handle._run()
            raise NeverIdle
        finally:
            events._set_running_loop(None)

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(self, coro: Coroutine[Any, Any, Any], **named: Any) -> asyncio.Task[Any]:  # type: ignore[override]
        return asyncio.Task(coro, loop=self, **named)

    def get_debug(self) -> bool:
        return False

    def is_closed(self) -> bool:
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.complaints.append(f"{context.get('message')}: {context.get('exception')!r}")
