"""Whoever follows a page of the documentation: its commands, and a shell to run them in."""

import os
import re
import select
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from server_process import ServerProcess
from wire.aws_cli import AWS

ENDPOINT = "http://127.0.0.1:8000"
SECONDS_MAX = 60
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r".*<<'EOF'\n(?s:.*?)^EOF\n|(?:.*\\\n)*.*\n", re.MULTILINE)
"""With what it reads (`<<'EOF'`), or with the lines that it goes on to by a backslash."""
_LOOK_SECONDS = 0.2


def blocks(page: str, heading: str) -> list[str]:
    """Return what a page has of the console below one of its headings."""
    (section,) = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    return _BLOCK.findall(section)


def steps(block: str) -> list[tuple[str, str]]:
    """Return the commands of a block, each with what the page says that it prints."""
    found = []
    for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command = _COMMAND.match(step)
        assert command is not None
        found.append((command[0].strip(), step[command.end() :]))
    return found


class Reader:
    """Whoever follows the page, in a directory of their own and with a server of their own."""

    def __init__(self, home: Path, server: ServerProcess) -> None:
        self.home = home
        self._url = server.url
        self._environment = {
            "PATH": f"{AWS.parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(home),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_PAGER": "",
        }

    def export(self, block: str) -> None:
        """Take the variables that a block exports."""
        for command, _ in steps(block):
            assert command.startswith("export ")
            for name, value in re.findall(r"(\w+)=(\S+)", command):
                self._environment[name] = value.replace(ENDPOINT, self._url)

    def run(self, script: str) -> str:
        """Return what commands print, which have to work."""
        done = subprocess.run(
            ["bash", "-euc", self._pointed(script)],
            cwd=self.home,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS_MAX,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @contextmanager
    def follow(self, command: str) -> Iterator[Callable[[str], None]]:
        """Run a command that does not end; what comes waits until it has printed a text."""
        process = subprocess.Popen(
            ["bash", "-euc", f"exec {self._pointed(command)}"],
            cwd=self.home,
            env=self._environment,
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        descriptor, printed = process.stdout.fileno(), b""

        def wait_for(text: str) -> None:
            nonlocal printed
            ends = time.monotonic() + SECONDS_MAX
            while text.encode() not in printed:
                ready, _, _ = select.select([descriptor], [], [], max(ends - time.monotonic(), 0))
                piece = os.read(descriptor, 65536) if ready else b""
                assert piece, f"{text!r} is not in {printed!r}"
                printed += piece

        try:
            yield wait_for
        finally:
            process.terminate()
            process.wait(SECONDS_MAX)
            process.stdout.close()

    def _pointed(self, script: str) -> str:
        """Return commands with Penstock's own clients pointed at the server."""
        script = script.replace(f"--endpoint-url {ENDPOINT}", f"--endpoint-url {self._url}")
        return re.sub(r"(penstock (?:logs|mappings)\b)", rf"\1 --endpoint-url {self._url}", script)

    def until(self, command: str, is_good: Callable[[str], bool]) -> str:
        """Run a command until what it prints is good, and return that."""
        ends = time.monotonic() + SECONDS_MAX
        while not is_good(printed := self.run(command)):
            assert time.monotonic() < ends, printed
            time.sleep(_LOOK_SECONDS)
        return printed
