"""What is stored of a run, and the page and the picture that are made of it."""

import argparse
import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from rich.console import Console

from bench import page, plot, report, results
from bench.figures import FIGURES
from bench.servers import FLOOR, LOCAL_MEMORY, PENSTOCK
from unit.bench.outcomes import plan, stored_run, whole_run


def test_a_stored_run_has_rounds_medians_ratios_shares_and_verdicts(tmp_path: Path) -> None:
    kept = json.loads(results.write(stored_run(), tmp_path).read_text())
    assert kept["form"] == results.FORM
    assert kept["values"][PENSTOCK]["put"] == {
        "unit": "requests/s",
        "rounds": [4500, 9000, 27000],
        "median": 9000,
    }
    assert kept["ratios"]["put"][LOCAL_MEMORY] == 9
    assert kept["shares"]["put"] == {FLOOR: 0.25, "engine": 0.3}
    assert kept["servers"][PENSTOCK]["version"] == "0.1.0"
    assert {"system", "processors", "python", "file_system"} <= kept["machine"].keys()
    assert [each["title"] for each in kept["figures"]] == [each.title for each in FIGURES]
    assert {each["verdict"] for each in kept["figures"]} == {
        "holds",
        "does not hold",
        "not measured",
    }


def test_a_stored_run_is_read_back_whole(tmp_path: Path) -> None:
    path = results.write(stored_run(), tmp_path)
    assert results.outcome_of(results.read(path)) == whole_run()


def test_a_file_of_the_first_code_is_read_and_its_page_is_made() -> None:
    kept = stored_run()
    expected = page.generated(kept)
    del kept["ended"], kept["machine"]["file_system"]
    for each in kept["figures"]:
        del each["lowest"], each["highest"]
    kept["shares"] = {"put": {FLOOR: 0.9}}  # of medians: the page has its own of the rounds
    assert ", stores on ext4," in expected
    assert page.generated(kept) == expected.replace(", stores on ext4", "")


def test_an_interrupted_run_is_a_part(tmp_path: Path) -> None:
    kept = results.stored(plan(), whole_run(), 1, {}, is_interrupted=True)
    assert (kept["kind"], kept["ended"], stored_run()["ended"]) == (
        "part",
        "interrupted",
        "complete",
    )
    results.write(kept, tmp_path)
    assert results.newest_full(tmp_path) is None


