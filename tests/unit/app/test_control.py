"""`penstock control` as a person runs it: what it asks for, what it shows, how it fails."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.app import cli, control
from penstock.app.control_client import ControlClient, ControlError, Succession
from penstock.base.clock import iso_label
from penstock.testing.clock import FakeClock
from penstock.testing.server import RunningServer
from server_process import clean_environment, command

_SECONDS_MAX = 60

NOW_MS = 1_790_000_000_123
NOW_LINES = ["the server's clock tells 2026-09-21T14:13:20.123Z (1790000000123)"]
NOW = {"Now": NOW_MS}
NO_TIME = "is neither epoch milliseconds nor a time such as 2026-12-24T18:00Z"
SHARD = ("--shard", "s")
READERS = {
    "Shards": [],
    "ShardsLeftOff": 0,
    "Consumers": [
        {
            "Consumer": "c\x85",
            "StreamArn": "arn:aws:dynamodb:us-east-1:0:table/T/stream/2026-11-27T20:57:41.234",
            "ShardId": "s",
            "ReadTo": "100000000000000000005",
        }
    ],
    "ConsumersLeftOff": 2,
}
READERS_LINES = [
    r"c\u0085 has read s of T (2026-11-27T20:57:41.234) up to 100000000000000000005",
    "and 2 more, which were left off",
]

Control = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="module")
def url(clock: FakeClock) -> Iterator[str]:
    with RunningServer(clock=clock, test_controls=True) as server:
        yield server.url


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Control:
    """Run a command line of `penstock control`; give exit status, stdout and stderr."""

    def run_it(*given: str) -> tuple[int, str, str]:
        try:
            status = cli.main(["control", *given])
        except SystemExit as end:
            assert isinstance(end.code, int)
            status = end.code
        said = capsys.readouterr()
        return status, said.out, said.err

    return run_it


class Noting:
    """Stands for the client: notes how it is called, and answers what each call would."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def __call__(self, url: str, region: str) -> "Noting":
        self.calls.append(("at", (url, region), {}))
        return self

    def __getattr__(self, name: str) -> Callable[..., Any]:
        answers: dict[str, Any] = {
            "now_ms": NOW_MS,
            "advance": NOW_MS,
            "set_clock": NOW_MS,
            "roll": [Succession("p1", ("c1",)), Succession("p2", ("c2",))],
            "split": Succession("p", ("c1", "c2")),
            "trim": ["s1", "s2"],
            "fault": "f1",
            "readers": READERS,
            "faults": [{"FaultId": "f1", "Kind": "throttle", "Calls": 3, "Hits": 1}],
        }

        def call(*given: Any, **named: Any) -> Any:
            self.calls.append((name, given, named))
            return answers.get(name)

        return call


@pytest.fixture
def noting(monkeypatch: pytest.MonkeyPatch) -> Noting:
    """Have the command use a client that only notes what it is asked."""
    noting = Noting()
    monkeypatch.setattr(control, "ControlClient", noting)
    return noting


# --- against a server


def test_the_clock_is_told_and_moved(run: Control, url: str, clock: FakeClock) -> None:
    now_ms = clock.now_ms()
    at = ("--endpoint-url", url)
    line = f"the server's clock tells {iso_label(now_ms)}Z ({now_ms})\n"
    assert run("clock", *at) == (0, line, "")
    assert run(*at, "--json", "clock", "--advance", "1m1ms") == (
        0,
        f'{{"Now": {now_ms + 60_001}}}\n',
        "",
    )
    assert clock.now_ms() == now_ms + 60_001
    assert run("clock", "--to", str(now_ms), *at) == (0, line, "")


def test_what_the_server_refuses_is_one_line(run: Control, url: str) -> None:
    status, out, err = run("roll", "Nowhere", "--endpoint-url", url)
    assert (status, out) == (1, "")
    assert err == (
        "penstock control: ResourceNotFoundException: Requested resource not found: Table: Nowhere"
        " not found\n"
    )


def test_a_server_without_controls_is_told_in_one_line(run: Control) -> None:
    with RunningServer() as server:
        text = f"penstock control: the server at {server.url} was not started with --test-controls"
        assert run("clock", "--endpoint-url", server.url) == (1, "", f"{text}\n")


def test_an_output_that_cannot_be_written_is_one_line_or_none(url: str) -> None:
    """A full disk is told; a reader that went away is not."""
    asked = [*command("control", "clock", "--endpoint-url", url)]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            asked,
            stdout=full,
            stderr=subprocess.PIPE,
            env=clean_environment(),
            timeout=_SECONDS_MAX,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == b"penstock control: cannot write: No space left on device\n"
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        asked,
        stdout=writing,
        stderr=subprocess.PIPE,
        env=clean_environment(),
        timeout=_SECONDS_MAX,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_command_starts_without_clients_and_engines() -> None:
    code = "import sys, penstock.app.control; print(*{m.partition('.')[0] for m in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"boto3", "botocore", "msgspec", "rich", "rocksdict"} & set(done.stdout.split())


