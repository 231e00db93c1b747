"""What a local invoker asks the workers for: which version, which code, which concurrency."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from penstock.base.ids import Entropy
from penstock.functions import catalog
from penstock.functions.code_cache import CodeCache
from penstock.functions.function import Alias, Code, Function, function_lock
from penstock.functions.invoker import NotInvoked, Outcome
from penstock.functions.local_invoker import LocalInvoker
from penstock.functions.worker_spec import WorkerSpec
from penstock.storage.memory import MemoryEngine
from penstock.storage.waist import Transaction
from penstock.testing.clock import FakeClock

ACCOUNT, REGION = "123456789012", "eu-west-1"
ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"


class Asked:
    """Workers that note what they are asked for."""

    def __init__(self) -> None:
        self.specs: list[WorkerSpec] = []
        self.more: list[dict[str, Any]] = []

    async def invoke(self, spec: WorkerSpec, payload: bytes, **more: Any) -> Outcome:
        self.specs.append(spec)
        self.more.append(more)
        return Outcome(payload + b"!")


class Trial:
    """A store with one function, and an invoker of it."""

    def __init__(self, tmp_path: Path) -> None:
        clock = FakeClock()
        self.engine = MemoryEngine(clock, rehearse=True)
        self.workers = Asked()
        code = CodeCache(self.engine, clock, Entropy(7), tmp_path / "cache")
        self.invoker = LocalInvoker(self.engine, ACCOUNT, code, self.workers)
        self.function = Function(
            REGION,
            "f",
            ARN,
            "role",
            "python3.12",
            "app.handler",
            Code("00", 0, str(tmp_path)),
            revision_id="r1",
            concurrency_max=5,
        )

    async def store(self, work: Callable[[Transaction], None]) -> None:
        await self.engine.transact(work, locks=(function_lock(REGION, "f"),))


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    return Trial(tmp_path)


def test_what_is_asked_of_the_workers(trial: Trial, tmp_path: Path) -> None:
    async def work() -> None:
        await trial.store(lambda txn: catalog.store_function(txn, trial.function))
        outcome = await trial.invoker.invoke(ARN, b"1", tail=True, request_id="id")
        assert (outcome.payload, outcome.executed_version) == (b"1!", "$LATEST")

    asyncio.run(work())
    (spec,) = trial.workers.specs
    assert (spec.name, spec.arn, spec.version) == ("f", ARN, "$LATEST")
    assert (spec.code, spec.log_group) == (tmp_path, "/aws/lambda/f")
    assert trial.workers.more == [
        {"tail": True, "client_context": None, "request_id": "id", "concurrency_max": 5}
    ]


def test_an_alias_runs_its_version_with_the_concurrency_of_the_function(trial: Trial) -> None:
    version = msgspec.structs.replace(
        trial.function, version="1", timeout_seconds=9, revision_id="r2", concurrency_max=None
    )

    def store(txn: Transaction) -> None:
        catalog.store_function(txn, trial.function)
        catalog.store_function(txn, version)
        catalog.store_alias(txn, Alias(REGION, "f", "live", "1"))

    async def work() -> None:
        await trial.store(store)
        outcome = await trial.invoker.invoke(f"{ARN}:live", b"1")
        assert outcome.executed_version == "1"

    asyncio.run(work())
    (spec,) = trial.workers.specs
    assert (spec.version, spec.timeout_seconds, spec.arn) == ("1", 9, f"{ARN}:live")
    assert trial.workers.more[0]["concurrency_max"] == 5


def test_a_change_of_settings_is_another_revision_and_of_concurrency_is_not(trial: Trial) -> None:
    async def work() -> None:
        for changed in ({}, {"concurrency_max": 7}, {"revision_id": "r2"}):
            function = msgspec.structs.replace(trial.function, **changed)
            await trial.store(partial(catalog.store_function, function=function))
            await trial.invoker.invoke(ARN, b"1")

    asyncio.run(work())
    first, second, third = (spec.revision for spec in trial.workers.specs)
    assert first == second
    assert third != first


@pytest.mark.parametrize(
    "arn",
    [
        ARN,
        f"{ARN}:live",
        f"{ARN}:7",
        ARN.replace(ACCOUNT, "000000000000"),
        ARN.replace(REGION, "eu-west-2"),
        "f",
        "no arn at all",
    ],
)
def test_what_is_not_there_is_missing(trial: Trial, arn: str) -> None:
    async def work() -> None:
        with pytest.raises(NotInvoked) as caught:
            await trial.invoker.invoke(arn, b"1")
        assert caught.value.reason == "missing"

    asyncio.run(work())


def test_code_that_is_not_there_is_no_fault_of_the_function(trial: Trial) -> None:
    async def work() -> None:
        function = msgspec.structs.replace(trial.function, code=Code("ab" * 32, 1))
        await trial.store(lambda txn: catalog.store_function(txn, function))
        with pytest.raises(NotInvoked) as caught:
            await trial.invoker.invoke(ARN, b"1")
        assert caught.value.reason == "unavailable"

    asyncio.run(work())