def test_another_form_is_refused(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text('{"form": 0}')
    with pytest.raises(ValueError, match=r"old\.json has form 0"):
        results.read(tmp_path / "old.json")


def test_less_is_better_of_times_and_sizes() -> None:
    outcome = whole_run()
    outcome.add(LOCAL_MEMORY, "start", 2.1)
    assert results.ratios(outcome)["start"][LOCAL_MEMORY] == pytest.approx(3)


def test_the_page_is_of_the_newest_full_run_only(tmp_path: Path) -> None:
    assert results.newest_full(tmp_path) is None
    old, new = stored_run(), stored_run()
    old["at"], new["at"] = "2026-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00"
    results.write(old, tmp_path)
    wanted = results.write(new, tmp_path)
    results.write(stored_run(None, "--quick"), tmp_path)
    results.write(stored_run(None, "--only", "put"), tmp_path)
    assert results.newest_full(tmp_path) == wanted
    assert len(list(tmp_path.iterdir())) == 4


def test_what_was_measured_alone_since_the_full_run_is_told_below_it(tmp_path: Path) -> None:
    """Where its file was put among the parts; not what is older, or was interrupted."""
    full = stored_run()
    full["at"] = "2026-01-02T00:00:00+00:00"
    alone = stored_run(None, "--only", "put")
    alone["kind"], alone["at"], alone["commit"] = "part", "2026-01-03T00:00:00+00:00", "c0ffee"
    for name, at, ended in (("a", "01", "complete"), ("b", "03", "complete"), ("c", "04", "cut")):
        kept = alone | {"at": f"2026-01-{at}T00:00:00+00:00", "ended": ended, "commit": name}
        results.write(kept, tmp_path / "parts")
    results.write(alone, tmp_path)  # not put among the parts
    parts = results.kept_parts(tmp_path, full)
    assert [each["commit"] for each in parts] == ["b"]
    text = page.generated(full, parts)
    assert text.startswith(page.generated(full))
    since = text.removeprefix(page.generated(full))
    assert "since then" in since
    assert "2026-01-03 at commit b:" in since
    assert "not measured" not in since


def test_the_page_keeps_what_is_written_by_hand() -> None:
    written = f"before\n{page.BEGIN}\nold\n{page.END}\nafter\n"
    once = page.replaced(written, "new")
    assert once == f"before\n{page.BEGIN}\n\nnew\n{page.END}\nafter\n"
    assert page.replaced(once, "new") == once
    with pytest.raises(ValueError, match="marker"):
        page.replaced("no markers", "new")


def test_the_page_tells_every_figure_and_why_some_are_missing() -> None:
    text = page.generated(stored_run())
    for each in FIGURES:
        assert text.count(f"| {each.title} |") == 1
    first = "| durable PutItem with stream ÷ DynamoDB Local on disk | 30.0 | 30.0–30.0 | ≥ 25.0 |"
    assert f"{first} holds |" in text
    assert "| 0.70 s |  | ≤ 0.60 s | **does not hold** |" in text
    assert "because not part of this run: acknowledged write to receipt, median" in text
    assert "Penstock 0.1.0, DynamoDB Local, on disk 2.0" in text


def test_what_a_peer_cannot_do_is_told_on_the_page_and_in_the_terminal() -> None:
    outcome = whole_run()
    outcome.lack(LOCAL_MEMORY, "transact", "it does not know the action")
    outcome.lack("moto", "put", "told already, of the server as a whole")
    told = "TransactWriteItems of 4 (DynamoDB Local, in memory): it does not know the action"
    assert f"- {told}." in page.generated(stored_run(outcome)).splitlines()
    console = Console(record=True, width=200, file=io.StringIO())
    report.show(console, "full", outcome)
    said = console.export_text()
    assert f"not measured: {told}" in said
    assert "told already" not in said


def test_the_page_and_the_picture_are_written_and_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(page, "ROOT", tmp_path)
    monkeypatch.setattr(page, "PAGE", tmp_path / "performance.md")
    monkeypatch.setattr(page, "PICTURE", tmp_path / "performance.svg")
    page.PAGE.write_text(f"{page.BEGIN}\n{page.END}\n")
    folder = tmp_path / "results"
    assert page.run(argparse.Namespace(check=True, folder=folder)) == 0  # there is nothing to tell
    assert page.run(argparse.Namespace(check=False, folder=folder)) == 1
    results.write(stored_run(), folder)
    assert page.run(argparse.Namespace(check=True, folder=folder)) == 1
    assert "run `make bench-page`" in capsys.readouterr().out
    assert page.run(argparse.Namespace(check=False, folder=folder)) == 0
    assert page.run(argparse.Namespace(check=True, folder=folder)) == 0


def test_the_picture_has_a_bar_for_each_ratio_as_long_as_its_logarithm() -> None:
    ratios = {"put": {"a": 10.0, "b": 100.0, "c": 0.1}}
    root = ET.fromstring(plot.svg(ratios, {"put": "PutItem <&>"}, {}))
    space = "{http://www.w3.org/2000/svg}"
    ground, *bars = root.iter(f"{space}rect")
    widths = [float(bar.attrib["width"]) for bar in bars]
    assert widths[1] == pytest.approx(2 * widths[0], abs=0.2)
    assert float(bars[2].attrib["x"]) + widths[2] == pytest.approx(float(bars[0].attrib["x"]), 0.01)
    texts = {text.text for text in root.iter(f"{space}text")}
    assert {"PutItem <&>", "10×", "100×", "0.10×"} <= texts
    assert all(float(bar.attrib["x"]) > 0 for bar in bars)
    assert ground.attrib["width"] == str(plot.WIDTH)


def test_the_terminal_tells_each_reason_once_and_every_failure() -> None:
    outcome = whole_run()
    outcome.failures.append("Penstock, get: of 10 requests failed: 1 refused")
    outcome.asides.append("the log says [/] in /srv/x")
    console = Console(record=True, width=100, file=io.StringIO())
    report.show(console, "full", outcome)
    said = console.export_text()
    assert "the log says [/] in /srv/x" in said
    assert "80,000–480,000" in said
    assert max(len(line.rstrip()) for line in said.splitlines()) <= 100
    assert said.count("not measured: not part of this run") == 1
    assert "dynalite, in memory: node is not on this machine: install it" in said
    assert "FAILED Penstock, get: of 10 requests failed: 1 refused" in said
