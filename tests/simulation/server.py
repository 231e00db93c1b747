"""One server of the simulation: the real core over a faulty engine, without sockets.

A machine outlives its servers: it has the disk, the clock, the faults, and the loop.
"""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from penstock.app.jobs import jobs
from penstock.app.settings import Settings
from penstock.base.clock import Clock
from penstock.base.ids import Entropy
from penstock.operations.operation import Services
from penstock.operations.registry import operations
from penstock.storage.flusher import Flusher
from penstock.tables.tables import Tables
from penstock.testing.clock import FakeClock
from penstock.testing.faulty_engine import Disk, Faults, FaultyEngine
from penstock.testing.held_flusher import HeldFlusher
from penstock.wire.sigv4 import Caller
from simulation.loop import SimulatedLoop

REGION = "us-east-1"
ACCOUNT = "000000000000"
TABLES = "DynamoDB_20120810."
STREAMS = "DynamoDBStreams_20120810."
_CALLER = Caller(REGION, "simulation")

MakeEngine = Callable[[Clock, Disk, Faults, Flusher], FaultyEngine]


@dataclass
class Machine:
    """What a server runs on, and what another one finds after it."""

    entropy: Entropy
    faults: Faults
    settings: Settings
    make_engine: MakeEngine = FaultyEngine
    clock: FakeClock = field(default_factory=FakeClock)
    disk: Disk = field(default_factory=Disk)
    loop: SimulatedLoop = field(default_factory=SimulatedLoop)


def settings_of(shards: int, table_delay_ms: int) -> Settings:
    """Return the settings of a server that has neither an address nor a directory."""
    return Settings(
        host="",
        port=0,
        data=None,
        engine="memory",
        account=ACCOUNT,
        shards=shards,
        table_delay_ms=table_delay_ms,
    )


class Server:
    """One process, from its start to its crash."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        settings = machine.settings
        self.flusher = HeldFlusher(hold=True)
        self.engine = machine.make_engine(machine.clock, machine.disk, machine.faults, self.flusher)
        self.tables = Tables(self.engine, machine.clock, machine.entropy, settings.account)
        services = Services(
            self.tables,
            settings.shards,
            settings.table_delay_ms,
            settings.ttl_change_seconds * 1000,
        )
        self._operations = operations(services)
        self._jobs = {job.name: job for job in jobs(services, settings)}

    @property
    def jobs(self) -> list[str]:
        """The names of the jobs that run beside the requests."""
        return list(self._jobs)

    async def run_job(self, name: str) -> None:
        """Let a job run once."""
        await self._jobs[name].run()

    def call(self, action: str, body: Mapping[str, Any]) -> Coroutine[Any, Any, dict[str, Any]]:
        """Return what answers a request to the tables."""
        return self._operations[TABLES + action].call(_CALLER, dict(body))

    def read(self, action: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a request to the streams at once; ApiError where there is no answer."""
        loop = self._machine.loop
        task = loop.create_task(self._operations[STREAMS + action].call(_CALLER, dict(body)))
        loop.run_until_idle()
        assert task.done(), f"{action} waits for something"
        answer: dict[str, Any] = task.result()
        return answer
