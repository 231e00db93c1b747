"""A server keeps what is written to its logs until its end, and trims it beside the requests."""

import asyncio

from penstock.app.assembly import Assembly, assemble
from penstock.app.settings import Settings
from penstock.base import limits
from penstock.base.ids import Entropy
from penstock.edge.server import Server
from penstock.functions.log_rows import Place, find_group
from penstock.storage.memory import MemoryEngine
from penstock.testing.clock import FakeClock

PLACE = Place("us-east-1", "/aws/lambda/f")
SETTINGS = Settings("127.0.0.1", 0, None, "memory", "000000000000", 4, logs_keep_megabytes=1)
SOON_SECONDS = 30


def kept_bytes(engine: MemoryEngine) -> int:
    group = engine.snapshot(lambda reader: find_group(reader, PLACE))
    return 0 if group is None else group.kept_bytes


async def served(engine: MemoryEngine, clock: FakeClock) -> tuple[Assembly, Server]:
    entropy = Entropy(1)
    assembly = assemble(engine, SETTINGS, clock, entropy)
    server = Server(assembly.dispatch, "127.0.0.1", 0, clock=clock, entropy=entropy)
    await server.start()
    await assembly.beside.start()
    return assembly, server


def test_what_is_held_is_stored_when_the_server_stops() -> None:
    async def check() -> None:
        clock = FakeClock()
        engine = MemoryEngine(clock)
        assembly, server = await served(engine, clock)
        assembly.logs.write(*PLACE, "s", clock.now_ms(), "last words")
        await asyncio.wait_for(assembly.stop(server), SOON_SECONDS)
        assert kept_bytes(engine) == len("last words") + limits.log_event_extra_bytes
        await assembly.stop(server)
        engine.close()

    asyncio.run(check())


def test_the_job_trims_to_what_the_settings_say() -> None:
    async def check() -> None:
        clock = FakeClock()
        engine = MemoryEngine(clock)
        assembly, server = await served(engine, clock)
        for _ in range(1100):
            assembly.logs.write(*PLACE, "s", clock.now_ms(), "x" * 1000)
        await assembly.logs.flush()
        assert kept_bytes(engine) > 1024 * 1024
        await asyncio.wait_for(assembly.beside.background.catch_up(), SOON_SECONDS)
        assert 0 < kept_bytes(engine) <= 1024 * 1024
        clock.advance(7 * 24 * 3600 * 1000 + 1)
        await asyncio.wait_for(assembly.beside.background.catch_up(), SOON_SECONDS)
        assert kept_bytes(engine) == 0
        await assembly.stop(server)
        engine.close()

    asyncio.run(check())
