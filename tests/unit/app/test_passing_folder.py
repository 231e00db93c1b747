"""Directories of servers that keep nothing: whose they are, and what becomes of those left."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from penstock.app.passing_folder import PassingFolder
from penstock.base import limits
from penstock.base.ids import Entropy

LONG_AGO = time.time() - limits.passing_folder_new_seconds - 10


def made(among: Path, seed: int) -> PassingFolder:
    """Return a folder that is held and looks old."""
    folder = PassingFolder(Entropy(seed), among)
    folder.hold()
    (folder.path / "code").mkdir()
    os.utime(folder.path, (LONG_AGO, LONG_AGO))
    return folder


def test_it_is_its_owners_alone_and_goes_in_the_end(tmp_path: Path) -> None:
    folder = PassingFolder(Entropy(1), tmp_path)
    folder.hold()
    folder.hold()
    assert folder.path.stat().st_mode & 0o777 == 0o700
    folder.remove()
    folder.remove()
    assert list(tmp_path.iterdir()) == []


def test_one_that_is_held_is_never_removed(tmp_path: Path) -> None:
    one, other = made(tmp_path, 1), made(tmp_path, 2)
    assert one.remove_left() == other.remove_left() == []
    assert one.path.is_dir() and other.path.is_dir()
    one.remove()
    other.remove()


def test_what_a_killed_server_has_left_is_removed(tmp_path: Path) -> None:
    source = (
        "import sys, time, pathlib; from penstock.base.ids import Entropy;"
        "from penstock.app.passing_folder import PassingFolder;"
        "PassingFolder(Entropy(3), pathlib.Path(sys.argv[1])).hold(); print(flush=True);"
        "time.sleep(600)"
    )
    command = [sys.executable, "-c", source, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"\n"
        (left,) = tmp_path.iterdir()
        os.utime(left, (LONG_AGO, LONG_AGO))
        folder = made(tmp_path, 4)
        assert folder.remove_left() == []
        server.kill()
        server.wait()
    assert folder.remove_left() == [left]
    assert list(tmp_path.iterdir()) == [folder.path]
    folder.remove()


@pytest.mark.parametrize("name", ["penstock-", "penstock-notes", "penstock-0123456789abcdef0"])
def test_what_only_begins_like_one_stays(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    os.utime(tmp_path / name, (LONG_AGO, LONG_AGO))
    assert PassingFolder(Entropy(1), tmp_path).remove_left() == []


def test_a_link_and_one_that_is_new_stay(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "penstock-0123456789abcdef").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "penstock-0123456789abcdee").mkdir()
    assert PassingFolder(Entropy(1), tmp_path).remove_left() == []


def test_a_machine_without_temporary_directories_is_told_when_it_is_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A server starts there all the same: it may have no functions."""

    def none() -> str:
        raise FileNotFoundError("No usable temporary directory")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    assert PassingFolder(Entropy(1)).path.parent == Path("/tmp")


def test_one_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    folder = PassingFolder(Entropy(1), tmp_path / "not-there")
    with pytest.raises(OSError, match="not-there"):
        folder.hold()
    assert folder.remove_left() == []
    folder.remove()
