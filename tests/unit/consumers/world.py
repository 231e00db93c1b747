"""A stream, a function and the mapping engine over a memory engine, in a time that a test moves."""

import asyncio
import itertools
import json
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

import msgspec

from penstock.base.ids import Entropy
from penstock.base.timers import Timers
from penstock.consumers.deliverer import DeliveryFailed
from penstock.consumers.engine import MappingEngine
from penstock.consumers.local_source import LocalSource
from penstock.functions.invoker import Outcome
from penstock.functions.mapping import (
    MAPPINGS_LOCK,
    Mapping,
    find_mapping,
    last_result,
    store_mapping,
)
from penstock.items.values import Item
from penstock.storage.memory import MemoryEngine
from penstock.storage.waist import Lock, Span, Stamp, Transaction
from penstock.streams.stream import make_stream, open_stream, shards_of, stream_lock, succeed
from penstock.tables.record import Recorder
from penstock.tables.stored_item import stored_item
from penstock.testing.clock import FakeClock

REGION, ACCOUNT = "us-east-1", "000000000000"
FUNCTION_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"
TABLE_ARN = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/abc"
KEY_SCHEMA = [
    {"AttributeName": "pk", "KeyType": "HASH"},
    {"AttributeName": "sk", "KeyType": "RANGE"},
]

_LOGS = Lock(b"logs", (Span.of_prefix(b"\x02"), Span.of_prefix(b"\x22")))
_TURNS = 60
_SECONDS_MAX = 60

Answer = Callable[[dict[str, Any]], Outcome | Awaitable[Outcome]]


def answered(value: object = None) -> Outcome:
    """Return the outcome of a function that returned `value`."""
    return Outcome(json.dumps(value).encode())


def failed(text: str = "no") -> Outcome:
    """Return the outcome of a function that raised."""
    return Outcome(json.dumps({"errorMessage": text, "errorType": "X"}).encode(), "Unhandled")


class FakeFunction:
    """An invoker that keeps the events it was called with, and answers as the test says."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.answer: Answer = lambda event: answered()

    async def invoke(
        self,
        function_arn: str,
        payload: bytes,
        *,
        tail: bool = False,
        client_context: bytes | None = None,
        request_id: str | None = None,
    ) -> Outcome:
        event = json.loads(payload)
        self.events.append(event)
        outcome = self.answer(event)
        return outcome if isinstance(outcome, Outcome) else await outcome

    @property
    def batches(self) -> list[list[str]]:
        """The partition keys of each call's records."""
        return [keys_of(event) for event in self.events]


class FakeDestination:
    """A destination that keeps what it was told; `is_down` lets it take nothing."""

    def __init__(self) -> None:
        self.documents: list[dict[str, Any]] = []
        self.told: list[tuple[str, bytes, str]] = []
        self.is_down = False
        self.attempts = 0

    async def deliver(
        self, destination: str, document: dict[str, Any], payload: bytes, key: str
    ) -> None:
        self.attempts += 1
        if self.is_down:
            raise DeliveryFailed("it is down")
        self.documents.append(document)
        self.told.append((destination, payload, key))


def keys_of(event: dict[str, Any]) -> list[str]:
    """Return the partition keys of an event's records."""
    return [record["dynamodb"]["Keys"]["pk"]["S"] for record in event["Records"]]


def in_world(
    shards: int = 1,
) -> Callable[[Callable[["World"], Awaitable[None]]], Callable[[], None]]:
    """Make a test of a coroutine function that takes a world with so many shards."""

    def decorate(test: Callable[["World"], Awaitable[None]]) -> Callable[[], None]:
        async def run() -> None:
            async with asyncio.timeout(_SECONDS_MAX), World(shards) as world:
                await test(world)

        def call() -> None:
            asyncio.run(run())

        call.__name__, call.__doc__ = test.__name__, test.__doc__
        return call

    return decorate


