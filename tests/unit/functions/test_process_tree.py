"""Only a worker's own processes are counted and killed, whatever becomes of their numbers."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from penstock.functions import process_tree

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="needs what Linux shows of processes"
)

PARENT = """
import os, subprocess, sys
child = subprocess.Popen(["sleep", "600"], env={"MARK": "of the child"})
print(child.pid, flush=True)
child.wait()
"""


@pytest.fixture
def parent() -> Iterator["subprocess.Popen[bytes]"]:
    """A process with one child, whose number it prints."""
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, start_new_session=True
    )
    yield process
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)


def child_of(parent: "subprocess.Popen[bytes]") -> int:
    """Return the child, once its program is loaded: before that its environment is empty."""
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    until = time.monotonic() + 30
    while b"MARK" not in process_tree._read(f"/proc/{child}/environ"):
        assert time.monotonic() < until
    return child


def is_there(pid: int) -> bool:
    told = process_tree._read(f"/proc/{pid}/stat")
    return told != b"" and b") Z " not in told


def test_a_tree_is_seen_and_killed_with_its_root(parent: "subprocess.Popen[bytes]") -> None:
    child = child_of(parent)
    assert process_tree.descendants(parent.pid) == [child]
    alone = process_tree.resident_bytes(parent.pid, alone=True)
    assert 0 < alone < process_tree.resident_bytes(parent.pid)
    process_tree.kill_tree(parent.pid, lambda: False)
    assert parent.wait(timeout=30) == -9
    assert process_tree.descendants(parent.pid) == []
    assert process_tree.resident_bytes(parent.pid) == 0


def test_what_was_waited_for_is_left_alone(parent: "subprocess.Popen[bytes]") -> None:
    child = child_of(parent)
    process_tree.kill_tree(parent.pid, lambda: True)
    assert parent.poll() is None
    assert is_there(child)


def test_a_number_that_has_changed_hands_is_left_alone(parent: "subprocess.Popen[bytes]") -> None:
    """Who has it now is asked once more when it can not change any longer."""
    child = child_of(parent)
    assert process_tree._parent(child) == parent.pid
    process_tree._kill(child, lambda pid: process_tree._parent(pid) == 1)
    assert is_there(child)


def test_strays_are_known_by_all_their_marks(parent: "subprocess.Popen[bytes]") -> None:
    child = child_of(parent)
    process_tree.kill_strays([b"of the child", b"of another"])
    assert is_there(child)
    process_tree.kill_strays([b"MARK=of the child"])
    assert parent.wait(timeout=30) == 0
    assert not is_there(child)
