"""Events that wait in the store: which of them are begun, and when."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any

from penstock.base import limits
from penstock.functions.events import Event, Events
from penstock.functions.invoker import Outcome
from penstock.functions.turns import Turns
from penstock.storage.memory import MemoryEngine
from penstock.testing.clock import FakeClock

_TURNS = 20


class Held:
    """An invoker whose functions answer when they are let go, and that counts who was called."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.go = asyncio.Event()

    async def invoke(
        self,
        function_arn: str,
        payload: bytes,
        *,
        tail: bool = False,
        client_context: bytes | None = None,
        request_id: str | None = None,
    ) -> Outcome:
        self.calls[function_arn.split(":")[6]] += 1
        await self.go.wait()
        return Outcome(b"null")


class Trial:
    """Events of a store in memory."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.held = Held()
        store = MemoryEngine(self.clock, rehearse=True)
        self.events = Events(store, self.clock, self.held, Turns())

    async def add(self, name: str, count: int) -> None:
        arn = f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
        for number in range(count):
            await self.events.add(Event(f"{name}-{number}", arn, b"{}", self.clock.now_ms()))

    async def look(self) -> None:
        await self.events.run()
        for _ in range(_TURNS):
            await asyncio.sleep(0)


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 60))


def test_so_many_are_under_way_and_others_when_they_are_done() -> None:
    async def work() -> None:
        trial, most = Trial(), limits.events_under_way_max
        await trial.add("f", 2 * most + 1)
        for _ in range(2):
            await trial.look()
            assert trial.held.calls == {"f": most}
        trial.held.go.set()
        for _ in range(3):
            await trial.look()
        assert trial.held.calls == {"f": 2 * most + 1}
        await trial.events.stop()

    run(work())


def test_a_function_that_takes_all_the_room_holds_up_no_other() -> None:
    async def work() -> None:
        trial, most = Trial(), limits.events_under_way_max
        await trial.add("first", most + 5)
        await trial.look()
        await trial.add("second", 3)
        await trial.add("third", 1)
        for _ in range(2):
            await trial.look()
            assert trial.held.calls == {"first": most, "second": 1, "third": 1}
        trial.held.go.set()
        for _ in range(3):
            await trial.look()
        assert trial.held.calls == {"first": most + 5, "second": 3, "third": 1}
        await trial.events.stop()

    run(work())
