"""Makes `.venv` out of the lock files: all that `make demo` (run) or `make test` (dev) needs.

PENSTOCK_VENV names another directory, so that each Python keeps its own.

Standard library only. Safe to interrupt (a half-made `.venv` is made again from the start), safe to
run twice at once (the second waits), and immediate when nothing changed: the stamp in `.venv` names
the Python, the locks and the package description that it was made from.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import tomllib
import venv
from collections.abc import Iterator, Sequence
from pathlib import Path

import fetch_pip

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / os.environ.get("PENSTOCK_VENV", ".venv")
VENV_PYTHON = VENV / "bin" / "python"
STAMP = VENV / "penstock-setup.json"
GUARD = VENV.with_name(f"{VENV.name}.guard")
LOCKS = {level: ROOT / "requirements" / f"{level}.lock" for level in ("run", "dev")}

WAIT_SECONDS_MAX = 1200
PIP_SECONDS_MAX = 900
QUICK_SECONDS_MAX = 60
OLDEST_PIP_FOR_OTHERS = (22, 3)  # the first with `--python`

Stamp = dict[str, str]


class SetupError(Exception):
    """The set-up cannot go on; the text is the one line that the user needs."""


def main(arguments: Sequence[str]) -> int:
    """Bring `.venv` to the level named by the only argument; return the exit status."""
    if len(arguments) != 1 or arguments[0] not in LOCKS:
        print("usage: bootstrap.py run|dev", file=sys.stderr)
        return 2
    try:
        set_up(arguments[0])
    except (SetupError, fetch_pip.PipUnavailableError) as error:
        print(f"set-up failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("set-up interrupted; the next make starts it again", file=sys.stderr)
        return 130
    return 0


def set_up(level: str) -> None:
    """Do what is missing, and nothing if nothing is."""
    wanted = wanted_stamp(level)
    if is_current(read_stamp(), wanted):
        return
    with one_at_a_time():
        have = read_stamp()
        if not is_current(have, wanted):
            build(level, have, wanted)


def wanted_stamp(level: str) -> Stamp:
    """Return what a finished `.venv` of `level` is made from."""
    stamp = {
        "root": str(ROOT),
        "python": f"{sys.version_info[0]}.{sys.version_info[1]} {sys.base_prefix}",
        "project": project_digest(),
        "run": digest(LOCKS["run"].read_bytes()),
    }
    if level == "dev":
        stamp["dev"] = digest(LOCKS["dev"].read_bytes())
    return stamp


def project_digest() -> str:
    """Return a digest of what the installed package's own metadata is made from."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        described = tomllib.load(file)
    kept = [described["project"], described["build-system"], described["tool"]["hatch"]]
    return digest(json.dumps(kept, sort_keys=True).encode())


def digest(content: bytes) -> str:
    """Return the SHA-256 of `content` in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def read_stamp() -> Stamp:
    """Return what `.venv` was made from; empty if there is none or it was not finished."""
    try:
        stamp = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in stamp.items()}


def is_current(have: Stamp, wanted: Stamp) -> bool:
    """Tell whether all that is wanted is there (a `dev` environment serves `run` as well)."""
    return VENV_PYTHON.exists() and wanted.items() <= have.items()


def is_base_of(have: Stamp, wanted: Stamp) -> bool:
    """Tell whether what is there can be added to, with nothing to take away."""
    kept = ("root", "python", "run")
    return (
        VENV_PYTHON.exists()
        and all(have.get(key) == wanted[key] for key in kept)
        and ("dev" not in have or have["dev"] == wanted.get("dev", have["dev"]))
    )


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold the set-up for this process; the kernel lets go of it however the process ends."""
    with GUARD.open("a") as guard:
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        is_told = False
        while True:
            try:
                fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise SetupError("another make has been setting up for too long") from None
            if not is_told:
                say(f"another make is setting up {VENV.name}; waiting for it")
                is_told = True
            time.sleep(0.2)
        os.set_inheritable(guard.fileno(), True)  # a pip that outlives us still holds the guard
        yield


def build(level: str, have: Stamp, wanted: Stamp) -> None:
    """Bring `.venv` from `have` to `wanted`; the stamp is written last."""
    started = time.monotonic()
    if not is_base_of(have, wanted):
        have = {}
        make_venv()
    write_stamp({})
    if not have:
        bring_pip()
    if have.get(level) != wanted[level]:
        install_lock(level)
    install_project()
    write_stamp({**have, **wanted})
    say(f"ready after {time.monotonic() - started:.0f} s")


def make_venv() -> None:
    """Make an empty `.venv` without pip, in place of an older one that is ours."""
    if VENV.exists():
        if not STAMP.exists():
            raise SetupError(f"{VENV.name} was not made by make; move it away, then try again")
        shutil.rmtree(VENV)
    say(f"making {VENV.name} with Python {sys.version.split()[0]}")
    VENV.mkdir()
    write_stamp({})
    venv.create(VENV, with_pip=False, symlinks=True)


def write_stamp(stamp: Stamp) -> None:
    """Replace the stamp in one step; an empty one says that `.venv` is ours but not finished."""
    fresh = STAMP.with_suffix(".new")
    fresh.write_text(json.dumps(stamp, indent=1, sort_keys=True))
    fresh.replace(STAMP)


