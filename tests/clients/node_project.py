"""The npm project `javascript/`: its packages installed once, and its program run against a server.

The packages go into `.cache` of the checkout, in a directory named by a digest of their lock.
"""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from clients.build_cache import CACHE, made_once

PROJECT = Path(__file__).resolve().parent / "javascript"
NODE_OLDEST = 20
INSTALL_SECONDS_MAX = 200
RUN_SECONDS_MAX = 200

NO_REGISTRY = re.compile(
    r"\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT"
    r"|ERR_SOCKET_TIMEOUT|EIDLETIMEOUT|E401|E403|E404|E5\d\d)\b"
)
"""How npm names what a registry that is absent, closed or without these packages fails with."""


def checks() -> list[str]:
    """Return the names of the checks of the program, in the order of its files."""
    texts = [path.read_text() for path in sorted(PROJECT.glob("*_checks.js"))]
    return [name for text in texts for name in re.findall(r'^check\("([^"]+)"', text, re.MULTILINE)]


def installed_packages() -> Path:
    """Return the `node_modules` of the locked packages; skip where they are not to be had."""
    _need_node()
    return made_once("javascript", [PROJECT / "package-lock.json"], "node_modules", _install)


def run_program(packages: Path, directory: Path, url: str) -> subprocess.CompletedProcess[str]:
    """Run the program against the server at `url`, from a copy in `directory`."""
    program = directory / "javascript"
    shutil.copytree(PROJECT, program)
    (program / "node_modules").symlink_to(packages, target_is_directory=True)
    return subprocess.run(
        ["node", "--no-warnings", "main.js", url],
        cwd=program,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS_MAX,
        check=False,
    )


def _need_node() -> None:
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is absent")
    told = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    if int(told.lstrip("v").split(".")[0]) < NODE_OLDEST:
        pytest.skip(f"node {told.strip()} is older than {NODE_OLDEST}, which the clients need")


def _install(place: Path) -> None:
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="javascript-new-") as fresh:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(PROJECT / name, fresh)
        quick = ["--fetch-retries=1", "--fetch-timeout=30000"]
        try:
            done = subprocess.run(
                ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", *quick],
                cwd=fresh,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=INSTALL_SECONDS_MAX,
                check=False,
            )
        except subprocess.TimeoutExpired:
            pytest.skip(f"npm ci did not end in {INSTALL_SECONDS_MAX} s")
        if done.returncode != 0 and (found := NO_REGISTRY.search(done.stderr)):
            pytest.skip(f"npm has no registry to install from: {found[0]}")
        assert done.returncode == 0, done.stderr
        Path(fresh, "node_modules").rename(place)
