"""Installs the open peers once, into `.cache` of the checkout, from their locked packages.

Each place is named by a digest of its lock, is made beside it and moved there when it is complete,
so that neither an interruption nor a second run at the same time leaves half of it.
"""

import fcntl
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.processes import ChildFailed, run
from bench.trouble import Trouble

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
PEERS = Path(__file__).resolve().parent / "peers"
NODE_OLDEST = 20
INSTALL_SECONDS_MAX = 300.0
ASK_SECONDS_MAX = 20.0


class Missing(Trouble):
    """Something that a server needs is not there; the text says what, and how to give it."""


def node_packages() -> Path:
    """Return the `node_modules` with dynalite. Raises Missing."""
    for program in ("node", "npm"):
        need_program(program, f"install Node {NODE_OLDEST} or newer with npm")
    told = subprocess.run(
        ["node", "--version"], capture_output=True, text=True, timeout=ASK_SECONDS_MAX, check=False
    ).stdout.strip()
    found = re.match(r"v(\d+)", told)
    if found is None or int(found[1]) < NODE_OLDEST:
        raise Missing(f"node is {told or 'mute'}, needed is {NODE_OLDEST} or newer")
    return _made_once("bench-node", PEERS / "package-lock.json", "node_modules", _install_node)


def python_packages() -> Path:
    """Return the Python of the environment with moto and MiniStack. Raises Missing."""
    lock = PEERS / "requirements.lock"
    place = _made_once("bench-python", lock, "environment", _install_python)
    return place / "bin" / "python"


def need_program(name: str, remedy: str) -> str:
    """Return where a program is. Raises Missing with the `remedy` where it is nowhere."""
    path = shutil.which(name)
    if path is None:
        raise Missing(f"{name} is not on this machine: {remedy}")
    return path


def locked_node_version(name: str) -> str:
    """Return the version of a package in package-lock.json."""
    lock = (PEERS / "package-lock.json").read_text()
    found = re.search(rf'"node_modules/{re.escape(name)}": {{\s*"version": "([^"]+)"', lock)
    return found[1] if found else "unknown"


def locked_python_version(name: str) -> str:
    """Return the version of a package in requirements.lock."""
    lock = (PEERS / "requirements.lock").read_text()
    found = re.search(rf"^{re.escape(name)}==([^\s;]+)", lock, re.MULTILINE)
    return found[1] if found else "unknown"


def _made_once(name: str, lock: Path, content: str, make: Callable[[Path], Path]) -> Path:
    """Return the place of what `make`, given an empty folder, has made of what `lock` names.

    The last part of its name stays as it was made: programs of node look for `node_modules`.
    """
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    place = CACHE / f"{name}-{digest}-{version}" / content
    with _one_at_a_time(name):
        if not place.exists():
            place.parent.mkdir(exist_ok=True)
            with tempfile.TemporaryDirectory(dir=CACHE, prefix=f"{name}-new-") as fresh:
                try:
                    made = make(Path(fresh))
                except ChildFailed as failure:
                    last_line = failure.detail.splitlines()[-1:]
                    raise Missing(
                        f"could not be installed: its installer {failure}", "".join(last_line)
                    ) from failure
                made.rename(place)
    return place


@contextmanager
def _one_at_a_time(name: str) -> Iterator[None]:
    CACHE.mkdir(exist_ok=True)
    with (CACHE / f"{name}.guard").open("a") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        yield


def _install_node(fresh: Path) -> Path:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(PEERS / name, fresh)
    quick = ["--fetch-retries=1", "--fetch-timeout=30000"]
    flags = ["--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(fresh)]
    run(["npm", "ci", *flags, *quick], fresh / "npm.log", INSTALL_SECONDS_MAX)
    return fresh / "node_modules"


def _install_python(fresh: Path) -> Path:
    environment = fresh / "environment"
    log = fresh / "pip.log"
    run([sys.executable, "-m", "venv", "--without-pip", str(environment)], log, ASK_SECONDS_MAX * 3)
    python = environment / "bin" / "python"
    safe = ["--require-hashes", "--no-deps", "--only-binary=:all:", "--disable-pip-version-check"]
    lock = ["-r", str(PEERS / "requirements.lock")]
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    run([*pip, *safe, *lock], log, INSTALL_SECONDS_MAX)
    return environment
