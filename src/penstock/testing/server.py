"""A server inside the test's own process, on a free port of the loopback address.

It runs on an event loop in a thread of its own, with the engine, clock and randomness that the test
gives it, so that a test can move the time under a real client.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import uvloop

from penstock.app.assembly import assemble, claim_store, server_clock
from penstock.app.settings import Settings
from penstock.base.background import Background
from penstock.base.clock import Clock, SystemClock
from penstock.base.ids import Entropy
from penstock.edge.server import Server
from penstock.storage.memory import MemoryEngine
from penstock.storage.waist import Engine

_START_SECONDS_MAX = 60.0
_STOP_SECONDS_MAX = 60.0
_CATCH_UP_SECONDS_MAX = 60.0
_SETTINGS: dict[str, Any] = {
    "host": "127.0.0.1",
    "port": 0,
    "data": None,
    "engine": "memory",
    "account": "000000000000",
    "shards": 4,
}


class RunningServer:
    """A context manager: a server that is ready inside the `with`, and gone after it.

    What it fails with, at its start or later, is raised on the test's thread.

    `make_engine` is called with the clock, on the server's thread; by default it is a memory engine
    that runs the work of every transaction and snapshot twice to prove that it may run again.
    `settings` are members of `Settings`; host and port stay the loopback address and a free one.
    With `test_controls` the server answers `/_penstock/control/`, which moves `clock` itself where
    that can be moved.
    """

    def __init__(
        self,
        make_engine: Callable[[Clock], Engine] | None = None,
        *,
        clock: Clock | None = None,
        entropy: Entropy | None = None,
        **settings: Any,
    ) -> None:
        self._make_engine = make_engine or (lambda clock: MemoryEngine(clock, rehearse=True))
        self._entropy = entropy or Entropy()
        self._settings = Settings(**(_SETTINGS | settings))
        self._clock = server_clock(self._settings, clock or SystemClock())
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="penstock", daemon=True)
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop
        self._stop: asyncio.Event
        self._background: Background
        self._port = 0

    @property
    def url(self) -> str:
        """Return the endpoint URL for clients."""
        return f"http://127.0.0.1:{self._port}"

    def catch_up(self) -> None:
        """Let every background job run once more, and return when all have.

        For a test that moved the clock: the jobs themselves wait in real time. Raises JobsFailed
        where any of them failed.
        """
        caught_up = asyncio.run_coroutine_threadsafe(self._background.catch_up(), self._loop)
        caught_up.result(_CATCH_UP_SECONDS_MAX)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(_START_SECONDS_MAX):
            raise TimeoutError("the server did not start")
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: it has ended by itself
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_STOP_SECONDS_MAX)
        if self._thread.is_alive():
            raise TimeoutError("the server did not stop")
        if self._failure is not None and error is None:
            raise self._failure

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            try:
                runner.run(self._serve())
            except BaseException as error:  # noqa: BLE001 - the test's thread raises it
                self._failure = error
            finally:
                self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        engine = self._make_engine(self._clock)
        try:
            await claim_store(engine, self._settings)
            assembly = assemble(engine, self._settings, self._clock, self._entropy)
            self._background = assembly.beside.background
            server = Server(
                assembly.dispatch, "127.0.0.1", 0, clock=self._clock, entropy=self._entropy
            )
            await server.start()
            self._port = server.port
            await assembly.beside.start()
            self._ready.set()
            await self._stop.wait()
            await assembly.stop(server)
        finally:
            engine.close()
