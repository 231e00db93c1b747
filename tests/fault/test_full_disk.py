"""A disk that takes no more: writes are refused for now, reads go on, nothing acknowledged is lost.

Twice: a file system of the test's own that is filled, where the machine lets one be mounted, and a
limit on the size of files, under which RocksDB's own writes fail in the middle.
"""

import sys
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

import pytest

from fault.load import StreamReader, Writer, running, wait_until
from fault.mounts import fill, mounted
from fault.observer import KEY, create_table
from fault.promises import check_promises, writes_of
from fault.raw_client import RawClient, Refused
from penstock.base import limits
from server_process import ServerProcess

TABLE = "fault"
KEYS = [f"item-{number}" for number in range(8)]
MB = 1024 * 1024
_LIMITED = (
    "import os, resource, sys;"
    "limit = int(sys.argv[1]);"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY));"
    "os.execv(sys.argv[2], sys.argv[2:])"
)


class Clients:
    """Writers and a reader of one table, over all lives of its server."""

    def __init__(self) -> None:
        self.reader = StreamReader(TABLE)
        self.writers: list[Writer] = []

    def work_until(self, port: int, done: Callable[[], bool], what: str) -> None:
        """Load the server at `port` until `done`."""
        life = len(self.writers)
        new = [
            Writer(f"{life}.{n}", TABLE, KEYS, f"{life}.{n}", tolerant=True, pad_chars_max=9000)
            for n in range(6)
        ]
        self.writers += new
        with running(port, self.reader, *new):
            wait_until(done, what)

    @property
    def refused(self) -> int:
        """How many writes were refused for now."""
        writes = chain.from_iterable(writer.writes for writer in self.writers)
        return sum(not write.acknowledged for write in writes)

    @property
    def acknowledged(self) -> int:
        """How many writes were acknowledged."""
        writes = chain.from_iterable(writer.writes for writer in self.writers)
        return sum(write.acknowledged for write in writes)

    def check(self, port: int) -> None:
        """Check every promise against the server at `port`, which nobody else uses."""
        check_promises(port, TABLE, writes_of(self.writers), self.reader)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with little more room than the server wants to have free."""
    with mounted(tmp_path / "disk", limits.store_free_bytes_min + 48 * MB) as place:
        yield place


@pytest.mark.slow
def test_a_full_file_system_refuses_writes_until_there_is_room_again(small_disk: Path) -> None:
    clients, data = Clients(), small_disk / "store"
    log = small_disk.with_suffix(".log")  # on another file system: this one will be full
    with ServerProcess("--data", str(data), log=log) as server:
        server.await_ready()
        with RawClient(server.port) as client:
            create_table(client, TABLE)
        clients.work_until(server.port, lambda: clients.acknowledged > 300, "at work")
        fill(small_disk / "other")
        refused = clients.refused
        clients.work_until(server.port, lambda: clients.refused > refused + 50, "refused")
        clients.check(server.port)
        _refused_for_now(server.port)
        (small_disk / "other").unlink()
        done = clients.acknowledged
        clients.work_until(server.port, lambda: clients.acknowledged > done + 300, "at work again")
        clients.check(server.port)
        assert _said(server) == ["There is no room to write", "There is room to write again"]
        server.kill()
    with ServerProcess.on(data) as server:
        clients.check(server.port)
        server.stop()


@pytest.mark.slow
def test_a_write_that_the_disk_breaks_off_is_refused_and_undone_or_whole(tmp_path: Path) -> None:
    clients, data = Clients(), tmp_path / "store"
    with ServerProcess.on(data) as server, RawClient(server.port) as client:
        create_table(client, TABLE)
        server.stop()
    limited = [sys.executable, "-c", _LIMITED, str(3 * MB)]
    log = tmp_path / "limited.log"
    with ServerProcess("--data", str(data), log=log, wrap=limited) as server:
        server.await_ready()
        clients.work_until(server.port, lambda: clients.refused > 50, "refused")
        assert clients.acknowledged > 20
        clients.check(server.port)
        assert _said(server)[0] == "The store failed and needs to be opened again"
        server.kill()
    with ServerProcess.on(data) as server:
        clients.check(server.port)
        done = clients.acknowledged
        clients.work_until(server.port, lambda: clients.acknowledged > done + 100, "at work again")
        clients.check(server.port)
        server.stop()


def _said(server: ServerProcess) -> list[str]:
    """Return the texts of the server's log, without times, levels and fields."""
    lines = (line.split(" ", 3)[3] for line in server.stderr.splitlines())
    return [line.partition(" error=")[0] for line in lines]


def _refused_for_now(port: int) -> None:
    """A client is told to try again, and it is told so at once."""
    with RawClient(port) as client, pytest.raises(Refused) as refused:
        client.call("PutItem", TableName=TABLE, Item={KEY: {"S": "one-more"}})
    assert (refused.value.status, refused.value.code) == (503, "ServiceUnavailable")
