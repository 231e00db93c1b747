"""Maven projects, such as `java/`: built once with their libraries, and run as processes.

What Maven builds goes into `.cache` of the checkout, in a directory named by a digest of its
sources; from then on nothing is asked of a registry.
"""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from clients.build_cache import CACHE, made_once

PROJECT = Path(__file__).resolve().parent / "java"
JAVA_OLDEST = 17
BUILD_SECONDS_MAX = 300
VERSION_SECONDS_MAX = 20

NO_REGISTRY = re.compile(
    r"Could not (?:transfer|find) artifact [^\s]+|Unknown host|Connection (?:refused|timed out)"
    r"|Network is unreachable|Cannot access \S+ .{0,20}in offline mode"
)
"""How Maven tells that a registry is absent, closed or without these libraries."""

LOG_WARNINGS = (
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.apache.commons.logging.Log=org.apache.commons.logging.impl.SimpleLog",
    "-Dorg.apache.commons.logging.simplelog.defaultlog=warn",
)
QUICK_START = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


def built_project(project: Path = PROJECT) -> Path:
    """Return Maven's `target` of a project; skip where it is not to be had."""
    _need_java()
    sources = sorted(path for path in project.rglob("*") if path.is_file())
    return made_once(project.name, sources, "target", lambda place: _build(project, place))


def command(target: Path, main_class: str, *arguments: str) -> list[str]:
    """Return the command line of a main class of a project; it logs warnings on stderr."""
    path = f"{target / 'classes'}:{target / 'libraries'}/*"
    return ["java", *QUICK_START, *LOG_WARNINGS, "-cp", path, main_class, *arguments]


def _need_java() -> None:
    for program in ("java", "javac", "mvn"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is absent")
    told = subprocess.run(
        ["javac", "-version"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,  # where Java 8 tells it
        text=True,
        timeout=VERSION_SECONDS_MAX,
        check=True,
    ).stdout
    found = re.search(r"^javac (\d+)\S*", told, re.MULTILINE)
    assert found is not None, told
    if int(found[1]) < JAVA_OLDEST:
        pytest.skip(f"{found[0]} is older than {JAVA_OLDEST}, which the program needs")


def _build(project: Path, place: Path) -> None:
    with tempfile.TemporaryDirectory(dir=CACHE, prefix=f"{project.name}-new-") as fresh:
        shutil.copytree(project, fresh, dirs_exist_ok=True)
        try:
            done = subprocess.run(
                ["mvn", "-B", "-q", "-ntp", "compile", "dependency:copy-dependencies"],
                cwd=fresh,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=BUILD_SECONDS_MAX,
                check=False,
            )
        except subprocess.TimeoutExpired:
            pytest.skip(f"mvn did not end in {BUILD_SECONDS_MAX} s")
        if done.returncode != 0 and (found := NO_REGISTRY.search(done.stdout)):
            pytest.skip(f"mvn has no registry to build from: {found[0]}")
        assert done.returncode == 0, done.stdout
        Path(fresh, "target").rename(place)