# --- what is asked for, and what is shown


@pytest.mark.parametrize(
    ("given", "asked", "lines", "document"),
    [
        (["clock"], ("now_ms", (), {}), NOW_LINES, NOW),
        (["clock", "--advance", "500ms"], ("advance", (500,), {}), NOW_LINES, NOW),
        (["clock", "--to", "1790000000123"], ("set_clock", (NOW_MS,), {}), NOW_LINES, NOW),
        (
            ["roll", "T"],
            ("roll", ("T", None), {}),
            ["rolled p1 into c1", "rolled p2 into c2"],
            {
                "Successions": [
                    {"Parent": "p1", "Children": ["c1"]},
                    {"Parent": "p2", "Children": ["c2"]},
                ]
            },
        ),
        (
            ["split", "T", *SHARD],
            ("split", ("T", "s"), {}),
            ["split p into c1 and c2"],
            {"Successions": [{"Parent": "p", "Children": ["c1", "c2"]}]},
        ),
        (
            ["trim", "T", *SHARD],
            ("trim", ("T", "s"), {}),
            ["trimmed s1", "trimmed s2"],
            {"Shards": ["s1", "s2"]},
        ),
        (
            ["expire", "T"],
            ("expire_iterators", ("T", None, None), {}),
            ["expired the iterators of T that were issued so far"],
            {},
        ),
        (
            ["expire", "T", *SHARD],
            ("expire_iterators", ("T", "s", None), {}),
            ["expired the iterators of T, s that were issued so far"],
            {},
        ),
        (
            ["expire", "--iterator", "i"],
            ("expire_iterators", (None, None, "i"), {}),
            ["expired the iterator"],
            {},
        ),
        (
            ["fault", "throttle", "--calls", "3"],
            (
                "fault",
                ("throttle",),
                {
                    "table": None,
                    "shard_id": None,
                    "consumer": None,
                    "calls": 3,
                    "probability": None,
                    "seed": None,
                    "records": None,
                    "region": None,
                },
            ),
            ["set fault f1"],
            {"FaultId": "f1"},
        ),
        (
            [
                *("fault", "fewer", "--table", "T", *SHARD, "--consumer", "c"),
                *("--probability", "0.25", "--seed", "7", "--records", "2"),
            ],
            (
                "fault",
                ("fewer",),
                {
                    "table": "T",
                    "shard_id": "s",
                    "consumer": "c",
                    "calls": None,
                    "probability": 0.25,
                    "seed": 7,
                    "records": 2,
                    "region": None,
                },
            ),
            ["set fault f1"],
            {"FaultId": "f1"},
        ),
        (
            ["faults"],
            ("faults", (), {}),
            ["FaultId=f1 Kind=throttle Calls=3 Hits=1"],
            {"Faults": [{"FaultId": "f1", "Kind": "throttle", "Calls": 3, "Hits": 1}]},
        ),
        (["clear"], ("clear_faults", (None,), {}), ["cleared all faults"], {}),
        (["clear", "f1"], ("clear_faults", ("f1",), {}), ["cleared f1"], {}),
        (
            ["drain", "T", "--consumer", "c"],
            ("drain", ("T", "c", 30.0), {}),
            ["c has read all that was written to T"],
            {},
        ),
        (
            ["drain", "T", "--consumer", "c", "--seconds-max", "2.5"],
            ("drain", ("T", "c", 2.5), {}),
            ["c has read all that was written to T"],
            {},
        ),
        (["readers"], ("readers", (None,), {}), READERS_LINES, READERS),
        (["readers", "T"], ("readers", ("T",), {}), READERS_LINES, READERS),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_each_action_asks_the_server_and_shows_what_was_done(
    run: Control,
    noting: Noting,
    given: list[str],
    asked: Any,
    lines: list[str],
    document: dict[str, Any],
) -> None:
    shown = "".join(f"{line}\n" for line in lines)
    assert run(*given) == (0, shown, "")
    assert noting.calls == [("at", ("http://127.0.0.1:8000", "us-east-1"), {}), asked]
    status, out, err = run(*given, "--json")
    assert (status, json.loads(out), err) == (0, document, "")


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("24h1s", 86_401_000),
        ("90m", 5_400_000),
        ("500ms", 500),
        ("2d3h4m5s6ms", 183_845_006),
        ("0s", 0),
        ("1m1m", 120_000),
    ],
)
def test_a_time_to_pass_is_taken_with_its_units(
    run: Control, noting: Noting, text: str, ms: int
) -> None:
    assert run("clock", "--advance", text)[0] == 0
    assert noting.calls[1] == ("advance", (ms,), {})


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1790000000123", 1_790_000_000_123),
        ("2026-12-24T18:00Z", 1_798_135_200_000),
        ("2026-12-24T18:00", 1_798_135_200_000),
        ("2026-12-24T19:00:00.250+01:00", 1_798_135_200_250),
        ("2026-12-24", 1_798_070_400_000),
    ],
)
def test_a_time_to_step_to_is_taken_as_milliseconds_or_by_its_name(
    run: Control, noting: Noting, text: str, ms: int
) -> None:
    assert run("clock", "--to", text)[0] == 0
    assert noting.calls[1] == ("set_clock", (ms,), {})


