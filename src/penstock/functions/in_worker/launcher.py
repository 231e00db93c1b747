"""The first thing that runs in a worker's process: sets its limits, then becomes the runtime.

Run as a script by any Python from 3.9 on, of which it takes the standard library alone:

    launcher.py PARENT BYTES FILES exec PROGRAM ARGUMENT...
    launcher.py PARENT BYTES FILES python HANDLER FOLDER

PARENT is the process that started it, with which it ends. BYTES is how much memory it may have of
its own, FILES how many open files. `exec` becomes a program; `python` runs AWS's runtime interface
client, which is in FOLDER where it cannot be imported otherwise, for the code in the current
directory.
"""

import os
import resource
import sys

_SET_DEATH_SIGNAL = 1
_SET_CHILD_SUBREAPER = 36
_KILL = 9
_NOBODY_IS_HERE = 70  # the exit status where the parent has gone before


def _bind_to(parent: int) -> None:
    """End with `parent`, and be the parent of whatever loses its own, so that it is found."""
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 - takes a while, and is of use on Linux alone

        libc = ctypes.CDLL(None)
        libc.prctl(_SET_DEATH_SIGNAL, _KILL, 0, 0, 0)
        libc.prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    if os.getppid() != parent:  # it has gone before it could tell
        sys.exit(_NOBODY_IS_HERE)


def _limit(name: int, most: int) -> None:
    """Set a limit, or a lower one that this process has already."""
    hard = resource.getrlimit(name)[1]
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(name, (most, most))


def _run_python(handler: str, folder: str) -> None:
    """Run the handler as `python -m awslambdaric` does in the current directory."""
    sys.path[0] = os.getcwd()  # noqa: PTH109 - pathlib takes a while to import
    try:
        import awslambdaric  # noqa: F401, PLC0415 - of the interpreter, or of the function's code
    except ImportError:
        sys.path.append(folder)
    try:
        import runtime_client  # noqa: F401, PLC0415 - the compiled half of it
    except ImportError:
        import importlib.util  # noqa: PLC0415

        here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "runtime_client.py")  # noqa: PTH100, PTH118, PTH120 - as above
        spec = importlib.util.spec_from_file_location("runtime_client", here)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["runtime_client"] = module
        spec.loader.exec_module(module)
    from awslambdaric.__main__ import main  # noqa: PLC0415

    sys.argv = ["awslambdaric", handler]
    main(sys.argv)


def _main(arguments: "list[str]") -> None:
    parent, data_bytes, files, kind, *rest = arguments
    _bind_to(int(parent))
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, int(files))
    if sys.platform == "linux":
        _limit(resource.RLIMIT_DATA, int(data_bytes))
    if kind == "exec":
        os.execv(rest[0], rest)  # noqa: S606 - what this is for
    _run_python(*rest)


if __name__ == "__main__":
    _main(sys.argv[1:])
