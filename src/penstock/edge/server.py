"""The HTTP server: a listening socket, its connections, one sweep for their time limits, the stop.

Runs on the event loop that `start` is awaited on. `stop` lets the requests that are under way
finish, but never takes longer than it is given.
"""

import asyncio
import contextlib

from penstock.base.clock import Clock, SystemClock
from penstock.base.ids import Entropy
from penstock.edge.connection import Connection, Shared
from penstock.edge.limits import EdgeLimits
from penstock.edge.messages import ResponseWriter
from penstock.edge.pipeline import DispatchFunction

_CUT_SECONDS_MAX = 0.2  # for the loop to close what was cut


class Server:
    """Serves HTTP/1.1 on one address."""

    def __init__(
        self,
        dispatch: DispatchFunction,
        host: str,
        port: int,
        *,
        limits: EdgeLimits | None = None,
        clock: Clock | None = None,
        entropy: Entropy | None = None,
    ) -> None:
        self._dispatch = dispatch
        self._host = host
        self._port = port
        self._limits = limits or EdgeLimits()
        self._clock = clock or SystemClock()
        self._entropy = entropy or Entropy()
        self._listener: asyncio.Server | None = None
        self._sweep_timer: asyncio.TimerHandle | None = None
        self._shared: Shared
        self._quiet: asyncio.Event

    @property
    def port(self) -> int:
        """The port that is listened on; the one chosen by the system where 0 was asked for."""
        return self._port

    async def start(self) -> None:
        """Listen. OSError where the address cannot be had."""
        loop = asyncio.get_running_loop()
        self._quiet = asyncio.Event()
        self._shared = Shared(
            dispatch=self._dispatch,
            limits=self._limits,
            entropy=self._entropy,
            writer=ResponseWriter(self._clock),
            loop=loop,
            on_less=self._note_quiet,
        )
        self._listener = await loop.create_server(
            lambda: Connection(self._shared),
            self._host,
            self._port,
            backlog=self._limits.backlog_connections_max,
        )
        self._port = self._listener.sockets[0].getsockname()[1]
        self._sweep()

    def leave(self) -> None:
        """Go on serving, but let no client stay: each answer from now on closes its connection.

        So those who have a choice make it anew before `stop`.
        """
        if self._listener is not None:
            self._shared.leaving = True

    async def stop(self, seconds_max: float | None = None) -> None:
        """Stop within `seconds_max`; safe twice.

        1. Accept no more. 2. Let the loop deliver what has already arrived. 3. Close what is idle;
        the rest closes with its last answer. 4. When time is up, cut what is left.
        """
        if self._listener is None:
            return
        seconds = self._limits.stop_seconds_max if seconds_max is None else seconds_max
        self._listener.close()  # 1
        self._listener = None
        await asyncio.sleep(0)  # 2
        self._shared.draining = self._shared.leaving = True  # 3
        for connection in list(self._shared.connections):
            connection.drain()
        await self._wait_until_quiet(max(0.0, seconds - _CUT_SECONDS_MAX))
        for connection in list(self._shared.connections):  # 4
            connection.cut()
        for task in list(self._shared.tasks):
            task.cancel()
        await self._wait_until_quiet(_CUT_SECONDS_MAX)
        if self._sweep_timer is not None:
            self._sweep_timer.cancel()

    def _sweep(self) -> None:
        loop = self._shared.loop
        now = loop.time()
        for connection in list(self._shared.connections):
            connection.check_time(now)
        self._sweep_timer = loop.call_later(self._limits.sweep_seconds, self._sweep)

    def _is_quiet(self) -> bool:
        return not self._shared.connections and not self._shared.tasks

    def _note_quiet(self) -> None:
        if self._is_quiet():
            self._quiet.set()

    async def _wait_until_quiet(self, seconds_max: float) -> None:
        """Wait until no connection and no request is left, or until time is up."""
        if self._is_quiet():
            return
        self._quiet.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._quiet.wait(), seconds_max)
