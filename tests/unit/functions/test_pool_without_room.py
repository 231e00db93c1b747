"""Workers that cannot be started: that is said at once, and they are when they can be."""

import asyncio
import sys
import threading
from pathlib import Path

import pytest

from penstock.base import limits
from penstock.base.ids import Entropy
from penstock.functions.invoker import NotInvoked
from penstock.functions.pool import Pool
from penstock.functions.worker_spec import WorkerSpec
from penstock.testing.clock import FakeClock
from unit.functions.worker_rig import rig

pytest.importorskip("awslambdaric", reason="AWS's client for Python has no wheel for this platform")

SECONDS_MAX = 60


class NoLogs:
    """A sink that keeps nothing."""

    def write(self, region: str, group: str, stream: str, at_ms: int, line: str) -> None:
        return


def test_workers_that_have_no_directory_have_one_later(tmp_path: Path) -> None:
    """As when the disk is full."""
    code, taken = tmp_path / "code", tmp_path / "taken"
    code.mkdir()
    (code / "app.py").write_text("def handler(event, context): return event\n")
    taken.write_text("no directory")
    runtime = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    arn = "arn:aws:lambda:us-east-1:000000000000:function:f"
    of = ("us-east-1", "000000000000", "/aws/lambda/f", "1")
    spec = WorkerSpec("f", arn, "$LATEST", runtime, "app.handler", code, 30, 128, {}, *of)

    async def check() -> None:
        pool = Pool(FakeClock(), Entropy(1), NoLogs(), taken / "workers", 2)
        try:
            for _ in range(2):
                with pytest.raises(NotInvoked, match=r"^workers have no directory: ") as refused:
                    await pool.invoke(spec, b"1")
                assert refused.value.reason == "unavailable"
            taken.unlink()
            async with asyncio.timeout(SECONDS_MAX):
                assert (await pool.invoke(spec, b"1")).payload == b"1"
        finally:
            await pool.stop()

    asyncio.run(check())


def test_a_worker_that_is_to_be_started_when_idle_ones_are_looked_for_is_counted(
    tmp_path: Path,
) -> None:
    async def check() -> None:
        async with rig(tmp_path, workers_max=1) as it:
            spec = it.python("def handler(event, context): return 1")
            it.clock.advance(int(limits.worker_backoff_ms_max) + 1)
            call = asyncio.create_task(it.call(spec))
            await asyncio.sleep(0)
            assert it.pool.workers == 0, "it waits for its directory"
            await it.pool.tend()
            assert await call == 1
            assert it.pool.workers == 1

    asyncio.run(check())


def test_a_null_character_in_the_environment_is_told_at_once(tmp_path: Path) -> None:
    """No process can be given one."""

    async def check() -> None:
        async with rig(tmp_path) as it:
            spec = it.python("def handler(event, context): pass", environment={"A": "b\0c"})
            with pytest.raises(NotInvoked, match="null byte") as refused:
                await it.call(spec)
            assert refused.value.reason == "unavailable"

    asyncio.run(check())


def test_a_machine_without_room_for_a_thread_is_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoThread(threading.Thread):
        def start(self) -> None:
            raise RuntimeError("can't start new thread")

    async def check() -> None:
        async with rig(tmp_path) as it:
            spec = it.python("def handler(event, context): return 1")
            assert await it.call(spec) == 1
            with monkeypatch.context() as patch:
                patch.setattr(threading, "Thread", NoThread)
                other = it.python("def handler(event, context): return 2", "other")
                with pytest.raises(NotInvoked, match="can't start new thread"):
                    await it.call(other)
            assert await it.call(other) == 2

    asyncio.run(check())
