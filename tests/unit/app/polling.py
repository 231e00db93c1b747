"""`penstock poll` as a process, between a server in the test and a function at a URL."""

import itertools
import json
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from penstock.app.endpoint import own_endpoint
from penstock.testing.local_server import LocalServer
from server_process import clean_environment, command
from unit.functions.scripted_server import Asked, Said, ScriptedServer

SECONDS_MAX = 60.0
_names = (f"polled-{number}" for number in itertools.count())


class Function:
    """A function at a URL, in a context: it remembers what it was given.

    It answers what `answer` makes of the records of a call.
    """

    def __init__(self) -> None:
        self.calls: list[list[dict[str, Any]]] = []
        self.answer: Callable[[list[dict[str, Any]]], Said] = lambda records: Said(b"null")
        self.called = threading.Condition()
        self.server = ScriptedServer(self._script)

    def __enter__(self) -> Self:
        self.server.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.server.__exit__(kind, error, trace)

    @property
    def keys(self) -> list[str]:
        """The keys of all records that it was given, in order."""
        with self.called:
            return [key_of(record) for call in self.calls for record in call]

    def await_keys(self, enough: Callable[[list[str]], bool]) -> list[str]:
        """Return the keys once they are enough."""
        with self.called:
            done = self.called.wait_for(lambda: enough(self.keys), SECONDS_MAX)
            assert done, f"{len(self.calls)} calls with {len(self.keys)} records"
            return self.keys

    def await_calls(self, count: int) -> None:
        """Return once it was called so many times."""
        with self.called:
            assert self.called.wait_for(lambda: len(self.calls) >= count, SECONDS_MAX)

    def _script(self, asked: Asked) -> Said:
        records = json.loads(asked.body)["Records"]
        with self.called:
            self.calls.append(records)
            self.called.notify_all()
        return self.answer(records)


def key_of(record: dict[str, Any]) -> str:
    """Return the key of a record's item."""
    key: str = record["dynamodb"]["Keys"]["k"]["S"]
    return key


class Ground:
    """A table with a stream, a function, and a directory for checkpoints.

    The table is the server's, or that of another server at `url`.
    """

    def __init__(
        self, server: LocalServer, function: Function, directory: Path, url: str | None = None
    ) -> None:
        self.server, self.function = server, function
        self.checkpoints = directory / "checkpoints"
        self.table = next(_names)
        self.url = url or server.url
        self.tables: Any = own_endpoint(self.url).tables()
        made = self.tables.create_table(
            TableName=self.table,
            KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        )
        self.arn = made["TableDescription"]["LatestStreamArn"]

    def put(self, *keys: str, version: int = 0) -> None:
        for key in keys:
            item = {"k": {"S": key}, "version": {"N": str(version)}}
            self.tables.put_item(TableName=self.table, Item=item)

    def poll(self, *given: str, **environment: str) -> "Poll":
        """Start a poll of the table's stream to the function."""
        return Poll(
            *("--stream-endpoint", self.url, "--stream-arn", self.arn),
            *("--function", self.function.server.url + "/f"),
            *("--checkpoints", str(self.checkpoints), *given),
            **environment,
        )


class Poll:
    """A process in a context that leaves none behind."""

    def __init__(self, *given: str, **environment: str) -> None:
        self.process = subprocess.Popen(
            command("poll", *given),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=clean_environment(**environment),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(SECONDS_MAX)

    def stop(self) -> tuple[str, str]:
        """Tell it to stop, wait until it has, with status 0; return its output and errors."""
        self.process.terminate()
        return self.finish()

    def finish(self) -> tuple[str, str]:
        """Wait until it has ended, with status 0; return its output and errors."""
        said = self.process.communicate(timeout=SECONDS_MAX)
        assert self.process.returncode == 0, said
        return said

    def refusal(self) -> tuple[int, str]:
        """Return the status and the one line by which it ended, having said nothing else."""
        out, err = self.process.communicate(timeout=SECONDS_MAX)
        assert out == ""
        assert err.count("\n") == 1, err
        return self.process.returncode, err.removeprefix("penstock poll: ").rstrip("\n")


def wait_until(is_so: Callable[[], bool]) -> None:
    """Return once something is so that nobody tells of."""
    deadline = time.monotonic() + SECONDS_MAX
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)
