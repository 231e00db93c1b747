"""Invoking functions of the catalogue on workers of this node.

Each invocation reads what the function is now, in a view of the store: what was changed before it
began holds for it, on every node.
"""

from typing import Protocol

from penstock.functions import catalog
from penstock.functions.catalog import Found
from penstock.functions.code import CodeGone
from penstock.functions.code_cache import CodeCache, Directory
from penstock.functions.function import Function
from penstock.functions.invoker import Invoker, NotInvoked, Outcome
from penstock.functions.names import FunctionName, parse_function_name
from penstock.functions.worker_spec import WorkerSpec
from penstock.storage.waist import Engine

_ATTEMPTS_MAX = 3


class Workers(Protocol):
    """What runs a function whose code lies in a directory: see `Pool`."""

    async def invoke(
        self,
        spec: WorkerSpec,
        payload: bytes,
        *,
        tail: bool = False,
        client_context: bytes | None = None,
        request_id: str | None = None,
        concurrency_max: int | None = None,
    ) -> Outcome:
        """Run it once; NotInvoked where it did not run."""
        ...


class LocalInvoker(Invoker):
    """Invokes the functions of the store of `engine`, which belongs to `account`."""

    def __init__(self, engine: Engine, account: str, code: CodeCache, workers: Workers) -> None:
        self._engine, self._account = engine, account
        self._code, self._workers = code, workers

    async def invoke(
        self,
        function_arn: str,
        payload: bytes,
        *,
        tail: bool = False,
        client_context: bytes | None = None,
        request_id: str | None = None,
    ) -> Outcome:
        """Run the function of that ARN, or the version or alias that it names, once."""
        name = parse_function_name(function_arn)
        if name is None or name.region is None or name.account != self._account:
            raise NotInvoked("missing", f"{function_arn} is not the ARN of a function here")
        found, directory = await self._prepared(name.region, name)
        outcome = await self._workers.invoke(
            self._spec(found.version, function_arn, directory),
            payload,
            tail=tail,
            client_context=client_context,
            request_id=request_id,
            concurrency_max=found.latest.concurrency_max,
        )
        return outcome._replace(executed_version=found.version.version)

    async def _prepared(self, region: str, name: FunctionName) -> tuple[Found, Directory]:
        """Return what runs, and where its code lies; anew where the code is replaced meanwhile."""
        gone = CodeGone()
        for _ in range(_ATTEMPTS_MAX):
            found = self._engine.snapshot(
                lambda reader: catalog.find(reader, region, name.name, name.qualifier)
            )
            if found is None:
                raise NotInvoked("missing", f"Function not found: {name.name}")
            try:
                return found, await self._code.directory(found.version)
            except CodeGone as error:
                gone = error
        raise NotInvoked("unavailable", f"the code of {name.name} is not there: {gone}")

    def _spec(self, function: Function, arn: str, directory: Directory) -> WorkerSpec:
        return WorkerSpec(
            name=function.name,
            arn=arn,
            version=function.version,
            runtime=function.runtime,
            handler=function.handler,
            code=directory.path,
            timeout_seconds=function.timeout_seconds,
            memory_mb=function.memory_mb,
            environment=function.environment,
            region=function.region,
            account=self._account,
            log_group=function.own_log_group,
            revision=function.revision_id + directory.stamp,
        )
