"""What wrk is asked for, and what is read out of what it tells."""

import json
from pathlib import Path

import pytest

from bench.load import Load, LoadFailed, command_of, parse
from bench.work import WORKLOADS

TOLD = {
    "requests": 3000,
    "microseconds": 1_500_000,
    "refused": 0,
    "connect": 0,
    "read": 0,
    "write": 0,
    "timeout": 0,
}


def said(**changes: int) -> str:
    """Return what wrk says, its own words around ours."""
    told = json.dumps(TOLD | changes)
    return f"Running 2s test @ http://127.0.0.1:1/\n  3000 requests in 1.50s\ntold {told}\n"


def test_requests_per_second_are_of_the_time_that_wrk_took() -> None:
    assert parse(said()).per_second == 2000


@pytest.mark.parametrize("kind", ["refused", "connect", "read", "write", "timeout"])
def test_any_failed_request_fails_the_measurement(kind: str) -> None:
    with pytest.raises(LoadFailed, match=rf"of 3000 requests failed: 1 {kind}"):
        parse(said(**{kind: 1}))


def test_a_run_without_an_answer_is_no_measurement() -> None:
    with pytest.raises(LoadFailed, match="no request was answered"):
        parse(said(requests=0))
    with pytest.raises(LoadFailed, match="told nothing") as told:
        parse("unable to connect to 127.0.0.1:1 Connection refused\n")
    assert told.value.detail == "unable to connect to 127.0.0.1:1 Connection refused"


def test_the_command_has_the_load_and_the_bodies() -> None:
    load = Load(connections=64, threads=2, seconds=4)
    command = command_of("http://127.0.0.1:1/", WORKLOADS["get"], load, Path("bodies"))
    assert {"-t2", "-c64", "-d4s"} <= set(command)
    assert command[-3:] == ["DynamoDB_20120810.GetItem", "2", "bodies"]
    assert Path(next(each for each in command if "--script=" in each).partition("=")[2]).exists()
