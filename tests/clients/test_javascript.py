"""The AWS SDK for JavaScript v3 and ElectroDB: every check of the program in `javascript/`.

The program runs once, tells each check in a line of JSON, and each is a test here.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from clients.node_project import INSTALL_SECONDS_MAX, checks, installed_packages, run_program

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2 * INSTALL_SECONDS_MAX)]


@pytest.fixture(scope="module")
def packages() -> Path:
    """The installed packages."""
    return installed_packages()


@pytest.fixture(scope="module")
def told(
    packages: Path, endpoint: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, Any]]:
    """What the program says of each check."""
    done = run_program(packages, tmp_path_factory.mktemp("program"), endpoint)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {line["check"]: line for line in lines}


@pytest.mark.parametrize("name", checks())
def test_javascript(told: dict[str, dict[str, Any]], name: str) -> None:
    assert told[name]["ok"], told[name]["error"]


def test_every_check_of_the_program_is_judged(told: dict[str, dict[str, Any]]) -> None:
    assert sorted(told) == sorted(checks())
    assert len(told) > 10