def bring_pip() -> None:
    """Put the lock's pip into `.venv`, with whichever pip the machine has, else with its wheel."""
    version, hashes = pip_pin(LOCKS["run"].read_text())
    pin = VENV / "pip.txt"
    pin.write_text(f"pip=={version} " + " ".join(f"--hash=sha256:{each}" for each in hashes))
    arguments = ["install", "--quiet", "--no-deps", "--require-hashes", "-r", str(pin)]
    if has_pip_for_others():
        say(f"fetching pip {version} with this machine's pip")
        command = [sys.executable, "-m", "pip", "--python", str(VENV_PYTHON)]
    elif importlib.util.find_spec("ensurepip") is not None:
        say(f"fetching pip {version} with Python's own pip")
        run([str(VENV_PYTHON), "-m", "ensurepip"], "ensurepip", QUICK_SECONDS_MAX)
        command = [str(VENV_PYTHON), "-m", "pip"]
    else:
        say(f"fetching pip {version} as a wheel (this Python has none)")
        wheel = fetch_pip.fetch_pip(version, hashes, VENV)
        command = [str(VENV_PYTHON), str(wheel / "pip")]
        arguments = ["install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    run([*command, *arguments], "the installation of pip", PIP_SECONDS_MAX)
    for leftover in (pin, *VENV.glob("pip-*.whl")):
        leftover.unlink()


def pip_pin(lock: str) -> tuple[str, frozenset[str]]:
    """Return pip's version and its SHA-256 hashes (hex) from the text of a lock file."""
    entry = re.search(r"^pip==(\S+)((?:\s*\\\n\s+--hash=sha256:[0-9a-f]{64})+)", lock, re.MULTILINE)
    if entry is None:
        raise SetupError("requirements/run.lock does not pin pip; run `make lock`")
    return entry[1], frozenset(re.findall(r"sha256:([0-9a-f]{64})", entry[2]))


def has_pip_for_others() -> bool:
    """Tell whether this Python has a pip that can install into another environment."""
    if importlib.util.find_spec("pip") is None:
        return False
    answer = subprocess.run(
        [sys.executable, "-m", "pip", "--version"],
        capture_output=True,
        check=False,
        text=True,
        timeout=QUICK_SECONDS_MAX,
    )
    found = re.match(r"pip (\d+)\.(\d+)", answer.stdout)
    return found is not None and (int(found[1]), int(found[2])) >= OLDEST_PIP_FOR_OTHERS


def install_lock(level: str) -> None:
    """Install exactly what the lock names: wheels only, each held against its hash."""
    lock = LOCKS[level]
    count = len(re.findall(r"^[A-Za-z0-9]", lock.read_text(), re.MULTILINE))
    say(f"installing up to {count} packages from {lock.relative_to(ROOT)}")
    # The lock is complete, and --no-deps is what lets it leave out pandas (see pyproject, tool.uv).
    arguments = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", str(lock)]
    command = [str(VENV_PYTHON), "-m", "pip", "install", "--progress-bar", "off", *arguments]
    run(command, "the installation of packages", PIP_SECONDS_MAX, count)


def install_project() -> None:
    """Install the package itself, so that edits of the sources take effect at once."""
    say("installing penstock itself")
    arguments = ["--no-deps", "--no-build-isolation", "--no-index", "--editable", str(ROOT)]
    command = [str(VENV_PYTHON), "-m", "pip", "install", "--quiet", *arguments]
    run(command, "the installation of penstock", PIP_SECONDS_MAX)


def run(command: Sequence[str], what: str, seconds_max: float, packages: int = 0) -> None:
    """Run `command` within `seconds_max`; its output is shown only if it fails.

    With `packages`, lines of pip's output are counted and shown as progress.
    """
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=pip_environment(),
        close_fds=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    timer = threading.Timer(seconds_max, process.kill)
    timer.start()
    try:
        lines = follow(process, packages)
        status = process.wait()
    finally:
        timer.cancel()
        process.kill()
    if status != 0:
        print("".join(lines[-20:]), file=sys.stderr)
        late = f" (stopped after {seconds_max:.0f} s)" if status < 0 else ""
        raise SetupError(f"{what} ended with status {status}{late}; the reason is above")


def follow(process: subprocess.Popen[str], packages: int) -> list[str]:
    """Return the lines that `process` prints until it ends, showing progress over `packages`."""
    lines, seen = [], 0
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line)
        if packages and line.startswith("Collecting "):
            seen += 1
            show_progress(f"{seen} of up to {packages}: {line.split()[1]}", is_round=seen % 20 == 0)
        elif packages and line.startswith("Installing "):
            show_progress(f"{seen} fetched, unpacking", is_round=True)
    if packages and sys.stdout.isatty():
        print()
    return lines


def show_progress(text: str, *, is_round: bool) -> None:
    """Show where the installation is: one line that changes, or in a log some lines."""
    if sys.stdout.isatty():
        print(f"\r  {text:<70.70}", end="", flush=True)
    elif is_round:
        print(f"  {text}", flush=True)


def pip_environment() -> dict[str, str]:
    """Return the environment, with the user's settings of pip, made safe for `.venv`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in {"PYTHONPATH", "PYTHONHOME"}
    }
    fixed = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "PIP_USER": "0"}
    return {**kept, **fixed, "PYTHONUNBUFFERED": "1"}


def say(text: str) -> None:
    """Print one short line about the set-up."""
    print(f"set-up: {text}", flush=True)
