"""The page docs/testing.md does what it says: its tests are run, its failures come out as shown.

A block of Python begins with a comment that names its file. A block of text after it is what pytest
says of the failure in that file; the tests of all others pass.
"""

import inspect
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from penstock.testing import plugin

pytest_plugins = ["pytester"]

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "testing.md").read_text("utf-8")
_BLOCK = re.compile(
    r"^```(python|ini)\n# (\S+)\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL
)
_CONFIGURATION = ("conftest.py", "pytest.ini")
_SECONDS_MAX = 100


class Block(NamedTuple):
    """A file of the page, and the failure that it has, if it has one."""

    name: str
    body: str
    failure: str


BLOCKS = [Block(name, body, failure) for _, name, body, failure in _BLOCK.findall(PAGE)]
FAILING = [block for block in BLOCKS if block.failure]
PASSING = [block for block in BLOCKS if not block.failure and block.name not in _CONFIGURATION]


def write(pytester: pytest.Pytester, *blocks: Block) -> None:
    for block in blocks:
        (pytester.path / block.name).write_text(block.body, "utf-8")


def block_of(name: str) -> Block:
    return next(block for block in BLOCKS if block.name == name)


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_subprocess("-W", "error", *arguments, timeout=_SECONDS_MAX)


def test_every_block_of_code_has_a_file_of_its_own() -> None:
    names = [block.name for block in BLOCKS]
    assert (
        len(names) == len(set(names)) == len(re.findall(r"^```(?:python|ini)$", PAGE, re.MULTILINE))
    )
    assert len(FAILING) == len(re.findall(r"^```text$", PAGE, re.MULTILINE))


def test_every_test_that_the_page_shows_as_passing_passes(pytester: pytest.Pytester) -> None:
    write(pytester, *PASSING)
    tests = sum(len(re.findall(r"^def test_", block.body, re.MULTILINE)) for block in PASSING)
    assert tests >= 7
    run(pytester).assert_outcomes(passed=tests)


@pytest.mark.parametrize("block", FAILING, ids=lambda block: block.name)
def test_every_failure_reads_as_the_page_shows_it(pytester: pytest.Pytester, block: Block) -> None:
    """The careless consumer, which never sees the children of a shard, among them."""
    write(pytester, block_of("consumer.py"), block)
    result = run(pytester, block.name)
    result.assert_outcomes(failed=1)
    said = "\n".join(line.rstrip() for line in result.outlines)
    assert block.failure in said + "\n"


@pytest.mark.parametrize(
    ("name", "engine", "shards"), [("pytest.ini", "memory", 2), ("conftest.py", "rocksdb", 8)]
)
def test_the_settings_shown_are_those_of_the_server(
    pytester: pytest.Pytester, name: str, engine: str, shards: int
) -> None:
    write(pytester, block_of(name), block_of("test_first.py"))
    pytester.makepyfile(
        test_settings=f"""
        import urllib.request

        def test_settings(penstock_server, penstock_table, penstock_streams):
            with urllib.request.urlopen(penstock_server.url + "/_penstock/health") as answer:
                assert b"{engine}" in answer.read()
            stream = penstock_streams.describe_stream(StreamArn=penstock_table.latest_stream_arn)
            assert len(stream["StreamDescription"]["Shards"]) == {shards}
        """
    )
    run(pytester).assert_outcomes(passed=2)


def test_the_table_of_fixtures_lists_all_of_them() -> None:
    made = {name for name, value in inspect.getmembers(plugin) if name.startswith("penstock_")}
    rows = [line for line in PAGE.splitlines() if line.startswith("| `penstock_")]
    assert {
        name for row in rows for name in re.findall(r"`(penstock_\w+)`", row.split("|")[1])
    } == made


def test_the_test_in_the_readme_passes(pytester: pytest.Pytester) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    (body,) = (block for block in blocks if "def test_" in block)
    pytester.makepyfile(body)
    run(pytester).assert_outcomes(passed=1)
