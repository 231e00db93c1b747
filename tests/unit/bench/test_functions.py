"""What is measured of functions: their notes, what is made of them, and what is told of it."""

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import pytest

from bench import function_measurements, handler, handling
from bench.__main__ import main
from bench.figures import FIGURES, Verdict
from bench.function_measurements import FIRST_LINE, GIVEN_BY_MAPPING
from bench.handling import Handled, Notes, event_of, handled, handled_of, page_of
from bench.lambda_api import Mapped, code
from bench.latency import Written, latencies
from bench.measurements import Course
from bench.outcome import Outcome
from bench.raw_client import ServerError
from bench.remarks import remarks
from bench.servers import PENSTOCK, SERVERS
from unit.bench.outcomes import plan
from unit.bench.standing import standing

TAG = b"t12345"


def event(*marks: str) -> handler.Event:
    """Return an event of new items with these marks."""
    return {"Records": [{"dynamodb": {"NewImage": {"mark": {"S": each}}}} for each in marks]}


@pytest.fixture
def path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return where functions of this process note."""
    notes = tmp_path / "notes"
    monkeypatch.setenv("NOTES", str(notes))
    return notes


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have nothing be waited for."""
    monkeypatch.setattr(handling, "NEWS_SECONDS_MAX", 0.0)


def test_a_handler_notes_when_it_began_before_anything_else(path: Path) -> None:
    handler.note_marks(event("t123450000000000", "t123450000000001"), None)
    handler.note_marks(event("t123450000000002"), None)
    began, *later = [page_of(line) for line in _lines(path)]
    assert began[1] == b"t123450000000000 t123450000000001"
    assert later[0][0] >= began[0]
    written = Written([began[0] - 3_000_000, began[0], later[0][0] - 4_000_000], 1.0)
    told = latencies(written, [began, *later], TAG)
    assert (told.count, told.median_ms, told.p99_ms) == (3, 3.0, 4.0)


def test_a_handler_adds_up_every_record(path: Path) -> None:
    handler.add_up(event("0000000000000007", "0000000000000035"), None)
    handler.add_up(event("0000000000000100"), None)
    told = handled_of(_lines(path))
    assert (told.records, told.total) == (3, 142)
    assert told.seconds > 0


def test_a_handler_counts(path: Path) -> None:
    handler.count(event("a", "b"), None)
    assert _lines(path) == [b"2"]


def _lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines()


def test_a_functions_code_is_one_file_that_needs_nothing_of_the_benchmark(tmp_path: Path) -> None:
    archive, notes = tmp_path / "code.zip", tmp_path / "notes"
    archive.write_bytes(code())
    assert zipfile.ZipFile(io.BytesIO(code())).namelist() == ["handler.py"]
    work = "import sys; sys.path.insert(0, sys.argv[1]); import handler; handler.count(%r, None)"
    command = [sys.executable, "-I", "-c", work % event("a"), str(archive)]
    subprocess.run(command, env={"NOTES": str(notes)}, cwd=tmp_path, check=True, timeout=60)
    assert _lines(notes) == [b"1"]


def test_notes_are_read_once_and_only_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    assert Notes(path).news() == []
    path.write_bytes(b"of another round\n")
    notes = Notes(path)
    with path.open("ab") as file:
        file.write(b"1 2\n3")
        file.flush()
        assert notes.news() == [b"1 2"]
        assert notes.news() == []
        file.write(b" 4\n5 6\n")
    assert notes.news() == [b"3 4", b"5 6"]
    assert notes.news() == []


def test_the_rate_is_from_the_first_line_to_the_end_of_the_last_invocation() -> None:
    lines = [b"2000000000 3000000000 1000 10", b"1000000000 2500000000 500 5"]
    assert handled_of(lines) == Handled(1500, 2.0, 15)
    assert handled_of(lines).per_second == 750.0


