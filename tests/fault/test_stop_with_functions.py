"""A server that is told to stop while functions run: they end with it, in time."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from server_process import ServerProcess
from wire.aws_lambda.code import parameters, zip_of
from wire.clients import connect

STOP_SECONDS_MAX = 2.0
WAIT_SECONDS_MAX = 60.0
SLEEPING = """
import os, time

def handler(event, context):
    with open(event["file"], "a") as file:
        file.write(f"{os.getpid()}\\n")
    time.sleep(event["seconds"])
    return "awake"
"""


class Sleeper:
    """An invocation on a thread of its own."""

    def __init__(self, client: Any, file: Path, seconds: float) -> None:
        self.result: Any = None
        payload = json.dumps({"file": str(file), "seconds": seconds})
        self.thread = threading.Thread(target=self._invoke, args=(client, payload))
        self.thread.start()

    def _invoke(self, client: Any, payload: str) -> None:
        try:
            self.result = client.invoke(FunctionName="f", Payload=payload)["Payload"].read()
        except ClientError as error:
            self.result = error

    def end(self) -> Any:
        self.thread.join(WAIT_SECONDS_MAX)
        return self.result


def started(server: ServerProcess) -> Any:
    client = connect(server.url, "lambda")
    code = {"ZipFile": zip_of({"app.py": SLEEPING})}
    client.create_function(**parameters("f", Code=code, Timeout=100))
    return client


def pid_in(file: Path) -> int:
    end = time.monotonic() + WAIT_SECONDS_MAX
    while not (file.exists() and file.read_text().endswith("\n")):
        assert time.monotonic() < end, "it did not begin"
        time.sleep(0.01)
    return int(file.read_text())


@pytest.mark.slow
def test_a_function_that_goes_on_for_long_is_ended_and_its_caller_told(tmp_path: Path) -> None:
    with ServerProcess.on(tmp_path / "store") as server:
        client = started(server)
        sleeper = Sleeper(client, tmp_path / "pid", 90)
        worker = pid_in(tmp_path / "pid")
        before = server.fair_seconds()
        server.stop()
        assert server.fair_seconds() - before < STOP_SECONDS_MAX
        told = sleeper.end()
        assert isinstance(told, ClientError)
        assert told.response["Error"]["Code"] == "ServiceException"
        assert not Path(f"/proc/{worker}").exists()
        assert server.complaints == ""


@pytest.mark.slow
def test_a_function_that_soon_ends_is_waited_for(tmp_path: Path) -> None:
    with ServerProcess.on(tmp_path / "store") as server:
        sleeper = Sleeper(started(server), tmp_path / "pid", 0.2)
        pid_in(tmp_path / "pid")
        server.stop()
        assert sleeper.end() == b'"awake"'
        assert server.complaints == ""
