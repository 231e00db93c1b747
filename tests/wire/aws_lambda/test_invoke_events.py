"""Invoke of the type Event: taken in at once, run later, retried by the clock, never forgotten."""

import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from penstock.app.control_client import ControlClient
from penstock.testing.server import RunningServer
from wire.aws_lambda.code import parameters, zip_of
from wire.clients import connect

WAIT_SECONDS_MAX = 60.0
MINUTE_MS = 60_000
NOTING = """
import json, os, time

def handler(event, context):
    with open(event["file"], "a") as file:
        file.write(json.dumps([event.get("text"), context.aws_request_id]) + "\\n")
    while event.get("until") and not os.path.exists(event["until"]):
        time.sleep(0.01)
    if event.get("fails"):
        raise ValueError("on purpose")
"""


def noted(file: Path) -> list[list[str]]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def has_noted(file: Path, count: int) -> bool:
    return len(noted(file)) == count


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_SECONDS_MAX
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.01)


def send(functions: Any, name: str, **event: Any) -> str:
    answer = functions.invoke(
        FunctionName=name, InvocationType="Event", Payload=json.dumps(event, default=str)
    )
    assert answer["StatusCode"] == 202
    assert answer["Payload"].read() == b""
    identifier: str = answer["ResponseMetadata"]["RequestId"]
    return identifier


def test_every_event_runs(functions: Any, new_function: Any, tmp_path: Path) -> None:
    """On two nodes the one that has the job hears of those that came to the other."""
    name = new_function(Code={"ZipFile": zip_of({"app.py": NOTING})})
    file = tmp_path / "noted"
    sent = {send(functions, name, file=file, text=str(number)) for number in range(10)}
    wait_for(lambda: {identifier for _, identifier in noted(file)} == sent)
    assert {text for text, _ in noted(file)} == {str(number) for number in range(10)}


class Moved:
    """A server whose clock is moved, and its functions."""

    def __init__(self, server: RunningServer) -> None:
        self.client = connect(server.url, "lambda")
        self._control = ControlClient(server.url)

    def pass_ms(self, ms: int) -> None:
        self._control.advance(ms)

    def new_function(self, name: str, **changed: Any) -> str:
        code = {"ZipFile": zip_of({"app.py": NOTING})}
        self.client.create_function(**parameters(name, Code=code, **changed))
        return name


@pytest.fixture(scope="module")
def moved() -> Iterator[Moved]:
    with RunningServer(test_controls=True) as server:
        yield Moved(server)


def test_a_failed_event_is_tried_twice_more(moved: Moved, tmp_path: Path) -> None:
    name = moved.new_function("retried")
    file = tmp_path / "noted"
    identifier = send(moved.client, name, file=file, fails=True)
    for attempts, wait_ms in ((1, MINUTE_MS), (2, 2 * MINUTE_MS)):
        wait_for(partial(has_noted, file, attempts))
        moved.pass_ms(wait_ms - 5000)
        assert len(noted(file)) == attempts
        pass_until(moved, wait_ms, partial(has_noted, file, attempts + 1))
    moved.pass_ms(60 * MINUTE_MS)
    send(moved.client, name, file=file, text="another one")
    wait_for(lambda: noted(file)[-1][0] == "another one")
    assert [each for _, each in noted(file)[:-1]] == [identifier] * 3


def test_a_function_may_have_fewer_attempts(moved: Moved, tmp_path: Path) -> None:
    name = moved.new_function("once")
    moved.client.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    file = tmp_path / "noted"
    send(moved.client, name, file=file, fails=True)
    wait_for(lambda: len(noted(file)) == 1)
    moved.pass_ms(60 * MINUTE_MS)
    send(moved.client, name, file=file, text="another one")
    wait_for(lambda: noted(file)[-1][0] == "another one")
    assert len(noted(file)) == 2


def test_a_throttled_event_waits_for_room(moved: Moved, tmp_path: Path) -> None:
    name = moved.new_function("throttled")
    file, go = tmp_path / "noted", tmp_path / "go"
    take_all_room(moved, name, file, go)
    send(moved.client, name, file=file, text="patient")
    for _ in range(5):
        moved.pass_ms(MINUTE_MS)
    assert len(noted(file)) == 1
    go.touch()
    pass_until(moved, 5 * MINUTE_MS, partial(has_noted, file, 2))
    assert noted(file)[-1][0] == "patient"


def test_an_event_is_given_up_after_its_age(moved: Moved, tmp_path: Path) -> None:
    name = moved.new_function("too-late")
    moved.client.put_function_event_invoke_config(FunctionName=name, MaximumEventAgeInSeconds=60)
    file = tmp_path / "noted"
    send(moved.client, name, file=file, text="once", fails=True)
    wait_for(partial(has_noted, file, 1))
    for _ in range(5):
        moved.pass_ms(5 * MINUTE_MS)
    send(moved.client, name, file=file, text="in time")
    wait_for(partial(has_noted, file, 2))
    assert [text for text, _ in noted(file)] == ["once", "in time"]


def test_an_event_of_a_function_that_never_runs_is_given_up(moved: Moved, tmp_path: Path) -> None:
    name = moved.new_function("never")
    moved.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    file = tmp_path / "noted"
    send(moved.client, name, file=file, text="never")
    moved.pass_ms(MINUTE_MS)
    moved.client.delete_function_concurrency(FunctionName=name)
    moved.pass_ms(10 * MINUTE_MS)
    send(moved.client, name, file=file, text="new")
    wait_for(lambda: bool(noted(file)))
    assert [text for text, _ in noted(file)] == ["new"]


def test_an_event_of_a_function_that_has_gone_is_given_up(moved: Moved, tmp_path: Path) -> None:
    name = moved.new_function("gone")
    file, go = tmp_path / "noted", tmp_path / "go"
    take_all_room(moved, name, file, go)
    send(moved.client, name, file=file, text="never")
    moved.client.delete_function(FunctionName=name)
    moved.pass_ms(10 * MINUTE_MS)
    moved.new_function("gone")
    moved.pass_ms(10 * MINUTE_MS)
    send(moved.client, name, file=file, text="new")
    wait_for(partial(has_noted, file, 2))
    assert [text for text, _ in noted(file)] == ["first", "new"]
    go.touch()


def take_all_room(moved: Moved, name: str, file: Path, go: Path) -> None:
    """Let a function run once at a time, and begin an invocation that lasts until `go` is there."""
    moved.client.update_function_configuration(FunctionName=name, Timeout=120)
    moved.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    send(moved.client, name, file=file, text="first", until=go)
    wait_for(partial(has_noted, file, 1))


def pass_until(moved: Moved, ms: int, condition: Callable[[], bool]) -> None:
    """Let `ms` pass until `condition` holds.

    Again where need be: an attempt that was under way when the time passed is due that much later.
    """
    end = time.monotonic() + WAIT_SECONDS_MAX
    while not condition():
        assert time.monotonic() < end, "it did not come"
        moved.pass_ms(ms)
        pause = time.monotonic() + 1.0
        while not condition() and time.monotonic() < pause:
            time.sleep(0.01)
