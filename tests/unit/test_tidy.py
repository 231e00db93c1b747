"""The repository's own checks find what they are there to find."""

from pathlib import Path
from typing import Any

import pytest

import check_base_only
import check_docs
import check_sizes
import check_surface
import fetch_pip
import lock
import settings_page
import setup_venv
from penstock.app.settings import Setting


def test_a_function_of_61_lines_is_too_long_and_one_of_60_is_not() -> None:
    body = "\n".join(["    pass"] * 59)
    assert list(check_sizes.oversized("src/a.py", f"def f():\n{body}\n")) == []
    assert list(check_sizes.oversized("src/a.py", f"def f():\n{body}\n    pass\n")) == [
        "src/a.py:1: function f has 61 lines, at most 60"
    ]


def test_a_docstring_does_not_count_to_the_length_of_its_function() -> None:
    text = 'async def f():\n    """One.\n\n    Two.\n    """\n' + "    pass\n" * 59
    assert list(check_sizes.oversized("src/a.py", text)) == []


def test_a_test_file_may_be_longer_than_a_source_file() -> None:
    text = "pass\n" * 501
    assert list(check_sizes.oversized("tests/unit/test_a.py", text)) == []
    assert list(check_sizes.oversized("src/a.py", text)) == ["src/a.py: 501 lines, at most 500"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("import time", "time"),
        ("from random import choice", "random"),
        ("from os import environ", "os.environ"),
        ("import os\nos.getenv('A')", "os.getenv"),
        ("import datetime\ndatetime.datetime.now()", "datetime.now"),
        ("from datetime import datetime as datetime\nnow = datetime.utcnow", "datetime.utcnow"),
    ],
)
def test_time_chance_and_environment_are_found_outside_base(text: str, what: str) -> None:
    assert [found for _, found in check_base_only.taken_elsewhere(text)] == [what]