@pytest.mark.usefixtures("at_once")
def test_a_function_that_is_not_given_all_is_told(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    with pytest.raises(ServerError, match="the function was given no record"):
        handled(Notes(path), 5)
    notes = Notes(path)
    path.write_bytes(b"1 2 4 0\n")
    with pytest.raises(ServerError, match="the function was given 4 of 5 records"):
        handled(notes, 5)


def test_what_comes_late_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notes, pieces = Notes(tmp_path / "notes"), [[], [b"1 2 4 0"], [], [b"3 4 1 9"]]
    monkeypatch.setattr(notes, "news", lambda: pieces.pop(0))
    assert handled(notes, 5).records == 5
    assert pieces == []


def test_more_than_there_is_is_no_measurement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = Notes(tmp_path / "notes")
    monkeypatch.setattr(notes, "news", lambda: [b"1 2 6 0"])
    with pytest.raises(ServerError, match="was given 6 of 5 records"):
        handled(notes, 5)


def test_an_event_is_what_a_mapping_makes_of_records() -> None:
    assert event_of([{"eventID": "1", "dynamodb": {}}], "arn:x") == (
        b'{"Records":[{"eventID":"1","dynamodb":{},"eventSourceARN":"arn:x"}]}'
    )


class Api:
    """Lambda's actions of a server that is none."""

    def __init__(self, *given: object) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *given: object) -> None:
        pass

    @contextmanager
    def mapping(self, mapped: Mapped) -> Iterator[None]:
        """Check what is asked for."""
        assert mapped == Mapped("arn:x", "add_up", 1000, "TRIM_HORIZON")
        yield


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Return what measures a function of which Invoke and its mapping have these notes."""

    def measure(invoked: Handled, mapped: Handled, *, late: bool = False) -> tuple[float, ...]:
        told = [invoked, mapped]
        monkeypatch.setattr(function_measurements, "LambdaApi", Api)
        monkeypatch.setattr(handling, "invoke_all", lambda *given: 3)
        monkeypatch.setattr(handling, "handled", lambda notes, records: told.pop(0))
        monkeypatch.setattr(Notes, "news", lambda notes: [b"1 2 1 1"] if late else [])
        running = standing(SERVERS[PENSTOCK])
        running.streams["Given"] = "arn:x"
        return GIVEN_BY_MAPPING.run(running, Course(plan("--records", "20")))

    return measure


def test_a_function_is_given_every_record_once(given: Callable[..., Any]) -> None:
    invoked, whole = Handled(3, 0.5, 0), Handled(4, 2.0, 0 + 1 + 2 + 3)
    assert given(invoked, whole) == (2.0, 6.0)
    with pytest.raises(ServerError, match="not given every record once"):
        given(invoked, Handled(4, 2.0, 0 + 1 + 2 + 2))
    with pytest.raises(ServerError, match="not given every record once"):
        given(invoked, whole, late=True)


def test_the_figures_of_functions_hold_by_their_own_limits() -> None:
    outcome = Outcome()
    outcome.add(PENSTOCK, "first-line-median", 10.1)
    outcome.add(PENSTOCK, "function-records", 20_000)
    by_quantity = {each.top[1]: each for each in FIGURES}
    soon, much = by_quantity["first-line-median"], by_quantity["function-records"]
    assert soon.verdict(outcome) is Verdict.FAILS
    assert soon.told_target() == "≤ 10.00 ms"
    assert much.verdict(outcome) is Verdict.HOLDS
    assert much.told_target() == "≥ 20,000 records/s"


def test_what_mappings_cost_is_told_as_ratios_of_the_rounds() -> None:
    rounds = {
        "first-line-early": (0.5, 0.5),
        "first-line-pace": (99.6, 99.6),
        "function-records": (30.0, 80.0),
        "function-invoked": (60.0, 80.0),
        "put-no-mapping": (100.0, 200.0),
        "put-idle-mapping": (99.0, 198.0),
        "put-mapped": (50.0, 120.0),
        "put-mapped-given": (5000.0, 5000.0),
    }
    outcome = Outcome({PENSTOCK: {name: list(values) for name, values in rounds.items()}})
    told = list(remarks(outcome))
    assert told[0].startswith(
        "Acknowledged write to the handler's first line: 100 writes/s, one at a time, and 0.5 % "
    )
    assert "given 0.75 times as many records a second as by Invoke" in told[1]
    assert "does 0.99 of what it does without one, and 0.55 while" in told[2]
    assert told[2].endswith("given to a function, 5,000 a second.")
    assert list(remarks(Outcome())) == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_whole_run_of_functions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = f"--only first-line,function --servers {PENSTOCK} --records 20000"
    sizes = f"--rounds 3 --seconds 1 --results {tmp_path / 'results'} --data {tmp_path / 'data'}"
    status = main([*asked.split(), *sizes.split()])
    said = capsys.readouterr().out
    assert status == 0, said
    (path,) = (tmp_path / "results").iterdir()
    kept = json.loads(path.read_text())
    assert kept["failures"] == [], said
    quantities = [each.name for each in (*FIRST_LINE.gives, *GIVEN_BY_MAPPING.gives)]
    assert list(kept["values"][PENSTOCK]) == quantities
    assert all(len(each["rounds"]) == 3 for each in kept["values"][PENSTOCK].values())
    assert kept["values"][PENSTOCK]["function-records"]["median"] > 0
    assert "By its mapping the function is given" in said
