"""Nodes over one memory engine, each with clocks of its own that a test moves."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

from penstock.storage.leases import Leases
from penstock.storage.memory import MemoryEngine
from penstock.storage.waist import Lock, Transaction
from penstock.testing.clock import FakeClock

T = TypeVar("T")


class RatedClock:
    """A clock that began anywhere and runs at a rate of its own."""

    def __init__(self, begins_ms: float = 0.0, rate: float = 1.0, wall_off_ms: int = 0) -> None:
        self._elapsed_ms = begins_ms
        self._rate = rate
        self._wall_off_ms = wall_off_ms

    def now_ms(self) -> int:
        return 1_790_000_000_000 + int(self._elapsed_ms) + self._wall_off_ms

    def elapsed_ms(self) -> float:
        return self._elapsed_ms

    def pass_true_ms(self, ms: float) -> None:
        """Let so much true time pass."""
        self._elapsed_ms += ms * self._rate


class SlowLine:
    """What lies between a node and the store: a transaction and its answer wait at it.

    Nothing waits unless a test holds it up.
    """

    def __init__(self, engine: MemoryEngine) -> None:
        self._engine = engine
        self.going = asyncio.Event()
        self.coming = asyncio.Event()
        self.release()

    def hold(self) -> None:
        """Let what is asked from now on wait, and its answer too."""
        self.going.clear()
        self.coming.clear()

    def release(self) -> None:
        """Let everything pass."""
        self.going.set()
        self.coming.set()

    async def transact(
        self,
        work: Callable[[Transaction], T],
        *,
        locks: Sequence[Lock] = (),
        reads: Sequence[bytes] = (),
    ) -> T:
        await self.going.wait()
        result = await self._engine.transact(work, locks=locks, reads=reads)
        await self.coming.wait()
        return result

    def __getattr__(self, name: str) -> object:
        return getattr(self._engine, name)


class Node:
    """A node: its clock, its line to the store, and its leases."""

    def __init__(self, engine: MemoryEngine, holder: int, clock: RatedClock) -> None:
        self.clock = clock
        self.line = SlowLine(engine)
        self.leases = Leases(self.line, clock, holder)  # type: ignore[arg-type]

    async def takes(self, *names: bytes) -> bool:
        """Ask for leases; say whether all of them are held."""
        return await self.leases.take(names) == frozenset(names)

    def holds(self, name: bytes) -> bool:
        return self.leases.holds(name)


class Cluster:
    """Some nodes, and the true time."""

    def __init__(self, *clocks: RatedClock) -> None:
        self.engine = MemoryEngine(FakeClock(), rehearse=True)
        self.nodes = [Node(self.engine, n + 1, clock) for n, clock in enumerate(clocks)]

    def pass_ms(self, ms: float) -> None:
        """Let true time pass."""
        for node in self.nodes:
            node.clock.pass_true_ms(ms)

    def holders(self, name: bytes) -> list[Node]:
        """Return the nodes that consider themselves the holder of a lease."""
        return [node for node in self.nodes if node.holds(name)]
