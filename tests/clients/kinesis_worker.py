"""A worker of the Kinesis Client Library as a process of its own, and what it tells."""

import json
import os
import subprocess
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from clients.java_project import command
from fault.reading import REGION, Page

MAIN_CLASS = "penstock.clients.StreamWorker"
STOP_SECONDS_MAX = 60.0
CONSUMER = "kinesis-worker"
"""The SDK application id of every worker."""

Sharing = Literal["CLIENT_VERSION_CONFIG_3X", "CLIENT_VERSION_CONFIG_COMPATIBLE_WITH_2X"]
"""Who shares the leases out: a leader, or every worker takes its part as in version 2."""


class KinesisWorker:
    """A worker that reads a stream from its beginning on, or goes on from its checkpoints.

    A context that leaves no process behind. Its stderr goes to a file in `directory`.
    """

    def __init__(
        self,
        target: Path,
        port: int,
        *,
        stream_arn: str,
        application: str,
        name: str,
        sharing: Sharing,
        directory: Path,
    ) -> None:
        url = f"http://127.0.0.1:{port}"
        arguments = (url, REGION, stream_arn, application, name, sharing)
        self.log = directory / f"{name}.log"
        with self.log.open("wb") as stderr:
            self._process = subprocess.Popen(
                command(target, MAIN_CLASS, *arguments),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=_environment(),
                text=True,
            )
        self._events: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
        if error is not None:
            print(self.log.read_text("utf-8", "replace"))

    @property
    def pages(self) -> list[Page]:
        """What it has processed, in that order, each record by itself."""
        return [Page(event["shard"], [event["record"]]) for event in self.told("record")]

    @property
    def lines_count(self) -> int:
        """How many lines it has told, of all events."""
        return len(self._events)

    def told(self, event: str) -> list[dict[str, Any]]:
        """Return what it has told of events of this name."""
        return [each for each in self._events.copy() if each["event"] == event]

    def kill(self) -> None:
        """End the process as a crash would, and read what it told to the end."""
        self._process.kill()
        self._process.wait()
        self._reader.join(STOP_SECONDS_MAX)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def stop(self) -> None:
        """Let it end as an operator would, which it must."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        status = self._process.wait(STOP_SECONDS_MAX)
        assert status == 0, self.log.read_text("utf-8", "replace")
        self._reader.join(STOP_SECONDS_MAX)
        assert [event["ended"] for event in self.told("stopped")] == [True]

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.endswith("\n"):  # a process that was killed may leave half of one
                self._events.append(json.loads(line))


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SDK_UA_APP_ID": CONSUMER,
    }
