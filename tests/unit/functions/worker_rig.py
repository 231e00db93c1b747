"""A pool for tests, with the logs it writes, and functions made of a few lines."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Coroutine, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import msgspec
import pytest
import uvloop

from penstock.base import limits
from penstock.base.ids import Entropy
from penstock.functions.invoker import Outcome
from penstock.functions.pool import Pool
from penstock.functions.worker_spec import WorkerSpec
from penstock.testing.clock import FakeClock

DEADLINE_SECONDS = 60.0
ACCOUNT = "000000000000"


class Logs:
    """A sink that keeps all lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.streams: list[str] = []
        self.groups: set[tuple[str, str]] = set()
        self._more = asyncio.Event()

    def write(self, region: str, group: str, stream: str, at_ms: int, line: str) -> None:
        self.groups.add((region, group))
        if stream not in self.streams:
            self.streams.append(stream)
        self.lines.append(line)
        self._more.set()

    async def until(self, text: str) -> str:
        """Wait for a line that holds `text`, and return it."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while True:
                for line in self.lines:
                    if text in line:
                        return line
                self._more.clear()
                await self._more.wait()


class Rig:
    """A pool, its logs and its clock; functions are written below `folder`."""

    def __init__(self, folder: Path, workers_max: int = 8, **options: Any) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.logs = Logs()
        self.root = folder / "workers"
        self.pool = Pool(self.clock, Entropy(), self.logs, self.root, workers_max, **options)

    def python(self, source: str, name: str = "thing", **options: Any) -> WorkerSpec:
        """Return a function in Python whose module is `source`."""
        return self.function({"app.py": source}, name, **options)

    def bootstrap(self, source: str, name: str = "thing", **options: Any) -> WorkerSpec:
        """Return a function whose runtime is a program, `source`."""
        spec = self.function({"bootstrap": source}, name, runtime="provided.al2023", **options)
        (spec.code / "bootstrap").chmod(0o755)
        return spec

    def function(
        self,
        files: dict[str, str],
        name: str = "thing",
        *,
        runtime: str = "",
        handler: str = "app.handler",
        timeout_seconds: int = 30,
        memory_mb: int = 128,
        environment: dict[str, str] | None = None,
        version: str = "$LATEST",
        revision: str = "1",
    ) -> WorkerSpec:
        code = self.folder / f"{name}-{version}-{revision}"
        code.mkdir(parents=True, exist_ok=True)
        for each, source in files.items():
            first, _, rest = source.partition("\n")  # a first line of its own may say what runs it
            (code / each).write_text(f"{first.lstrip()}\n{dedent(rest)}")
        return WorkerSpec(
            name,
            f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:{name}",
            version,
            runtime or own_runtime(),
            handler,
            code,
            timeout_seconds,
            memory_mb,
            environment or {},
            "eu-west-1",
            ACCOUNT,
            f"/aws/lambda/{name}",
            revision,
        )

    async def call(self, spec: WorkerSpec, event: object = None, **options: Any) -> Any:
        """Invoke it and return what it answers, which must be no error."""
        outcome = await self.invoke(spec, event, **options)
        assert outcome.error is None, outcome
        return msgspec.json.decode(outcome.payload)

    async def fail(self, spec: WorkerSpec, event: object = None, **options: Any) -> dict[str, Any]:
        """Invoke it and return the error that it must fail with."""
        outcome = await self.invoke(spec, event, **options)
        assert outcome.error == "Unhandled", outcome
        told = msgspec.json.decode(outcome.payload)
        assert isinstance(told, dict)
        return told

    async def invoke(self, spec: WorkerSpec, event: object = None, **options: Any) -> Outcome:
        async with asyncio.timeout(DEADLINE_SECONDS):
            return await self.pool.invoke(spec, msgspec.json.encode(event), **options)


def run(check: Coroutine[Any, Any, None]) -> None:
    """Run a test in a loop as the server has it."""
    uvloop.run(check)


def own_runtime() -> str:
    """Return the name of the runtime that this Python is."""
    return f"python{sys.version_info[0]}.{sys.version_info[1]}"


@contextlib.asynccontextmanager
async def rig(
    folder: Path,
    workers_max: int = 8,
    *,
    answer_wait_seconds: float = DEADLINE_SECONDS,
    **options: Any,
) -> AsyncIterator[Rig]:
    """A rig whose workers are all ended in the end."""
    made = Rig(folder, workers_max, **options)
    with pytest.MonkeyPatch.context() as patch:
        # On a busy machine a worker may take its time to ask again, and another would be started.
        patch.setattr(limits, "worker_answer_wait_seconds", answer_wait_seconds)
        try:
            yield made
        finally:
            await made.pool.stop()


def processes_with(text: str) -> Iterator[int]:
    """Yield the processes whose command line or environment holds `text`; Linux alone."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                told = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
                if text.encode() in told:
                    yield int(entry.name)
