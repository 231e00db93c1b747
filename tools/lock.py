"""Writes the lock files from pyproject.toml, or with `--check` tells whether they are up to date.

The first line of a lock names a digest of the dependency lists that it was made from, so the check
needs no network. Writing uses uv: exact versions with hashes, for every platform and Python at
once, and no address of any index.
"""

import hashlib
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "requirements"
OLDEST_PYTHON = "3.11"
RESOLVE_SECONDS_MAX = 300

EXTRAS = ["--extra", "demo", "--extra", "kafka", "--extra", "postgresql"]
ARGUMENTS = {
    "run": [*EXTRAS, "--group", "setup"],
    "dev": [*EXTRAS, "--group", "dev", "--constraint", "requirements/run.lock"],
}
PURPOSE = {
    "run": "to run Penstock over every engine, and its demo",
    "dev": "to develop Penstock, all of run.lock included",
}


def inputs_digest(described: dict[str, Any]) -> str:
    """Return a digest of everything in pyproject.toml that decides what a lock holds."""
    project = described["project"]
    kept = {
        "build-system": described["build-system"]["requires"],
        "dependencies": project["dependencies"],
        "dependency-groups": described["dependency-groups"],
        "extras": project["optional-dependencies"],
        "python": project["requires-python"],
        "uv": described["tool"]["uv"],
    }
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def current_digest() -> str:
    """Return the digest of pyproject.toml as it is now."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        return inputs_digest(tomllib.load(file))


def check() -> list[str]:
    """Return what is wrong with the locks, one line each."""
    expected = current_digest()
    pins = {level: read_pins(FOLDER / f"{level}.lock") for level in ARGUMENTS}
    problems = [
        f"requirements/{level}.lock was made from other dependency lists: run `make lock`"
        for level in ARGUMENTS
        if f"inputs: {expected}" not in (FOLDER / f"{level}.lock").read_text().split("\n", 1)[0]
    ]
    missing = sorted(pins["run"] - pins["dev"])
    return problems + [f"requirements/dev.lock lacks {pin} of run.lock" for pin in missing]


def read_pins(lock: Path) -> set[str]:
    """Return the `name==version` entries of a lock."""
    return set(re.findall(r"^[A-Za-z0-9][^\s;]*==[^\s;]+", lock.read_text(), re.MULTILINE))


def write(more: Sequence[str]) -> None:
    """Resolve anew; what is locked and still fits stays, unless `more` says --upgrade."""
    for level, arguments in ARGUMENTS.items():
        lock = FOLDER / f"{level}.lock"
        compile_lock(lock, [*arguments, *more])
        body = lock.read_text()
        purpose = f"# What is needed {PURPOSE[level]}. Written by `make lock`.\n"
        lock.write_text(f"# inputs: {current_digest()}\n{purpose}{body}")
        print(f"requirements/{level}.lock: {len(read_pins(lock))} packages")


def compile_lock(lock: Path, arguments: Sequence[str]) -> None:
    """Let uv write `lock`, without its header and without notes."""
    uv = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--quiet"]
    form = ["--universal", "--generate-hashes", "--no-header", "--no-annotate"]
    target = ["--python-version", OLDEST_PYTHON, "--output-file", str(lock.relative_to(ROOT))]
    subprocess.run(
        [*uv, *form, *target, *arguments], cwd=ROOT, check=True, timeout=RESOLVE_SECONDS_MAX
    )


def main(arguments: Sequence[str]) -> int:
    """Check with `--check`, else write; return the exit status."""
    if list(arguments) == ["--check"]:
        problems = check()
        print("\n".join(problems))
        return 1 if problems else 0
    write(arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
