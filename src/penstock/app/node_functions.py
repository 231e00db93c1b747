"""The functions of one node: their workers, their code, the events that wait for them.

What a node keeps of them on disk lies below its data directory, or where it has none below a
directory of its own that goes when it stops.
"""

import asyncio
import shutil

from penstock.app.passing_folder import PassingFolder
from penstock.app.settings import Settings
from penstock.base import limits
from penstock.base.background import Job
from penstock.base.clock import Clock
from penstock.base.environment import boot
from penstock.base.ids import Entropy
from penstock.consumers.destinations import Destinations
from penstock.functions.code_cache import CodeCache
from penstock.functions.events import Events
from penstock.functions.invoker import Invoker, NotInvoked, Outcome
from penstock.functions.local_invoker import LocalInvoker
from penstock.functions.log_sink import LogSink
from penstock.functions.pool import Pool
from penstock.functions.remote_invoker import Invokers, RemoteInvoker
from penstock.functions.turns import Turns
from penstock.operations.operation import FunctionServices
from penstock.storage.waist import Engine


class NodeFunctions:
    """What runs the functions of `engine`'s store on this node; nothing of it runs yet."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        clock: Clock,
        entropy: Entropy,
        logs: LogSink,
        remote: RemoteInvoker | None = None,
    ) -> None:
        """Keep their lines in `logs`; what `remote` has runs there."""
        self._passing: PassingFolder | None = None
        if settings.data is not None:
            root = settings.data / "functions"
        else:
            self._passing = PassingFolder(entropy)
            root = self._passing.path
        self._code = CodeCache(engine, clock, entropy, root / "code", boot())
        self._pool = Pool(
            clock,
            entropy,
            logs,
            root / "workers",
            settings.workers_max,
            node_ric=settings.node_ric,
        )
        invoker: Invoker = LocalInvoker(engine, settings.account, self._code, self._pool)
        if self._passing is not None:
            invoker = _Held(self._passing, invoker)
        self._remote = remote
        if remote is not None:
            invoker = Invokers(remote, invoker)
        self.destinations = Destinations(settings.endpoints)
        """Where the failures of mappings are told."""
        self.turns = Turns()
        """Of all that waits for room to run its function: events and mappings."""
        self.events = Events(engine, clock, invoker, self.turns)
        self.services = FunctionServices(invoker, self.events, self._pool.retire)
        self.jobs = [
            self._pool.job(),
            Job("unused code", self._forget_code, limits.code_sweep_interval_ms),
        ]
        """The jobs that every node has; that of `events` is a store's, and run by one."""

    def leave(self) -> None:
        """Know that the server is to stop, while all runs on."""
        self._pool.leave()

    async def stop(self) -> None:
        """Let what runs finish for a second, then end it; safe twice."""
        self.leave()
        loop = asyncio.get_running_loop()
        until = loop.time() + limits.functions_stop_seconds_max
        while self._pool.busy and loop.time() < until:
            await asyncio.sleep(limits.functions_stop_look_seconds)
        await self.events.stop()
        await self._pool.stop()
        self.destinations.close()
        if self._remote is not None:
            self._remote.close()
        if self._passing is not None:
            await asyncio.to_thread(self._passing.remove)

    async def _forget_code(self) -> None:
        """Remove the code that no function has used for long, and what killed servers have left."""
        if self._passing is not None:
            await asyncio.to_thread(self._passing.remove_left)
        for path in self._code.forget_unused(limits.code_unused_ms):
            await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)


class _Held(Invoker):
    """Invokes functions once there is a directory for them, which nobody else removes."""

    def __init__(self, folder: PassingFolder, invoker: Invoker) -> None:
        self._folder, self._invoker = folder, invoker

    async def invoke(
        self,
        function_arn: str,
        payload: bytes,
        *,
        tail: bool = False,
        client_context: bytes | None = None,
        request_id: str | None = None,
    ) -> Outcome:
        try:
            self._folder.hold()
        except OSError as error:
            text = f"there can be no directory for functions: {error}"
            raise NotInvoked("unavailable", text) from error
        return await self._invoker.invoke(
            function_arn, payload, tail=tail, client_context=client_context, request_id=request_id
        )
