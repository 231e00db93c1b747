"""Assembly: the one place that picks an engine and puts the rooms together."""

import asyncio
from functools import partial
from typing import NamedTuple

import msgspec

from penstock.app.beside import Beside, beside, for_engine
from penstock.app.jobs import log_keeping
from penstock.app.mapping_jobs import mapping_engine
from penstock.app.node_functions import NodeFunctions
from penstock.app.pages import pages
from penstock.app.settings import Settings
from penstock.base.clock import Clock, MovableClock, ShiftedClock
from penstock.base.errors.engine import StoreCorrupt, StoreIncompatible
from penstock.base.ids import Entropy
from penstock.edge.dispatch import Dispatch
from penstock.edge.pipeline import DispatchFunction
from penstock.edge.rest_dispatch import RestDispatch
from penstock.edge.server import Server
from penstock.functions.logs import StoredLogs
from penstock.functions.remote_invoker import RemoteInvoker
from penstock.operations import aws_lambda
from penstock.operations.control.controls import Controls
from penstock.operations.operation import Services
from penstock.operations.registry import (
    control_operations,
    log_operations,
    operations,
    rest_operations,
)
from penstock.storage.format import pack, unpack
from penstock.storage.prefixes import Prefix
from penstock.storage.waist import Engine, Lock, Span, Transaction
from penstock.streams.call_rates import CallRates
from penstock.streams.readers import Readers
from penstock.tables.tables import Tables
from penstock.tables.throughput import Throughput

STORE_FORMAT = 1


class Assembly(NamedTuple):
    """One server over its engine, yet without a socket."""

    dispatch: DispatchFunction
    """What answers its requests."""
    beside: Beside
    """What runs beside them: to be started before it is ready, and stopped before the engine."""
    controls: Controls | None
    """What tests may move it with, if they may."""
    logs: StoredLogs
    """What keeps the logs of functions: to be stopped after all that may write to it."""
    functions: NodeFunctions
    """What runs its functions: to be stopped after the jobs, and before their logs."""

    def leave(self, server: Server) -> None:
        """Let clients of `server` go elsewhere, while it still serves those who come."""
        self.beside.health.stop()
        self.functions.leave()
        server.leave()

    async def stop(self, server: Server) -> None:
        """Stop `server`, which serves `dispatch`, and what runs beside it; safe twice.

        What waits at a test's wish is given up first: the server's stop waits for its answer.
        """
        if self.controls is not None:
            self.controls.stop()
        await asyncio.gather(server.stop(), self.beside.stop(), self.functions.stop())
        await self.logs.stop()


class StoreRecord(msgspec.Struct, frozen=True):
    """What a store says of itself."""

    format: int
    account: str


def server_clock(settings: Settings, clock: Clock) -> Clock:
    """Return the clock of a server: `clock`, or with test controls one that can be moved."""
    if settings.test_controls and not isinstance(clock, MovableClock):
        return ShiftedClock(clock)
    return clock


def open_engine(
    settings: Settings, clock: Clock, entropy: Entropy, *, ends_with_process: bool = False
) -> Engine:
    """Open the engine that `settings` name; EngineError where the store cannot be had.

    `ends_with_process` says that this process ends as soon as the engine is closed, without
    unwinding, so that what the end of a process does by itself need not be done.
    """
    if settings.engine == "memory":
        from penstock.storage.memory import MemoryEngine  # noqa: PLC0415 - one engine is loaded

        return MemoryEngine(clock)
    if settings.database is not None:
        from penstock.storage.postgres import PostgresEngine  # noqa: PLC0415 - one engine is loaded

        return PostgresEngine.open(settings.database.url, clock, entropy)
    from penstock.storage.rocksdb import RocksEngine  # noqa: PLC0415 - one engine is loaded

    assert settings.data is not None  # `read_settings`: the rocksdb engine has one
    return RocksEngine.open(settings.data, clock, ends_with_process=ends_with_process)


async def claim_store(engine: Engine, settings: Settings) -> None:
    """Mark a new store as ours, or check that this one is; StoreIncompatible where it is not."""
    mine = StoreRecord(STORE_FORMAT, settings.account)
    key = Prefix.STORE.key

    def work(txn: Transaction) -> bytes | None:
        stored = txn.get(key)
        if stored is None:
            txn.set(key, pack(msgspec.json.encode(mine)))
        return stored

    lock = Lock(b"store", (Span.of_key(key),))
    stored = await engine.transact(work, locks=(lock,))
    if stored is None:
        return
    try:
        found = msgspec.json.decode(unpack(stored), type=StoreRecord)
    except msgspec.MsgspecError as error:
        raise StoreCorrupt("the store does not say what it is") from error
    if found.format != STORE_FORMAT:
        raise StoreIncompatible(
            f"the store has format {found.format}, this release reads {STORE_FORMAT}"
        )
    if found.account != mine.account:
        raise StoreIncompatible(
            f"the store belongs to account {found.account}, not {mine.account}; its ARNs name it"
        )


def assemble(engine: Engine, settings: Settings, clock: Clock, entropy: Entropy) -> Assembly:
    """Return one server over `engine`; its `clock` is of `server_clock`. Nothing of it runs yet."""
    throughput = Throughput(clock) if settings.throttling else None
    controls = _controls(settings, clock, entropy)
    logs = StoredLogs(engine, clock, log_keeping(settings))
    functions = NodeFunctions(engine, settings, clock, entropy, logs, _remote(settings))
    services = Services(
        Tables(engine, clock, entropy, settings.account, throughput),
        settings.shards,
        settings.table_delay_ms,
        settings.ttl_change_seconds * 1000,
        settings.lsi_stream_rule,
        readers=Readers(throttling=settings.throttling),
        call_rates=CallRates(throttling=settings.throttling),
        destinations=settings.endpoints,
        controls=controls,
        logs=logs,
        functions=functions.services,
        remote_functions=settings.remote_functions or {},
    )
    running = beside(
        services,
        settings,
        entropy,
        every_node=functions.jobs,
        mappings_of=partial(
            mapping_engine,
            services,
            functions.services.invoker,
            functions.destinations,
            functions.turns,
        ),
    )
    if controls is not None:
        controls.follow(running.background)
    dispatch = Dispatch(
        operations(services),
        engine=settings.engine,
        health=running.health,
        entropy=entropy,
        controls=control_operations(services),
        pages=pages(services, settings.engine, running.health, running.shown_mappings),
        rest=RestDispatch(rest_operations(services), aws_lambda.SERVICE, entropy),
        logs=log_operations(services),
    )
    return Assembly(for_engine(engine, dispatch), running, controls, logs, functions)


def _remote(settings: Settings) -> RemoteInvoker | None:
    if not settings.remote_functions:
        return None
    return RemoteInvoker(settings.remote_functions, settings.remote_function_seconds)


def _controls(settings: Settings, clock: Clock, entropy: Entropy) -> Controls | None:
    if not settings.test_controls:
        return None
    assert isinstance(clock, MovableClock)  # `server_clock`
    return Controls(clock, entropy)
