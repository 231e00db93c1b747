"""The check of the store finds out whether it answers, and tells the health page."""

import asyncio

import pytest

from penstock.app.store_check import StoreCheck
from penstock.base import limits
from penstock.base.errors.engine import EngineUnavailable
from penstock.base.health import Health
from penstock.base.ids import Entropy
from penstock.storage.memory import MemoryEngine
from penstock.storage.waist import Lock, Span
from penstock.testing.clock import FakeClock
from penstock.testing.faulty_engine import Disk, Faults, FaultyEngine
from penstock.testing.held_flusher import HeldFlusher


def test_what_the_store_answers_is_told() -> None:
    async def check() -> None:
        clock, faults = FakeClock(), Faults(Entropy(1))
        health = Health(clock, limits.store_silent_ms_max)
        store_check = StoreCheck(FaultyEngine(clock, Disk(), faults), health)
        clock.advance(int(limits.store_silent_ms_max) + 1)
        assert health.trouble() is not None
        await store_check.job.run()
        assert health.trouble() is None
        faults.arm("unavailable")
        with pytest.raises(EngineUnavailable):
            await store_check.job.run()
        assert health.trouble() is not None
        await store_check.job.run()
        assert health.trouble() is None

    asyncio.run(check())


def test_a_store_whose_answer_does_not_come_is_told_by_the_time() -> None:
    async def check() -> None:
        clock, flusher = FakeClock(), HeldFlusher(hold=True)
        engine = MemoryEngine(clock, flusher=flusher)
        health = Health(clock, limits.store_silent_ms_max)
        lock = Lock(b"any", (Span.of_key(b"any"),))
        write = asyncio.create_task(
            engine.transact(lambda txn: txn.set(b"any", b"1"), locks=(lock,))
        )
        await flusher.came()
        asked = asyncio.ensure_future(StoreCheck(engine, health).job.run())
        clock.advance(int(limits.store_silent_ms_max) + 1)
        await asyncio.sleep(0)
        assert health.trouble() is not None
        flusher.hold = False
        flusher.release()
        await asyncio.gather(write, asked)
        assert health.trouble() is None

    asyncio.run(check())