def test_place_and_region_may_stand_before_the_action_or_after_it(
    run: Control, noting: Noting
) -> None:
    place = ("--endpoint-url", "http://there:1", "--region", "eu-west-1")
    assert run(*place, "trim", "T")[0] == run("trim", "T", *place)[0] == 0
    assert [call[1] for call in noting.calls[::2]] == [("http://there:1", "eu-west-1")] * 2


def test_a_fault_without_a_table_is_of_the_region_that_is_given(
    run: Control, noting: Noting
) -> None:
    assert run("--region", "eu-west-1", "fault", "throttle", "--calls", "1")[0] == 0
    (_, (_, region), _), (_, _, named) = noting.calls
    assert region == named["region"] == "eu-west-1"


def test_without_faults_that_is_said(run: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ControlClient, "faults", lambda self: [])
    assert run("faults") == (0, "no faults are set\n", "")
    assert run("faults", "--json") == (0, '{"Faults": []}\n', "")


def test_without_readers_that_is_said(run: Control, url: str) -> None:
    at = ("--endpoint-url", url)
    assert run("readers", *at) == (0, "nobody has called GetRecords\n", "")
    status, out, err = run("readers", "--json", *at)
    document = {"Shards": [], "ShardsLeftOff": 0, "Consumers": [], "ConsumersLeftOff": 0}
    assert (status, json.loads(out), err) == (0, document, "")


def test_what_goes_wrong_on_the_way_is_one_line(
    run: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise ControlError("DrainTimeout: two\nlines", "DrainTimeout")

    monkeypatch.setattr(ControlClient, "drain", refuse)
    status, out, err = run("drain", "T", "--consumer", "c")
    assert (status, out, err) == (1, "", "penstock control: DrainTimeout: two lines\n")


# --- what is not understood


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ([], ": the following arguments are required: ACTION"),
        (["clock", "--adv", "1s"], ": unrecognized arguments: --adv 1s"),
        (
            ["clock", "--advance", "1s", "--to", "1"],
            " clock: argument --to: not allowed with argument --advance",
        ),
        *(
            (
                ["clock", f"--advance={text}"],
                f" clock: argument --advance: {text!r} is not a time such as 24h1s, 90m or 500ms",
            )
            for text in ("", "5", "5x", "-1s", "1.5h", "1h ", "h", "1H")
        ),
        *(
            (
                ["clock", f"--to={text}"],
                f" clock: argument --to: {text!r} {NO_TIME}",
            )
            for text in ("", "now", "-5", "2026-13-01", "18:00", "1" * 16)
        ),
        (["roll"], " roll: the following arguments are required: TABLE"),
        (["expire"], " expire: one of the arguments TABLE --iterator is required"),
        (
            ["expire", "T", "--iterator", "i"],
            " expire: argument --iterator: not allowed with argument TABLE",
        ),
        (
            ["fault", "throttle", "--calls", "-1"],
            " fault: argument --calls: '-1' is not a whole number",
        ),
        (
            ["fault", "throttle", "--probability", "nan"],
            " fault: argument --probability: 'nan' is not a number such as 0.25",
        ),
        (["drain", "T"], " drain: the following arguments are required: --consumer"),
        (
            ["drain", "T", "--consumer", "c", "--seconds-max", "inf"],
            " drain: argument --seconds-max: 'inf' is not a number such as 0.25",
        ),
    ],
)
def test_what_is_not_understood_is_one_line(
    run: Control, noting: Noting, given: list[str], complaint: str
) -> None:
    status, out, err = run(*given)
    program = f"penstock control{complaint.partition(':')[0]}"
    assert (status, out, err) == (2, "", f"penstock control{complaint}; see {program} --help\n")
    assert noting.calls == []


@pytest.mark.parametrize("given", [["pause"], ["fault", "explode", "--calls", "1"]])
def test_an_unknown_action_or_kind_is_told_with_those_there_are(
    run: Control, given: list[str]
) -> None:
    status, out, err = run(*given)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert f"invalid choice: {given[-1 if len(given) == 1 else 1]!r} (choose from " in err


def test_what_is_no_url_is_told(run: Control) -> None:
    assert run("clock", "--endpoint-url", "x") == (
        1,
        "",
        "penstock control: not a URL of an endpoint: 'x' (expected http://host:port)\n",
    )
