"""A pool whose directory cannot be made: nothing runs, until it can."""

import asyncio
import sys
from pathlib import Path

import pytest

from penstock.base.ids import Entropy
from penstock.functions.invoker import NotInvoked
from penstock.functions.pool import Pool
from penstock.functions.worker_spec import WorkerSpec
from penstock.testing.clock import FakeClock

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
