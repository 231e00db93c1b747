"""Files of failures: a document on each line, on disk, whole, and never without limit."""

import errno
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from penstock.base import limits
from penstock.consumers.deliverer import DeliveryFailed
from penstock.consumers.destination_file import append
from penstock.consumers.destinations import Destinations
from penstock.functions.destination import Endpoints
from unit.consumers.delivering import WHOLE, deliver

NAME = "file://failed.jsonl"


def lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines()


def test_a_name_alone_is_a_file_in_the_directory_of_failures(tmp_path: Path) -> None:
    failures = tmp_path / "made" / "failures"
    assert deliver(Destinations(Endpoints(failures=failures)), NAME, NAME) == [None, None]
    assert [json.loads(line) for line in lines(failures / "failed.jsonl")] == [WHOLE, WHOLE]


def test_a_path_needs_no_directory_of_failures(tmp_path: Path) -> None:
    path = tmp_path / "other.jsonl"
    assert deliver(Destinations(Endpoints()), f"file://{path}") == [None]
    assert [json.loads(line) for line in lines(path)] == [WHOLE]


def test_a_line_is_synced_and_the_name_of_a_new_file_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    real = os.fsync

    def fsync(file: int) -> None:
        synced.append(Path(f"/proc/self/fd/{file}").resolve())
        real(file)

    monkeypatch.setattr(os, "fsync", fsync)
    path = tmp_path / "f.jsonl"
    append(path, b"1\n")
    append(path, b"2\n")
    assert synced == [path, tmp_path, path]


def test_a_file_is_renamed_before_it_grows_too_large_and_the_oldest_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "destination_file_bytes_max", 10)
    monkeypatch.setattr(limits, "destination_files_kept", 3)
    path = tmp_path / "f.jsonl"
    for number in range(9):
        append(path, b"%04d\n" % number)
    assert lines(path) == ["0008"]
    assert lines(tmp_path / "f.jsonl.1") == ["0006", "0007"]
    assert lines(tmp_path / "f.jsonl.2") == ["0004", "0005"]
    assert len(list(tmp_path.iterdir())) == 3
    append(path, b"x" * 20 + b"\n")
    assert lines(path) == ["x" * 20], "one that is too large by itself stands alone"


def test_what_a_crash_left_of_a_line_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "f.jsonl"
    path.write_bytes(b'{"a":1}\n{"b":')
    append(path, b'{"c":3}\n')
    assert lines(path) == ['{"a":1}', '{"b":', '{"c":3}']


def test_what_cannot_be_written_whole_is_not_there_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "failed.jsonl"
    append(path, b"before\n")
    real = os.write
    written: list[int] = []

    def full(file: int, data: bytes) -> int:
        if written:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(real(file, bytes(data)[:3]))
        return written[0]

    monkeypatch.setattr(os, "write", full)
    (failure,) = deliver(Destinations(Endpoints(failures=tmp_path)), NAME)
    assert isinstance(failure, DeliveryFailed)
    assert "No space left on device" in str(failure)
    assert written == [3]
    assert lines(path) == ["before"]


@pytest.mark.parametrize("name", ["file.jsonl/f.jsonl", "not-there/f.jsonl"])
def test_a_directory_that_is_none_is_told(name: str, tmp_path: Path) -> None:
    (tmp_path / "file.jsonl").touch()
    (failure,) = deliver(Destinations(Endpoints()), f"file://{tmp_path}/{name}")
    assert isinstance(failure, DeliveryFailed)
    assert "No such file" in str(failure) or "Not a directory" in str(failure)


def test_several_may_write_while_files_are_renamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As several processes do: each opens the file for itself, and holds its lock meanwhile."""
    monkeypatch.setattr(limits, "destination_file_bytes_max", 100)
    monkeypatch.setattr(limits, "destination_files_kept", 50)
    path = tmp_path / "f.jsonl"
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda number: append(path, b"%09d\n" % number), range(200)))
    files = list(tmp_path.iterdir())
    assert len(files) == 20
    assert all(file.stat().st_size == 100 for file in files)
    assert sorted(int(line) for file in files for line in lines(file)) == list(range(200))
