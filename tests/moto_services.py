"""Stand-ins for AWS's services: moto's server in a process of its own, on a free port."""

import contextlib
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from server_process import clean_environment

START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 20.0
_READY = re.compile(r"Running on (http://127\.0\.0\.1:\d+)")


@contextlib.contextmanager
def moto_services(log: Path) -> Iterator[str]:
    """Run moto's server; the URL of all its services is given. What it says goes to `log`."""
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            env=clean_environment(),
        )
    try:
        yield _url(process, log)
    finally:
        process.terminate()
        process.wait(STOP_SECONDS_MAX)


def _url(process: "subprocess.Popen[bytes]", log: Path) -> str:
    deadline = time.monotonic() + START_SECONDS_MAX
    while (found := _READY.search(log.read_text("utf-8"))) is None:
        assert process.poll() is None, log.read_text("utf-8")
        assert time.monotonic() < deadline, f"not ready: {log.read_text('utf-8')}"
        time.sleep(0.02)
    return found[1]
