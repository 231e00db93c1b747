"""PostgreSQL on a disk that takes no more: nodes refuse writes for now, and lose nothing.

Twice: where the tables grow, and where the log of all changes is, without which PostgreSQL ends.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from fault.cluster_load import KEYS, TABLE, ClusterLoad
from fault.mounts import mounted
from fault.nodes import Nodes, await_true, try_to_read, with_parameters
from fault.raw_client import RawClient
from postgres.binaries import identity
from postgres.server import PostgresServer, new_data

MB = 1024 * 1024
PAD_CHARS_MAX = 9000
REFUSED_MIN = 60
SMALL_LOG = {"max_wal_size": "24MB", "min_wal_size": "8MB"}
BACK_SECONDS_MAX = 10.0


@contextmanager
def small_disk(size_bytes: int) -> Iterator[Path]:
    """A small file system that the PostgreSQL of the tests can reach and write to."""
    room = Path(tempfile.mkdtemp(prefix="penstock-disk-"))
    room.chmod(0o711)
    try:
        with mounted(room / "disk", size_bytes) as place:
            owner = identity()
            os.chown(place, owner["user"], owner["group"])
            place.chmod(0o700)
            yield place
    finally:
        shutil.rmtree(room)


def log_in(place: Path, folder: Path, data: Path) -> Sequence[str]:
    """Return the command that makes the data of a server whose log is in `place`."""
    return [*new_data(folder, data), f"--waldir={place}", "--wal-segsize=4"]


def fill(place: Path) -> Path:
    """Fill a file system; return the file that does."""
    filler = place / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(64 * 1024)):
            pass
    return filler


@pytest.mark.slow
def test_full_tables_are_read_and_written_again_once_there_is_room(tmp_path: Path) -> None:
    with small_disk(48 * MB) as disk, PostgresServer() as server:
        place = disk / "tables"
        place.mkdir(mode=0o700)
        os.chown(place, identity()["user"], identity()["group"])
        server.sql(f"CREATE TABLESPACE small LOCATION '{place}'")
        url = with_parameters(server.url, options="-cdefault_tablespace=small")
        with Nodes(url, tmp_path) as nodes:
            nodes.start("a")
            nodes.start("b")
            load = ClusterLoad(nodes, pad_chars_max=PAD_CHARS_MAX)
            with load.running():
                load.let_write(200)
                assert load.doubtful == 0
                filler = fill(disk)
                await_true(lambda: load.doubtful > REFUSED_MIN, 60, "writes are refused")
                for port in nodes.ports:
                    with RawClient(port) as client:
                        assert try_to_read(client, TABLE, KEYS[0]) == 200
            load.check_now()
            with load.running():
                filler.unlink()
                load.let_write(200, BACK_SECONDS_MAX)
            load.check()


@pytest.mark.slow
def test_a_full_log_ends_postgresql_and_loses_nothing(tmp_path: Path) -> None:
    """It starts again when there is room, and the nodes go on."""
    with (
        small_disk(64 * MB) as disk,
        PostgresServer(SMALL_LOG, made_by=partial(log_in, disk / "log")) as server,
        Nodes(server.url, tmp_path) as nodes,
    ):
        nodes.start("a")
        nodes.start("b")
        load = ClusterLoad(nodes, pad_chars_max=PAD_CHARS_MAX)
        with load.running():
            load.let_write(200)
            filler = fill(disk)
            await_true(lambda: "PANIC" in server.log.read_text(), 60, "PostgreSQL gives up")
            refused = load.doubtful
            await_true(lambda: load.doubtful > refused + REFUSED_MIN, 60, "writes are refused")
            server.kill()
            filler.unlink()
            server.start()
            load.let_write(200, BACK_SECONDS_MAX)
        load.check()
