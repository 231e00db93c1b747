"""The process of one worker: started, watched and ended without the loop waiting for it.

A thread starts it and waits for its end, and lives as long as it does: Linux ends the process when
that thread ends, and so when the server is killed (see `launcher`).
"""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from penstock.functions.process_tree import kill_strays, kill_tree, resident_bytes

_SIGNAL_NAMES: Final[Mapping[int, str]] = {
    signal.SIGABRT: "aborted",
    signal.SIGALRM: "alarm clock",
    signal.SIGBUS: "bus error",
    signal.SIGFPE: "floating point exception",
    signal.SIGHUP: "hangup",
    signal.SIGILL: "illegal instruction",
    signal.SIGINT: "interrupt",
    signal.SIGKILL: "killed",
    signal.SIGPIPE: "broken pipe",
    signal.SIGQUIT: "quit",
    signal.SIGSEGV: "segmentation fault",
    signal.SIGTERM: "terminated",
    signal.SIGTRAP: "trace/breakpoint trap",
}
"""As AWS tells them, which are Go's names."""


class Start(NamedTuple):
    """How a process is to be started."""

    arguments: list[str]
    environment: Mapping[str, str]
    code: Path
    """Its working directory."""
    own: Path
    """The directory that is made for it, and removed after it."""
    marks: tuple[str, ...]
    """What is in the environment of nothing but it and what it has started, all together."""


class WorkerProcess:
    """One process; `on_output` is called as soon as its output can be read, `on_end` once.

    Both on the loop's thread. `on_end` is given the exit status as `subprocess` tells it, or the
    error where it could not be started at all. OSError where there can be no thread for it.
    """

    def __init__(
        self,
        start: Start,
        on_output: Callable[[int], None],
        on_end: Callable[[int | OSError], None],
    ) -> None:
        self.has_ended = False
        self._start = start
        self._on_output, self._on_end = on_output, on_end
        self._loop = asyncio.get_running_loop()
        self._pid: int | None = None
        self._is_waited_for = False
        self._is_unwanted = False
        self._lock = threading.Lock()
        try:
            threading.Thread(target=self._live, name="worker", daemon=True).start()
        except RuntimeError as error:  # as many as the machine allows
            raise OSError(str(error)) from error

    def kill(self) -> None:
        """Kill it and all that it has started; safe at any time."""
        with self._lock:
            self._is_unwanted = True
            if self._pid is not None:
                kill_tree(self._pid, lambda: self._is_waited_for)

    def resident_bytes(self, *, alone: bool = False) -> int:
        """Return the memory that it holds, and unless `alone` what it has started."""
        if self._pid is None or self._is_waited_for:
            return 0
        return resident_bytes(self._pid, alone=alone)

    def _live(self) -> None:
        """Start the process and wait for its end, on a thread of its own."""
        end: int | OSError
        try:
            end = self._run()
        except OSError as error:
            end = error
        except Exception as error:  # noqa: BLE001 - what no process can be given, as U+0000
            end = OSError(str(error))
        self._tell(self._ended, end)
        kill_strays([mark.encode() for mark in self._start.marks])
        shutil.rmtree(self._start.own, ignore_errors=True)

    def _run(self) -> int:
        self._start.own.mkdir(parents=True)
        readable, writable = os.pipe()
        try:
            with self._lock:
                if self._is_unwanted:
                    raise OSError("it was not wanted any more")
                process = self._popen(writable)
                self._pid = process.pid
        except BaseException:
            os.close(readable)
            raise
        finally:
            os.close(writable)
        os.set_blocking(readable, False)
        if not self._tell(self._on_output, readable):
            os.close(readable)
            self.kill()
        return self._await_end(process)

    def _await_end(self, process: "subprocess.Popen[bytes]") -> int:
        """Wait for its end, and end what is left of its group.

        Where it can, it sees the end before it waits for it: until then the number is its own.
        """
        if not hasattr(os, "waitid"):  # as on macOS up to Python 3.12
            status = process.wait()
            with self._lock:
                self._is_waited_for = True
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
            return status
        with contextlib.suppress(ChildProcessError):  # another has waited for all there are
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            with self._lock:
                kill_tree(process.pid, lambda: False)
        with self._lock:
            self._is_waited_for = True
            return process.wait()

    def _popen(self, output: int) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(  # noqa: S603 - this is what workers are for
            self._start.arguments,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=self._start.code,
            env=dict(self._start.environment),
            start_new_session=True,
            close_fds=True,
        )

    def _ended(self, end: int | OSError) -> None:
        self.has_ended = True
        self._on_end(end)

    def _tell(self, call: Callable[[Any], None], value: object) -> bool:
        """Have the loop call it; say whether there still is a loop."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(call, value)
            return True
        return False


def exit_text(status: int) -> str:
    """Return how AWS tells an exit status: of a process that ended, or was ended by a signal."""
    if status == 0:
        return "Runtime exited without providing a reason"
    if status > 0:
        return f"Runtime exited with error: exit status {status}"
    number = -status
    name = _SIGNAL_NAMES.get(number, f"signal {number}")
    return f"Runtime exited with error: signal: {name}"
