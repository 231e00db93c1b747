"""`penstock serve` that cannot: one line on stderr, a status other than 0, nothing changed."""

import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from fault.load import Writer, running, wait_for_writes
from fault.mounts import mounted
from fault.observer import all_items, all_records, create_table
from fault.raw_client import RawClient, Refused
from fault.refusals import contents, refusal
from server_process import ServerProcess

TABLE = "fault"
KEYS = [f"item-{number}" for number in range(8)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of a killed server: items in tables of RocksDB, and later ones in its log."""
    data = tmp_path_factory.mktemp("made") / "store"
    with ServerProcess.on(data) as server, RawClient(server.port) as client:
        create_table(client, TABLE)
        _write(server)
        server.stop()
    with ServerProcess.on(data) as server:  # what was in the log is now in a table
        _write(server)
        server.kill()
    return data


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Path:
    """A copy of that store, for one test to spoil."""
    return shutil.copytree(made, tmp_path / "store")


def _write(server: ServerProcess) -> None:
    writers = [Writer(f"{n}", TABLE, KEYS, f"{n}", pad_chars_max=20_000) for n in range(4)]
    with running(server.port, *writers):
        wait_for_writes(writers, 200)
    assert not any(writer.failures for writer in writers)


# --- settings


@pytest.mark.parametrize(
    ("flags", "environment", "start"),
    [
        (["--port", "70000"], {}, "--port: '70000' is not"),
        (["--host", "0.0.0.0"], {}, "--host: '0.0.0.0' is not a loopback address"),
        (["--host", "example.com"], {}, "--host: 'example.com' is not a loopback address"),
        (["--engine", "bogus"], {}, "--engine: 'bogus' is not one of"),
        (["--engine", "memory", "--data", "x"], {}, "--data: the memory engine keeps nothing"),
        (
            ["--engine", "postgresql://u:pw@h/db?x=1"],
            {},
            "--engine: libpq cannot read that URL: invalid URI query parameter",
        ),
        (["--data", ""], {}, "--data: '' is not the name of a directory"),
        (["--account", "me"], {}, "--account: 'me' is not"),
        (["--shards", "0"], {}, "--shards: '0' is not"),
        ([], {"PENSTOCK_ENGINE": "bogus"}, "PENSTOCK_ENGINE: 'bogus' is not one of"),
        ([], {"PENSTOCK_DATA": ""}, "PENSTOCK_DATA: '' is not the name of a directory"),
        (["--bogus"], {}, "unrecognized arguments: --bogus"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_before_anything_is_touched(
    tmp_path: Path, flags: list[str], environment: dict[str, str], start: str
) -> None:
    assert refusal(*flags, status=2, cwd=tmp_path, **environment).startswith(start)
    assert contents(tmp_path) == {}


# --- addresses


def test_a_port_in_use_is_refused_and_the_store_left_as_it_was(store: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        text = refusal("--port", str(port), "--engine", "memory")
        assert text == f"127.0.0.1 port {port} is in use"
        assert refusal("--port", str(port), "--data", str(store)) == text
    with ServerProcess.on(store) as server, RawClient(server.port) as client:
        assert all_items(client, TABLE)


def test_an_address_that_this_machine_does_not_have_is_refused() -> None:
    text = refusal("--host", "::1%nowhere", "--engine", "memory")
    assert text.startswith("cannot listen on ::1%nowhere port 0: ")


# --- directories


def test_a_directory_that_another_server_holds_is_refused(store: Path) -> None:
    with ServerProcess.on(store) as server:
        assert refusal("--data", str(store)) == f"{store} is in use by another server"
        with RawClient(server.port) as client:
            assert all_items(client, TABLE)
        server.stop()


def test_a_directory_that_is_no_store_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    foreign = tmp_path / "photos"
    (foreign / "2026").mkdir(parents=True)
    (foreign / "cat.jpg").write_bytes(b"meow")
    before = contents(foreign)
    text = refusal("--data", str(foreign))
    assert text.startswith(f"{foreign} is not a store and is not empty: it holds ")
    assert contents(foreign) == before


def test_a_file_in_place_of_the_directory_is_refused_and_stays(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    assert refusal("--data", str(file)) == f"{file} is not a directory"
    assert "Not a directory" in refusal("--data", str(file / "below"))
    assert file.read_text() == "mine"


def test_a_name_with_a_line_break_is_still_told_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "two\nlines"
    file.write_text("mine")
    assert refusal("--data", str(file)).endswith("/two lines is not a directory")


def test_a_name_that_the_file_system_does_not_take_is_refused(tmp_path: Path) -> None:
    assert "File name too long" in refusal("--data", str(tmp_path / ("n" * 300)))


def test_a_store_without_permission_is_refused_and_stays(store: Path) -> None:
    wrap = _without_privilege()
    (store / "rocksdb").chmod(0)
    try:
        text = refusal("--data", str(store), wrap=wrap)
    finally:
        (store / "rocksdb").chmod(0o755)
    assert "Permission denied" in text
    for file in (store / "rocksdb").iterdir():
        file.chmod(0)
    before = contents_as_root(store)
    assert "ermission" in refusal("--data", str(store), wrap=wrap)
    assert contents_as_root(store) == before


def test_a_directory_that_may_not_be_made_is_refused(tmp_path: Path) -> None:
    wrap = _without_privilege()
    (tmp_path / "locked").mkdir(0o500)
    data = tmp_path / "locked" / "store"
    assert refusal("--data", str(data), wrap=wrap) == f"{data} cannot be used: Permission denied"


def _without_privilege() -> list[str]:
    """Return the command before a command that makes file permissions hold for root too."""
    if os.geteuid() != 0:
        return []
    wrap = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--"]
    if shutil.which("setpriv") is None or subprocess.run([*wrap, "true"], check=False).returncode:
        pytest.skip("root may read everything here: setpriv cannot take that away")
    return wrap


def contents_as_root(path: Path) -> dict[str, str]:
    """Return the digests where they can be read, else names alone."""
    if os.geteuid() == 0:
        return contents(path)
    return {str(each.relative_to(path)): "" for each in path.rglob("*")}


def test_a_read_only_file_system_is_refused(tmp_path: Path, made: Path) -> None:
    with mounted(tmp_path / "mounted", 100 * 1024 * 1024) as place:
        store = shutil.copytree(made, place / "store")
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        before = contents(place)
        assert "Read-only file system" in refusal("--data", str(store))
        assert "Read-only file system" in refusal("--data", str(place / "new"))
        assert contents(place) == before


# --- stores of others, and damaged ones


def test_a_store_of_another_account_is_refused_and_stays(store: Path) -> None:
    text = refusal("--data", str(store), "--account", "123456789012")
    assert text == ("the store belongs to account 000000000000, not 123456789012; its ARNs name it")
    with ServerProcess.on(store) as server, RawClient(server.port) as client:
        assert all_items(client, TABLE)


def test_a_store_of_a_later_format_is_refused_and_stays(store: Path) -> None:
    (store / "rocksdb" / "PENSTOCK-FORMAT").write_text("rocksdb 2\n")
    before = contents(store)
    text = refusal("--data", str(store))
    assert text == f"{store / 'rocksdb'} has the format rocksdb 2, not rocksdb 1"
    assert contents(store) == before


def _garble(path: Path, at: float, length: int = 64) -> None:
    """Turn over the bytes in the part of the file that begins at this share of it."""
    data = bytearray(path.read_bytes())
    start = int(len(data) * at)
    for place in range(start, min(start + length, len(data))):
        data[place] ^= 0xFF
    path.write_bytes(data)


def _cut(path: Path, share: float) -> None:
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


def _largest(store: Path, pattern: str) -> Path:
    return max((store / "rocksdb").glob(pattern), key=lambda path: path.stat().st_size)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda s: (s / "rocksdb/CURRENT").write_text("garbage\n"), id="CURRENT"),
        pytest.param(lambda s: (s / "rocksdb/CURRENT").write_text(""), id="empty-CURRENT"),
        pytest.param(lambda s: (s / "rocksdb/CURRENT").unlink(), id="no-CURRENT"),
        pytest.param(lambda s: _garble(_largest(s, "MANIFEST-*"), 0.3), id="MANIFEST"),
        pytest.param(lambda s: _largest(s, "MANIFEST-*").unlink(), id="no-MANIFEST"),
        pytest.param(lambda s: _cut(_largest(s, "*.sst"), 0.5), id="table-cut"),
        pytest.param(lambda s: _largest(s, "*.sst").unlink(), id="no-table"),
        pytest.param(lambda s: _garble(_largest(s, "*.log"), 0.5), id="log-in-the-middle"),
        pytest.param(lambda s: _garble(_largest(s, "*.log"), 0.0), id="log-at-its-start"),
        pytest.param(lambda s: (s / "rocksdb/PENSTOCK-FORMAT").unlink(), id="no-format"),
    ],
)
def test_a_damaged_store_is_refused_and_stays(store: Path, damage: Callable[[Path], None]) -> None:
    damage(store)
    before = contents(store)
    assert refusal("--data", str(store)).startswith(f"{store / 'rocksdb'}")
    assert contents(store) == before


def test_a_damaged_block_of_a_table_is_an_error_and_never_a_missing_item(store: Path) -> None:
    """RocksDB reads blocks when they are needed, so the server may start; it must not lie."""
    _garble(_largest(store, "*.sst"), 0.4)
    with ServerProcess("--data", str(store), log=store.with_suffix(".log")) as server:
        try:
            server.await_ready()
        except AssertionError:
            assert server.wait() == 1
            return
        with RawClient(server.port) as client, pytest.raises(Refused, match="InternalServer"):
            all_items(client, TABLE)
            all_records(client, TABLE)
        server.stop()
