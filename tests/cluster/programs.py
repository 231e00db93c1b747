"""What a machine of docs/cluster.md has and one machine of tests has not: sudo, systemctl, socat.

`python programs.py NAME ARGUMENTS` plays the program NAME. `MACHINE` in the environment is the
directory of the machine, `MACHINE_USER` the user and group that `postgres` stands for, or nothing.
Services are what their unit files say, as far as these are followed here: what is started, with
which environment, and that it is started again.
"""

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

DATABASE = "postgresql@16-main"
STOP_SECONDS_MAX = 60.0
POLL_SECONDS = 0.02


def machine() -> Path:
    """Return the directory of this machine."""
    return Path(os.environ["MACHINE"])


# --- sudo


def sudo(arguments: Sequence[str]) -> int:
    """Become the program that is named; `-u postgres` as the user who stands for it."""
    environment = dict(os.environ)
    if arguments[:2] == ["-u", "postgres"]:
        arguments = arguments[2:]
        environment["PGUSER"] = "postgres"
        _become_postgres()
    os.execvpe(arguments[0], list(arguments), environment)


def _become_postgres() -> None:
    if named := os.environ["MACHINE_USER"]:
        user, group = map(int, named.split(":"))
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)


# --- systemctl


def systemctl(arguments: Sequence[str]) -> int:
    """Do what is asked for with one service."""
    match arguments:
        case ["daemon-reload"]:
            return 0
        case ["enable", service]:
            return 0 if Unit(service).path.exists() else 1
        case ["start" | "stop" | "restart" as what, "postgresql@16-main"]:
            return _database(what)
        case ["start", service]:
            return Unit(service).start()
        case ["stop", service]:
            return Unit(service).stop()
        case ["restart", service]:
            return Unit(service).stop() or Unit(service).start()
    return 2


def _database(what: str) -> int:
    data = machine() / "var/lib/postgresql/16/main"
    if what == "stop" and not _runs(data / "postmaster.pid"):
        return 0
    configuration = machine() / "etc/postgresql/16/main/postgresql.conf"
    command = ["pg_ctl", "-D", str(data), "-l", str(machine() / "postgres.log"), "-w", "-m", "fast"]
    options = ["-o", f"-c config_file={configuration}"]
    _become_postgres()
    return subprocess.run([*command, *options, what], check=False).returncode


def _runs(path: Path) -> bool:
    """Say whether the process whose id a file begins with is there, and more than a zombie."""
    try:
        status = Path(f"/proc/{path.read_text().split()[0]}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] not in {"Z", "X"}


class Unit:
    """A service by its unit file."""

    def __init__(self, name: str) -> None:
        self.path = machine() / f"etc/systemd/system/{name}.service"
        self.keeper = machine() / f"{name}.pid"
        self.log = machine() / f"{name}.log"
        self._stop: list[int] = []

    def values(self, key: str) -> list[str]:
        """Return what the unit says of a key, each time that it does."""
        lines = self.path.read_text().splitlines()
        return [line.partition("=")[2] for line in lines if line.startswith(f"{key}=")]

    def start(self) -> int:
        """Start it in the background, and again whenever it ends."""
        if os.fork() == 0:
            os.setsid()
            self.keeper.write_text(str(os.getpid()))
            with self.log.open("ab") as log:
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
            os.close(0)
            self._keep()
            os._exit(0)
        return 0

    def stop(self) -> int:
        """End it, and wait until it is gone."""
        with suppress(FileNotFoundError, ProcessLookupError):
            keeper = int(self.keeper.read_text())
            os.kill(keeper, signal.SIGTERM)
            deadline = time.monotonic() + STOP_SECONDS_MAX
            while self.keeper.exists():
                if time.monotonic() > deadline:
                    return 1
                time.sleep(POLL_SECONDS)
        return 0

    def _keep(self) -> None:
        """Run it, and again when it has ended, until it is to stop or nobody tests any more."""
        signal.signal(signal.SIGTERM, lambda number, frame: self._stop.append(number))
        (command,), (pause,) = self.values("ExecStart"), self.values("RestartSec")
        while not self._is_to_stop():
            self._wait(subprocess.Popen(shlex.split(command), env=self._environment()))
            if not self._is_to_stop():
                time.sleep(float(pause))
        self.keeper.unlink()

    def _wait(self, process: "subprocess.Popen[bytes]") -> None:
        (seconds,) = self.values("TimeoutStopSec")
        while process.poll() is None and not self._is_to_stop():
            time.sleep(POLL_SECONDS)
        process.terminate()  # once: of a second signal services may think otherwise
        try:
            process.wait(float(seconds))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _is_to_stop(self) -> bool:
        return bool(self._stop) or not _is_tested()

    def _environment(self) -> dict[str, str]:
        """Return the service's environment: nothing of ours but what its files say."""
        environment = {"PATH": os.defpath, "PGPORT": os.environ["PGPORT"]}
        for name in self.values("EnvironmentFile"):
            for line in Path(name).read_text().splitlines():
                if line and not line.startswith("#"):
                    key, _, value = line.partition("=")
                    environment[key] = value
        return environment


def _is_tested() -> bool:
    """Say whether the tests still run that this is for."""
    return Path(f"/proc/{os.environ['MACHINE_TESTS']}").exists()


# --- socat


def socat(arguments: Sequence[str]) -> int:
    """Send what comes on stdin to a socket, and show what it answers."""
    place, path = arguments
    assert place == "stdio"
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        connection.sendall(sys.stdin.buffer.read())
        connection.shutdown(socket.SHUT_WR)
        while piece := connection.recv(65536):
            sys.stdout.buffer.write(piece)
    return 0


if __name__ == "__main__":
    played = {"sudo": sudo, "systemctl": systemctl, "socat": socat}[sys.argv[1]]
    sys.exit(played(sys.argv[2:]))
