"""A broker of Apache Kafka, alone in its cluster: fetched once by Maven, run as a process."""

import contextlib
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from clients.java_project import built_project, command

PROJECT = Path(__file__).resolve().parent / "kafka"
START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 30.0
_CLUSTER = "AAAAAAAAAAAAAAAAAAAAAQ"


def built_broker() -> Path:
    """Return Maven's `target` with the broker's libraries; skip where it is not to be had."""
    return built_project(PROJECT)


class KafkaBroker:
    """A broker with its files in `directory`; a context that leaves no process behind."""

    def __init__(self, target: Path, directory: Path) -> None:
        self._target, self._directory = target, directory
        self.port, controller_port = _free_ports()
        self._properties = directory / "server.properties"
        self._properties.write_text(_properties(self.port, controller_port, directory / "log"))
        self._run("kafka.tools.StorageTool", "format", "-t", _CLUSTER, "-c")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        with (self._directory / "said").open("ab") as said:
            self._process = subprocess.Popen(
                command(self._target, "kafka.Kafka", str(self._properties)),
                cwd=self._directory,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self._listens():
            said_text = (self._directory / "said").read_text("utf-8")
            assert self._process.poll() is None, said_text
            assert time.monotonic() < deadline, said_text
            time.sleep(0.05)

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_SECONDS_MAX)
        self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    def _run(self, main_class: str, *arguments: str) -> None:
        done = subprocess.run(
            [*command(self._target, main_class, *arguments), str(self._properties)],
            cwd=self._directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=START_SECONDS_MAX,
            check=False,
        )
        assert done.returncode == 0, done.stdout

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1.0):
            return True
        return False


def _free_ports() -> tuple[int, int]:
    with (
        socket.create_server(("127.0.0.1", 0)) as first,
        socket.create_server(("127.0.0.1", 0)) as second,
    ):
        return first.getsockname()[1], second.getsockname()[1]


def _properties(port: int, controller_port: int, log: Path) -> str:
    listener, controller = f"PLAINTEXT://127.0.0.1:{port}", f"127.0.0.1:{controller_port}"
    return "\n".join(
        (
            "process.roles=broker,controller",
            "node.id=1",
            f"controller.quorum.voters=1@{controller}",
            f"listeners={listener},CONTROLLER://{controller}",
            f"advertised.listeners={listener}",
            "controller.listener.names=CONTROLLER",
            "inter.broker.listener.name=PLAINTEXT",
            f"log.dirs={log}",
            "offsets.topic.replication.factor=1",
            "auto.create.topics.enable=false",
        )
    )