def test_base_alone_may_take_them(tmp_path: Path) -> None:
    for name in ("base/clock.py", "edge/server.py"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("import time\n")
    assert list(check_base_only.problems_of(tmp_path)) == [
        "src/penstock/edge/server.py:1: time comes through penstock.base"
    ]


def test_what_only_looks_like_time_or_environment_is_left_alone() -> None:
    text = "from penstock.base import clock\nloop.time()\nself.clock.now_ms()\nos.fsync(3)\n"
    assert list(check_base_only.taken_elsewhere(text)) == []


def test_a_link_to_a_missing_file_or_heading_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(check_docs, "ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text("# One title\n[a](#one-title) [b](https://example.com/x) `[c](nowhere.md)`\n")
    assert list(check_docs.broken_links(page, page.read_text())) == []
    broken = "[d](missing.md) [e](#other) [f](page.md#one-title)"
    assert list(check_docs.broken_links(page, broken)) == [
        "page.md: the link missing.md leads nowhere",
        "page.md: page.md has no heading for #other",
    ]


def test_a_section_and_a_row_that_a_page_has_twice_are_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(check_docs, "ROOT", tmp_path)
    page = tmp_path / "page.md"
    table = "| what | why |\n|---|---|\n| a | b |\n"
    fine = f"# T\n## A\n### Logs\n{table}## B\n### Logs\n{table.replace('| a', '| c')}"
    assert list(check_docs.doubled(page, f"{fine}```sh\n## A\n```\n")) == []
    assert list(check_docs.doubled(page, f"{fine}## C\n{table}## A\n")) == [
        "page.md: twice on the page: | a | b |",
        "page.md: twice on the page: ## A",
    ]


def test_a_gap_and_a_wrong_name_among_the_decisions_are_found() -> None:
    assert list(check_docs.misnumbered(["0001-a.md", "0002-b-c.md"])) == []
    assert len(list(check_docs.misnumbered(["0001-a.md", "0003-b.md"]))) == 1
    assert len(list(check_docs.misnumbered(["0001-a.md", "0001-b.md"]))) == 1
    assert len(list(check_docs.misnumbered(["notes.md"]))) == 1


def test_a_version_without_its_section_in_the_changelog_is_found() -> None:
    assert list(check_docs.unlisted_version("## 1.2.0 - soon\n", "1.2.0")) == []
    assert list(check_docs.unlisted_version("## [1.2.0]\n", "1.2.0")) == []
    assert len(list(check_docs.unlisted_version("## 1.2.0\n", "1.3.0"))) == 1


def test_places_only_their_author_can_see_are_found() -> None:
    for private in ("/" + "home/me/notes", "http://" + "builder.corp/x"):
        assert len(list(check_docs.private_words("a.md", f"see {private}"))) == 1
    public = "GET /_penstock/health at http://127.0.0.1:8000, docs/home/page, $HOME/home/x"
    assert list(check_docs.private_words("a.md", public)) == []


def test_the_lock_is_bound_to_the_dependency_lists_and_not_to_the_rest() -> None:
    def described(version: str, dependency: str) -> dict[str, Any]:
        return {
            "build-system": {"requires": []},
            "project": {
                "dependencies": [dependency],
                "optional-dependencies": {},
                "requires-python": ">=3.11",
                "version": version,
            },
            "dependency-groups": {},
            "tool": {"uv": {}},
        }

    before = lock.inputs_digest(described("1", "a>=1"))
    assert lock.inputs_digest(described("2", "a>=1")) == before
    assert lock.inputs_digest(described("1", "a>=2")) != before


def test_the_run_lock_pins_pip_so_that_it_can_be_fetched() -> None:
    version, hashes = setup_venv.pip_pin(setup_venv.LOCKS["run"].read_text())
    assert version[0].isdigit()
    assert hashes


def test_a_finished_dev_environment_serves_run_and_a_changed_lock_does_not_serve(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(setup_venv, "VENV_PYTHON", Path(__file__))
    have = {"root": "/a", "python": "3.11 /usr", "project": "p", "run": "r", "dev": "d"}
    run_only = {key: have[key] for key in ("root", "python", "project", "run")}
    assert setup_venv.is_current(have, run_only)
    assert not setup_venv.is_current(run_only, have)
    assert setup_venv.is_base_of(run_only, have)
    assert not setup_venv.is_base_of({**have, "run": "older"}, have)
    assert not setup_venv.is_base_of({}, have)


@pytest.mark.parametrize("is_json", [True, False])
def test_pips_wheel_is_found_on_an_index_page_in_json_and_in_html(is_json: bool) -> None:
    name = "pip-26.3-py3-none-any.whl"
    page = (
        '{"files": [{"url": "../../files/pip-9.whl"}, {"url": "../../files/%s#sha256=0"}]}'
        if is_json
        else '<a href="../../files/pip-9.whl">x</a><a href="../../files/%s#sha256=0">y</a>'
    )
    found = fetch_pip._find_link("https://index.test/simple/pip/", page % name, is_json, name)
    assert found == f"https://index.test/files/{name}"


def test_pips_settings_come_from_the_environment_and_then_from_its_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "pip.conf"
    config.write_text("[global]\nindex-url = https://file.test/simple\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    assert fetch_pip.pip_setting("index-url") == "https://file.test/simple"
    monkeypatch.setenv("PIP_INDEX_URL", "https://variable.test/simple")
    assert fetch_pip.pip_setting("index-url") == "https://variable.test/simple"


def test_a_password_goes_to_the_index_only_and_never_in_the_address() -> None:
    index = "https://me:secret@index.test/simple"
    assert fetch_pip._with_login("https://files.test/x", index) == "https://files.test/x"
    request = fetch_pip._request(fetch_pip._with_login("https://index.test/x", index))
    assert "secret" not in request.full_url
    assert request.get_header("Authorization") is not None


def test_a_name_that_only_stands_inside_another_counts_as_undocumented() -> None:
    text = "`GetItem` reads; `penstock tail --json` follows"
    assert list(check_surface.undocumented(["GetItem", "penstock tail"], text)) == []
    assert len(list(check_surface.undocumented(["Get", "penstock"], "GetItem, penstock-data"))) == 2


def test_an_action_without_its_own_wire_test_is_found() -> None:
    assert list(check_surface.untested(["query"], ["test_query.py"])) == []
    assert len(list(check_surface.untested(["query"], ["test_query_pages.py"]))) == 1


def test_the_page_of_settings_has_a_row_for_each_with_its_flag_variable_and_default() -> None:
    setting = Setting("idle_seconds", int, "7", "seconds", "a or b")
    row = settings_page.page([setting]).splitlines()[-1]
    assert row == "| `--idle-seconds` | `PENSTOCK_IDLE_SECONDS` | `7` | seconds | a or b |"
