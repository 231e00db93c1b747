"""What a function's runtime runs on here: which interpreter, and where AWS's client for it is.

Looking takes a process or two the first time; what was found is kept, and that another Python is
not there. Programs of functions' runtimes are taken from the PATH of the server.
"""

import importlib.util
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import NamedTuple

import msgspec

from penstock.base import limits
from penstock.functions.worker_spec import WorkerSpec

_LAUNCHER = str(Path(__file__).parent / "in_worker" / "launcher.py")
_PYTHON = re.compile(r"python(3\.[0-9]{1,2})")
_NODE = re.compile(r"nodejs([0-9]{1,2})\.x")
_RIC = Path("aws-lambda-ric", "bin", "index.mjs")
_OWN_VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"

_ASK_PYTHON = """
import json, os, sys, awslambdaric
folder = os.path.dirname(os.path.dirname(os.path.abspath(awslambdaric.__file__)))
print(json.dumps([sys.executable, "%d.%d" % sys.version_info[:2], folder]))
"""


class CannotRun(Exception):
    """No worker can run this function here; the text says what is missing."""


class InvalidEntrypoint(Exception):
    """The function's code has nothing that can be started; the text is AWS's."""


class Command(NamedTuple):
    """How a worker's process is started."""

    program: str
    """An interpreter of Python, which runs the launcher."""
    flags: tuple[str, ...]
    kind: str
    """`exec` or `python`: what the launcher becomes."""
    rest: tuple[str, ...]
    folder: Path
    """Where the runtime is."""
    notice: str | None = None
    """What the function's log is told, where it runs on something else than it asked for."""

    def arguments(self, parent: int, data_bytes: int) -> list[str]:
        """Return all arguments; `parent` is the server's process id."""
        told = (str(parent), str(data_bytes), str(limits.worker_open_files_max))
        return [self.program, *self.flags, _LAUNCHER, *told, self.kind, *self.rest]


class _Python(NamedTuple):
    program: str
    version: str
    folder: str


class Runtimes:
    """What there is on this machine for the runtimes of functions; for any number of threads."""

    def __init__(self, search_path: str, node_ric: Path | None = None) -> None:
        self.search_path = search_path
        self._node_ric = node_ric
        self._lock = threading.Lock()
        self._pythons: dict[str, _Python | None] = {}
        self._node: tuple[str, int] | None = None
        self._global_modules: Path | None = None

    def command(self, spec: WorkerSpec) -> Command:
        """Return how to start a worker; blocks. CannotRun, InvalidEntrypoint."""
        if spec.runtime.startswith("provided"):
            return self._bootstrap(spec)
        with self._lock:
            if found := _PYTHON.fullmatch(spec.runtime):
                return self._python(spec, found[1])
            if found := _NODE.fullmatch(spec.runtime):
                return self._javascript(spec, int(found[1]))
        raise CannotRun(
            f"Penstock has nothing to run {spec.runtime} on: it runs python3.x, nodejs and, with an"
            " executable named bootstrap, the provided runtimes"
        )

    def _bootstrap(self, spec: WorkerSpec) -> Command:
        path = spec.code / "bootstrap"
        if not shutil.which(str(path)):  # which says whether it may be executed
            raise InvalidEntrypoint(f"Couldn't find valid bootstrap(s): [{path}]")
        return _executing((str(path),), spec.code, None)

    # --- Python

    def _python(self, spec: WorkerSpec, version: str) -> Command:
        python = self._python_of(version)
        notice = None
        if python is None:
            python = self._python_of(_OWN_VERSION)
            notice = (
                f"There is no python{version} with awslambdaric on PATH:"
                f" this function runs on Python {_OWN_VERSION}"
            )
        if python is None:
            raise CannotRun(
                "functions in Python need the package awslambdaric: install penstock[functions]"
            )
        rest = (spec.handler, python.folder)
        return Command(
            python.program, ("-B", "-s"), "python", rest, Path(python.folder), notice=notice
        )

    def _python_of(self, version: str) -> _Python | None:
        known = self._pythons.get(version)
        if known is None and (version == _OWN_VERSION or version not in self._pythons):
            self._pythons[version] = self._look_for_python(version)
        return self._pythons[version]

    def _look_for_python(self, version: str) -> _Python | None:
        if version == _OWN_VERSION:
            importlib.invalidate_caches()  # it may just have been installed
            found = importlib.util.find_spec("awslambdaric")
            if found is None or found.origin is None:
                return None
            return _Python(sys.executable, version, str(Path(found.origin).parent.parent))
        program = shutil.which(f"python{version}", path=self.search_path)
        if program is None:
            return None
        try:
            told = _ask([program, "-c", _ASK_PYTHON])
            python = _Python(*msgspec.json.decode(told, type=tuple[str, str, str]))
        except (CannotRun, msgspec.MsgspecError):
            return None
        return python if python.version == version else None

    # --- Node.js

    def _javascript(self, spec: WorkerSpec, major: int) -> Command:
        program, version = self._find_node()
        client = self._client_of(spec)
        notice = None
        if version != major:
            notice = f"Node {major} is not the node on PATH: this function runs on Node {version}"
        # What AWS gives V8: its old objects may take nine tenths of the memory.
        heap = f"--max-old-space-size={max(1, spec.memory_mb * 9 // 10)}"
        return _executing((program, heap, str(client), spec.handler), client.parent.parent, notice)

    def _find_node(self) -> tuple[str, int]:
        if self._node is None:
            program = shutil.which("node", path=self.search_path)
            if program is None:
                raise CannotRun("functions in JavaScript need node on PATH, and there is none")
            version = re.match(r"v([0-9]+)", _ask([program, "--version"]))
            if version is None:
                raise CannotRun(f"{program} does not say its version")
            self._node = (program, int(version[1]))
        return self._node

    def _client_of(self, spec: WorkerSpec) -> Path:
        """Return AWS's client for Node: the setting's, the function's own, or npm's global one."""
        if self._node_ric is not None:
            for below in ("", "bin/index.mjs", f"node_modules/{_RIC}", str(_RIC)):
                if (self._node_ric / below).is_file():
                    return self._node_ric / below
            raise CannotRun(f"--node-ric: there is no aws-lambda-ric at {self._node_ric}")
        own = spec.code / "node_modules" / _RIC
        if own.is_file():
            return own
        shared = self._npm_modules()
        if shared is not None and (shared / _RIC).is_file():
            return shared / _RIC
        raise CannotRun(
            "functions in JavaScript need aws-lambda-ric: install it with the function's modules,"
            " or with `npm install --global aws-lambda-ric`, or name its directory with --node-ric"
        )

    def _npm_modules(self) -> Path | None:
        if self._global_modules is None:
            npm = shutil.which("npm", path=self.search_path)
            if npm is None:
                return None
            try:
                self._global_modules = Path(_ask([npm, "root", "--global"]).strip())
            except CannotRun:
                return None
        return self._global_modules


def _executing(rest: tuple[str, ...], folder: Path, notice: str | None) -> Command:
    """Return a command that becomes a program; the launcher itself needs next to nothing."""
    return Command(sys.executable, ("-I", "-S"), "exec", rest, folder, notice=notice)


def _ask(arguments: list[str]) -> str:
    """Return what a program prints; CannotRun where it fails or takes too long."""
    try:
        done = subprocess.run(  # noqa: S603 - programs found on PATH
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=True,
            timeout=limits.worker_interpreter_seconds_max,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotRun(f"{arguments[0]} does not run: {error}") from error
    return done.stdout.decode("utf-8", "replace")
