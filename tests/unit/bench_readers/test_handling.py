"""A function of a real server notes what a mapping, or Invoke, gives it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench import draining, handler, handling
from bench.api import ApiError
from bench.filling import create_table, stream_arn
from bench.handling import Notes
from bench.lambda_api import LambdaApi, Mapped
from unit.bench_readers.serving import HOST


@pytest.fixture
def api(port: int) -> Iterator[LambdaApi]:
    with LambdaApi(HOST, port) as found:
        yield found


def notes_of(api: LambdaApi, work: Callable[..., object], folder: Path) -> Notes:
    """Make a function of `work`; return what it notes."""
    api.create_function(work.__name__, work, folder / "notes")
    return Notes(folder / "notes")


def test_each_write_has_a_first_line_in_the_function(
    port: int, api: LambdaApi, tmp_path: Path
) -> None:
    create_table(HOST, port, "followed", streamed=True)
    notes = notes_of(api, handler.note_marks, tmp_path)
    arn = stream_arn(HOST, port, "followed")
    with api.mapping(Mapped(arn, "note_marks", 1000, "LATEST")):
        handling.await_mapping(HOST, port, "followed", notes)
        told = handling.first_line(HOST, port, "followed", notes, rate=50, seconds=0.5)
    assert told.count == 25
    assert told.median_ms <= told.p99_ms < 20_000


def test_a_function_is_given_the_same_by_its_mapping_as_by_invoke(
    port: int, api: LambdaApi, tmp_path: Path
) -> None:
    arn = draining.fill(HOST, port, "given", 60)
    notes = notes_of(api, handler.add_up, tmp_path)
    with api.mapping(Mapped(arn, "add_up", 1000, "TRIM_HORIZON")):
        mapped = handling.handled(notes, 60)
    assert handling.invoke_all(HOST, port, arn, "add_up", 60, 1000) == 60
    invoked = handling.handled(notes, 60)
    assert mapped.total == invoked.total == sum(range(60))
    assert mapped.per_second > 0 < invoked.per_second


def test_events_are_given_again_until_they_are_enough(
    port: int, api: LambdaApi, tmp_path: Path
) -> None:
    arn = draining.fill(HOST, port, "again", 40)
    notes = notes_of(api, handler.count, tmp_path)
    given = handling.invoke_all(HOST, port, arn, "count", 200, 5)
    lines = notes.await_news(lambda lines: sum(map(int, lines)) >= given)
    assert sum(map(int, lines)) == given
    assert len(lines) == 4 * 10  # by as many clients as shards: 200 / (4 x 5) each
    assert all(1 <= int(line) <= 5 for line in lines)


def test_a_function_that_is_not_there_is_told(api: LambdaApi) -> None:
    with pytest.raises(ApiError, match=r"nowhere/invocations: 404"):
        api.invoke("nowhere", b"{}")