class World:
    """One stream with some shards, one function, one node; an asynchronous context."""

    def __init__(self, shards: int = 1) -> None:
        self.clock = FakeClock()
        self.store = MemoryEngine(self.clock, rehearse=True)
        self.function = FakeFunction()
        self.stream = make_stream(
            1, TABLE_ARN, "abc", "NEW_AND_OLD_IMAGES", KEY_SCHEMA, self.clock.now_ms()
        )
        self.destination = FakeDestination()
        self._shards = shards
        self._ids = itertools.count(1)
        self.engine = self.new_engine()

    async def __aenter__(self) -> Self:
        await self.transact(
            lambda txn: open_stream(txn, self.stream, self._shards),
            stream_lock(1, self.stream.arn),
            _LOGS,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.engine.stop(seconds_max=0)
        self.store.close()

    def new_engine(self) -> MappingEngine:
        """Return a mapping engine that has not run yet, as after a restart."""
        timers = Timers(self.clock)
        return MappingEngine(
            self.store,
            timers,
            Entropy(1),
            self.function,
            self.destination,
            lambda mapping: LocalSource(self.store, self.clock, mapping.source_arn),
        )

    async def restart(self) -> None:
        """Stop the engine as a crash would, and begin anew over the same store."""
        await self.engine.stop(seconds_max=0)
        self.engine = self.new_engine()
        await self.look()

    async def transact(self, work: Callable[[Transaction], Any], *locks: Lock) -> Any:
        """Run `work` in a transaction."""
        return await self.store.transact(work, locks=locks)

    async def put(self, *keys: str, shard: int = 0, **attributes: str) -> list[Stamp]:
        """Write a record for each of `keys` to a shard: an item that is new."""
        log = self.stream.log(shard)
        recorder = Recorder(log, REGION, "NEW_AND_OLD_IMAGES")
        stamps = []
        for key in keys:
            primary: Item = {"pk": {"S": key}, "sk": {"S": "s"}}
            item = stored_item(primary | {name: {"S": v} for name, v in attributes.items()})
            assert item is not None

            def work(txn: Transaction, primary: Item = primary, item: Any = item) -> Stamp:
                return txn.append(
                    log, lambda stamp: recorder.record(stamp, primary, None, item, False)
                )

            stamps.append(await self.transact(work, _LOGS))
        await self.settle()
        return stamps

    async def roll(self, shard: int, *children: int) -> None:
        """Close a shard and open children of it."""

        def work(txn: Transaction) -> None:
            found = next(each for each in shards_of(txn, self.stream) if each.number == shard)
            succeed(txn, self.stream, found, children, self.clock.now_ms())

        await self.transact(work, stream_lock(1, self.stream.arn), _LOGS)
        await self.settle()

    async def create(self, **options: Any) -> Mapping:
        """Store a mapping as the API does, and let the engine see it."""
        number = next(self._ids)
        mapping = Mapping(
            uuid=f"00000000-0000-4000-8000-{number:012d}",
            region=REGION,
            source_arn=self.stream.arn,
            function_arn=options.pop("function_arn", FUNCTION_ARN),
            starting_position=options.pop("starting_position", "TRIM_HORIZON"),
            created_ms=self.clock.now_ms(),
            **options,
        )
        await self.store_mapping(mapping)
        return mapping

    async def change(self, mapping: Mapping, **changes: Any) -> Mapping:
        """Store a change of a mapping as the API does, and let the engine see it."""
        stored = self.stored(mapping)
        assert stored is not None
        changes.setdefault("state", "Updating")
        changed = msgspec.structs.replace(stored, generation=stored.generation + 1, **changes)
        await self.store_mapping(changed)
        return changed

    async def store_mapping(self, mapping: Mapping) -> None:
        """Store a mapping, and let the engine see it."""
        await self.transact(lambda txn: store_mapping(txn, mapping), MAPPINGS_LOCK)
        await self.look()

    def stored(self, mapping: Mapping) -> Mapping | None:
        """Return a mapping as it is stored now."""
        return self.store.snapshot(lambda r: find_mapping(r, mapping.region, mapping.uuid))

    def state(self, mapping: Mapping) -> str | None:
        """Return the state of a mapping, or None where it is no more."""
        stored = self.stored(mapping)
        return None if stored is None else stored.state

    def result(self, mapping: Mapping) -> str:
        """Return LastProcessingResult."""
        return self.store.snapshot(lambda reader: last_result(reader, mapping))

    async def look(self) -> None:
        """Let the engine look at the stored mappings, and do what is to do."""
        await self.engine.run()
        await self.settle()

    async def settle(self) -> None:
        """Let everything run that waits for nothing but its turn."""
        for _ in range(_TURNS):
            await asyncio.sleep(0)

    async def pass_ms(self, ms: int) -> None:
        """Let time pass at once."""
        self.clock.advance(ms)
        await self.look()

    async def pass_retries(self, seconds: int = 60) -> None:
        """Let time pass second by second, so that what is tried again is so."""
        for _ in range(seconds):
            await self.pass_ms(1000)
