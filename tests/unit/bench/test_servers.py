"""How servers are found, what is said of those that are missing, and that they end."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bench import installs
from bench.api import Answer
from bench.floor import write_answers
from bench.installs import Missing
from bench.processes import Child, ChildFailed, run
from bench.servers import (
    LOCAL_DISK,
    LOCAL_MEMORY,
    PENSTOCK,
    SERVERS,
    NotStarted,
    Server,
    Start,
    floor_server,
    jar_version,
    start,
)


def missing(server: str) -> Missing:
    """Return what is said of a server that is missing."""
    with pytest.raises(Missing) as told:
        SERVERS[server].find()
    return told.value


def with_java(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a Java, whatever the machine has."""
    monkeypatch.setattr("bench.servers.need_program", lambda name, remedy: f"/bin/{name}")


def test_dynamodb_local_is_asked_for_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DYNAMODB_LOCAL", raising=False)
    told = str(missing(LOCAL_DISK))
    assert "DYNAMODB_LOCAL=DIR" in told
    assert "licence" in told


def test_a_directory_without_the_jar_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DYNAMODB_LOCAL", str(tmp_path))
    told = missing(LOCAL_MEMORY)
    assert "DYNAMODB_LOCAL names a directory without DynamoDBLocal.jar" in str(told)
    assert str(tmp_path) not in str(told)
    assert told.detail == f"DYNAMODB_LOCAL={tmp_path}"


def test_a_missing_java_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "DynamoDBLocal.jar").touch()
    monkeypatch.setenv("DYNAMODB_LOCAL", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "java is not on this machine" in str(missing(LOCAL_DISK))


def test_the_layout_of_the_archive_starts_by_its_jar(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with_java(monkeypatch)
    (tmp_path / "DynamoDBLocal_lib").mkdir()
    with zipfile.ZipFile(tmp_path / "DynamoDBLocal.jar", "w") as jar:
        jar.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\nImplementation-Version: 2.5\n")
    monkeypatch.setenv("DYNAMODB_LOCAL", str(tmp_path))
    found = SERVERS[LOCAL_DISK].find()
    assert found.version == "2.5"
    assert found.command(4000, Path("data")) == [
        "/bin/java",
        f"-Djava.library.path={tmp_path}/DynamoDBLocal_lib",
        "-jar",
        f"{tmp_path}/DynamoDBLocal.jar",
        "-port",
        "4000",
        "-sharedDb",
        "-dbPath",
        "data",
    ]


def test_the_layout_of_mavens_copies_starts_by_its_main_class(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with_java(monkeypatch)
    (tmp_path / "DynamoDBLocal-3.1.0.jar").touch()
    monkeypatch.setenv("DYNAMODB_LOCAL", str(tmp_path))
    found = SERVERS[LOCAL_MEMORY].find()
    command = found.command(4000, Path("data"))
    assert found.version == "3.1.0"
    assert command[command.index("-cp") + 1] == f"{tmp_path}/*"
    assert "com.amazonaws.services.dynamodbv2.local.main.ServerRunner" in command
    assert command[-1] == "-inMemory"
    assert found.environment(4000, Path("data")) == {"DDB_LOCAL_TELEMETRY": "0"}


def test_a_jar_that_is_none_has_no_version(tmp_path: Path) -> None:
    (tmp_path / "DynamoDBLocal.jar").write_text("no archive")
    assert jar_version(tmp_path / "DynamoDBLocal.jar") == "unknown"


@pytest.mark.parametrize(
    ("server", "program"), [("dynalite-memory", "node"), ("dynalite-disk", "node")]
)
def test_a_missing_program_of_a_peer_is_told(
    server: str, program: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert f"{program} is not on this machine" in str(missing(server))


def test_a_failed_installation_is_told_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(*arguments: object) -> str:
        raise ChildFailed("ended with 1", "first\nERROR: no registry at /here\n")

    monkeypatch.setattr(installs, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(installs, "run", fail)
    with pytest.raises(
        Missing, match=r"could not be installed: its installer ended with 1$"
    ) as told:
        installs.python_packages()
    assert told.value.detail == "ERROR: no registry at /here"
    kept = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert [path.name for path in kept] == ["bench-python.guard"]


def test_the_locked_versions_of_the_peers_are_found() -> None:
    for version in (
        installs.locked_node_version("dynalite"),
        installs.locked_python_version("moto"),
        installs.locked_python_version("ministack"),
    ):
        assert version[0].isdigit()


def test_every_locked_package_has_a_hash() -> None:
    lines = (installs.PEERS / "requirements.lock").read_text().splitlines()
    pins = [at for at, line in enumerate(lines) if not line.startswith((" ", "#"))]
    assert len(pins) > 20
    assert all("--hash=sha256:" in lines[at + 1] for at in pins)


def test_a_server_that_ends_at_once_is_told_with_what_it_said() -> None:
    bad = Start("1", lambda port, data: [sys.executable, "-c", "raise SystemExit('no disk')"])
    with pytest.raises(NotStarted, match=r"it ended at once$") as told:
        start(Server("bad", "Bad", lambda: bad), bad)
    assert told.value.detail == "no disk"


def test_stopping_ends_also_a_server_that_stands_still(tmp_path: Path) -> None:
    running = start(SERVERS[PENSTOCK], SERVERS[PENSTOCK].find())
    running.child.pause()
    running.stop()
    running.stop()
    assert running.child.has_ended()
    assert not running.data.exists()


def test_stopping_ends_what_a_child_started_and_does_not_end_itself(tmp_path: Path) -> None:
    program = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print(child.pid, flush=True)\n"
        "child.wait()\n"
        "time.sleep(600)\n"
    )
    child = Child([sys.executable, "-c", program], tmp_path / "log")
    while not child.said():
        assert not child.has_ended()
    assert _runs(int(child.said()))
    child.stop()
    assert child.has_ended()
    assert not _runs(int(child.said()))


def _runs(process_id: int) -> bool:
    """Say whether a process is there, and no zombie."""
    told = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(process_id)], capture_output=True, text=True, check=False
    )
    return told.stdout.strip()[:1] not in {"", "Z"}


def test_a_command_that_fails_tells_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(ChildFailed, match=r"ended with 3$") as told:
        run([sys.executable, "-c", "print('oh'); raise SystemExit(3)"], tmp_path / "log", 60)
    assert told.value.detail == "oh"


def test_the_floor_gives_the_answers_that_it_was_given(tmp_path: Path) -> None:
    kept = Answer(200, [("Content-Type", "x/y"), ("Content-Length", "2")], b"{}")
    write_answers({"DynamoDB_20120810.GetItem": kept}, tmp_path / "answers")
    server = floor_server(tmp_path / "answers")
    running = start(server, server.find())
    try:
        assert running.answer_to("GetItem", {"TableName": "T"}) == kept
    finally:
        running.stop()
