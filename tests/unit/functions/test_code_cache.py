"""The code of a node: unpacked once, whole, gone when unused; local directories by their stamp."""

import asyncio
import os
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from penstock.base import limits
from penstock.base.ids import Entropy
from penstock.functions.archive import pack_directory
from penstock.functions.code import CodeGone, code_of, store_code
from penstock.functions.code_cache import CodeCache, stamp_of
from penstock.functions.function import Code, Function
from penstock.storage.memory import MemoryEngine
from penstock.testing.clock import FakeClock

REGION, NAME = "eu-west-1", "f"


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 60))


def function_of(code: Code) -> Function:
    return Function(REGION, NAME, "arn", "role", "python3.12", "app.handler", code)


class Trial:
    """A cache over a store that has one zip file."""

    def __init__(self, tmp_path: Path) -> None:
        self.clock = FakeClock()
        self.engine = MemoryEngine(self.clock, rehearse=True)
        self.root = tmp_path / "cache"
        self.cache = self.new_cache()
        source = tmp_path / "source"
        source.mkdir()
        (source / "app.py").write_bytes(os.urandom(3 * limits.function_code_piece_bytes))
        self.data = pack_directory(source)
        self.function = function_of(code_of(self.data))

    def new_cache(self, boot: str = "") -> CodeCache:
        return CodeCache(self.engine, self.clock, Entropy(7), self.root, boot)

    async def store(self) -> None:
        await store_code(self.engine, REGION, NAME, self.function.code, self.data)


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    return Trial(tmp_path)


def test_a_zip_file_is_unpacked_once_for_all_who_ask(trial: Trial) -> None:
    async def work() -> None:
        await trial.store()
        found = await asyncio.gather(
            *(trial.cache.directory(trial.function) for _ in range(5)),
        )
        assert {each.path for each in found} == {trial.root / trial.function.code.digest}
        assert [each.name for each in found[0].path.iterdir()] == ["app.py"]
        assert [each.name for each in trial.root.iterdir()] == [trial.function.code.digest]

    run(work())


def test_what_an_earlier_run_unpacked_is_used(trial: Trial) -> None:
    async def work() -> None:
        place = trial.root / trial.function.code.digest
        place.mkdir(parents=True)
        assert (await trial.cache.directory(trial.function)).path == place

    run(work())


def test_what_was_unpacked_before_the_machine_was_switched_on_is_not_used(trial: Trial) -> None:
    async def work() -> None:
        await trial.store()
        before = await trial.new_cache("monday").directory(trial.function)
        (before.path / "app.py").write_bytes(b"")  # as a power cut leaves it
        assert await trial.new_cache("monday").directory(trial.function) == before
        cache = trial.new_cache("tuesday")
        now = await cache.directory(trial.function)
        assert (now.path / "app.py").stat().st_size > 0
        cache.forget_unused(1000)
        trial.clock.advance(1001)
        await cache.directory(trial.function)
        cache.forget_unused(1000)
        assert not before.path.exists()

    run(work())


def test_code_that_is_not_in_the_store_is_gone(trial: Trial) -> None:
    async def work() -> None:
        with pytest.raises(CodeGone):
            await trial.cache.directory(trial.function)
        await trial.store()
        assert (await trial.cache.directory(trial.function)).path.is_dir()

    run(work())


def test_what_nobody_uses_is_forgotten(trial: Trial) -> None:
    async def work() -> None:
        await trial.store()
        left = trial.root / "left-by-a-kill.new"
        left.mkdir(parents=True)
        await trial.cache.directory(trial.function)
        assert trial.cache.forget_unused(1000) == []
        trial.clock.advance(900)
        await trial.cache.directory(trial.function)
        trial.clock.advance(101)
        (gone,) = trial.cache.forget_unused(1000)
        assert gone.is_dir()
        assert not left.exists()
        trial.clock.advance(900)
        assert trial.cache.forget_unused(1000) != []
        place = trial.root / trial.function.code.digest
        assert not place.exists()
        assert (await trial.cache.directory(trial.function)).path == place
        assert [each.name for each in place.iterdir()] == ["app.py"]

    run(work())


def test_a_directory_is_looked_at_once_for_all_who_ask(
    trial: Trial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[Path] = []

    def counted(directory: Path) -> str:
        looks.append(directory)
        return stamp_of(directory)

    async def work() -> None:
        local = function_of(Code("00", 0, str(tmp_path)))
        found = await asyncio.gather(*(trial.cache.directory(local) for _ in range(5)))
        assert len(set(found)) == 1

    monkeypatch.setattr("penstock.functions.code_cache.stamp_of", counted)
    run(work())
    assert looks == [tmp_path]


def test_a_directory_is_looked_at_once_a_second(trial: Trial, tmp_path: Path) -> None:
    async def work() -> None:
        place = tmp_path / "local"
        place.mkdir()
        local = function_of(Code("00", 0, str(place)))
        first = await trial.cache.directory(local)
        assert first.path == place
        (place / "app.py").write_text("x")
        trial.clock.advance(999)
        assert (await trial.cache.directory(local)).stamp == first.stamp
        trial.clock.advance(1)
        second = await trial.cache.directory(local)
        assert second.stamp != first.stamp
        trial.clock.advance(1000)
        assert (await trial.cache.directory(local)).stamp == second.stamp

    run(work())


def test_a_directory_that_is_not_there_is_told(trial: Trial) -> None:
    async def work() -> None:
        with pytest.raises(CodeGone, match="cannot be read"):
            await trial.cache.directory(function_of(Code("00", 0, "/nowhere/at/all")))

    run(work())


def test_a_stamp_tells_every_change_but_what_python_compiled(tmp_path: Path) -> None:
    def change(path: str, text: str) -> str:
        file = tmp_path / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        return stamp_of(tmp_path)

    stamps = [stamp_of(tmp_path), change("a.py", "1"), change("sub/b.py", "1")]
    stamps += [change("a.py", "12")]
    (tmp_path / "a.py").chmod(0o755)
    stamps += [stamp_of(tmp_path)]
    (tmp_path / "a.py").rename(tmp_path / "c.py")
    stamps += [stamp_of(tmp_path)]
    assert len(set(stamps)) == len(stamps)
    assert change("__pycache__/c.pyc", "1") == stamps[-1]
    assert change("sub/c.pyc", "1") == stamps[-1]
    (tmp_path / "to-nothing").symlink_to("nothing")
    (tmp_path / "to-itself").symlink_to(tmp_path)
    assert stamp_of(tmp_path) == stamps[-1]
    linked = tmp_path.with_name(tmp_path.name + "-linked")
    linked.mkdir()
    (tmp_path / "linked").symlink_to(linked)
    (linked / "a.py").write_text("1")
    before = stamp_of(tmp_path)
    (linked / "a.py").write_text("12")
    assert stamp_of(tmp_path) != before
