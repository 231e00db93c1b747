"""Checkpoints: what is stored, and that another node's lease keeps it from being written."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from penstock.consumers.checkpoints import (
    Checkpoint,
    Checkpoints,
    Fence,
    LeaseLost,
    WindowState,
    checkpoints_lock,
    forget_all,
    load_checkpoints,
)
from penstock.storage.leases import Leases, lease_key, lease_lock
from penstock.storage.memory import MemoryEngine
from penstock.testing.clock import FakeClock

_ID = bytes(16)


def _run(test: Callable[[MemoryEngine, FakeClock], Awaitable[None]]) -> None:
    async def run() -> None:
        clock = FakeClock()
        store = MemoryEngine(clock, rehearse=True)
        await test(store, clock)
        store.close()

    asyncio.run(run())


def test_checkpoints_are_found_as_they_were_stored() -> None:
    async def test(store: MemoryEngine, clock: FakeClock) -> None:
        checkpoints = Checkpoints(store, _ID, Fence())
        window = WindowState(60_000, msgspec.Raw(b'{"n":1}'), is_over=True)
        await checkpoints.save("shard-1", Checkpoint("7+"), "OK")
        await checkpoints.save("shard-1", Checkpoint("8"), "OK")
        await checkpoints.save("shard-2", Checkpoint(None, window), None)
        found = checkpoints.load()
        assert found["shard-1"] == Checkpoint("8")
        assert found["shard-2"].position is None
        stored = found["shard-2"].window
        assert stored is not None
        assert (stored.start_ms, bytes(stored.state), stored.is_over) == (60_000, b'{"n":1}', True)
        await checkpoints.forget(["shard-1"])
        assert set(checkpoints.load()) == {"shard-2"}

    _run(test)


def test_a_mapping_takes_its_own_away_and_no_others() -> None:
    async def test(store: MemoryEngine, clock: FakeClock) -> None:
        other = b"\1" * 16
        await Checkpoints(store, _ID, Fence()).save("s", Checkpoint("1"), "OK")
        await Checkpoints(store, other, Fence()).save("s", Checkpoint("2"), "OK")
        await store.transact(lambda txn: forget_all(txn, _ID), locks=[checkpoints_lock(_ID)])
        assert store.snapshot(lambda reader: load_checkpoints(reader, _ID)) == {}
        assert store.snapshot(lambda reader: load_checkpoints(reader, other)) == {
            "s": Checkpoint("2")
        }

    _run(test)


def test_who_has_lost_the_lease_writes_no_checkpoint() -> None:
    async def test(store: MemoryEngine, clock: FakeClock) -> None:
        name = b"mapping/x"
        ours, theirs = Leases(store, clock, 1), Leases(store, clock, 2)
        fence = Fence([lease_lock(name)], [lease_key(name)], lambda txn: ours.is_held_in(txn, name))
        checkpoints = Checkpoints(store, _ID, fence)
        await ours.take([name])
        await checkpoints.save("s", Checkpoint("1"), "OK")
        await theirs.take([name])
        clock.advance(11_000)
        await checkpoints.save("s", Checkpoint("2"), "OK")  # late, but nobody else has it yet
        await theirs.take([name])
        assert theirs.holds(name)
        for write in (
            checkpoints.save("s", Checkpoint("3"), "OK"),
            checkpoints.save_result("x"),
            checkpoints.forget(["s"]),
        ):
            with pytest.raises(LeaseLost):
                await write
        assert checkpoints.load() == {"s": Checkpoint("2")}

    _run(test)
