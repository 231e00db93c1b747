"""The page examples/orders/README.md does what it says: its commands are run, both of its ways.

A copy of the directory is the reader's own. What the page installs is there already.
"""

import json
import os
import re
import select
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from penstock.base import limits
from server_process import ServerProcess
from unit.functions.node_client import ALL_SECONDS_MAX, compiled_client
from wire.aws_cli import AWS

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "orders"
PAGE = (EXAMPLE / "README.md").read_text("utf-8")
ENDPOINT = "http://127.0.0.1:8000"
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SECONDS_MAX = 60
_LOOK_SECONDS = 0.2

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2 * _SECONDS_MAX + ALL_SECONDS_MAX)]


def blocks(heading: str) -> list[str]:
    """Return what the page has of the console below one of its headings."""
    (section,) = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    return _BLOCK.findall(section)


def steps(block: str) -> list[tuple[str, str]]:
    """Return the commands of a block, each with what the page says that it prints."""
    found = []
    for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command = re.match(r"(?:.*\\\n)*.*\n", step)
        assert command is not None
        found.append((command[0].strip(), step[command.end() :]))
    return found


def said(lines: str) -> set[str]:
    """Return what handlers printed, of lines as `penstock logs` shows them."""
    return {re.split(r"\tINFO\t|\][0-9a-f]{8} ", line)[-1] for line in lines.splitlines()}


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
            timeout=_SECONDS_MAX,
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
            ends = time.monotonic() + _SECONDS_MAX
            while text.encode() not in printed:
                ready, _, _ = select.select([descriptor], [], [], max(ends - time.monotonic(), 0))
                piece = os.read(descriptor, 65536) if ready else b""
                assert piece, f"{text!r} is not in {printed!r}"
                printed += piece

        try:
            yield wait_for
        finally:
            process.terminate()
            process.wait(_SECONDS_MAX)
            process.stdout.close()

    def _pointed(self, script: str) -> str:
        """Return commands with Penstock's own clients pointed at the server."""
        return re.sub(r"(penstock (?:logs|mappings)\b)", rf"\1 --endpoint-url {self._url}", script)

    def until(self, command: str, is_good: Callable[[str], bool]) -> str:
        """Run a command until what it prints is good, and return that."""
        ends = time.monotonic() + _SECONDS_MAX
        while not is_good(printed := self.run(command)):
            assert time.monotonic() < ends, printed
            time.sleep(_LOOK_SECONDS)
        return printed


def client_for_node() -> tuple[Path | None, str]:
    """Return where AWS's client for Node.js is, or why there is none."""
    try:
        return compiled_client(), ""
    except pytest.skip.Exception as skipped:
        return None, str(skipped)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A copy of the example, as the page says where it is run."""
    ignored = shutil.ignore_patterns("node_modules", "penstock-data", "__pycache__")
    return Path(shutil.copytree(EXAMPLE, tmp_path / "orders", ignore=ignored))


def is_there(told: Any, document: Any) -> bool:
    """Say whether a document has all that the page tells of it, but for what differs each time."""
    if isinstance(told, dict):
        return all(name in document and is_there(told[name], document[name]) for name in told)
    if isinstance(told, list):
        return bool(document)
    return told == document or str(told).startswith("shardId-")


def check_failures(reader: Reader, command: str, printed: str) -> None:
    """Look at the files of what was given up: one line each, as the page tells."""
    told = json.loads(re.sub(r",?\n *\.\.\.", "", printed))
    packing = json.loads(reader.run(command))
    assert is_there(told, packing)
    (record,) = packing["payload"]["Records"]
    assert record["dynamodb"]["Keys"] == {"customer": {"S": "ada"}, "number": {"N": "2"}}


@pytest.mark.parametrize("way", [0, 1], ids=["boto3", "aws"])
def test_the_page(home: Path, way: int) -> None:
    """Every command of the page, and what it says that they print."""
    client, reason = client_for_node()
    if client is not None:
        (home / "bill" / "node_modules").mkdir()
        (home / "bill" / "node_modules" / "aws-lambda-ric").symlink_to(client)
    serve, exports = blocks("Start the server")
    assert serve == "$ penstock serve --data ./penstock-data\n"
    with ServerProcess.on(home / "penstock-data") as server:
        reader = Reader(home, server)
        reader.export(exports)
        set_up = blocks("Make the table, the functions, the mappings")[way]
        reader.run("\n".join(command for command, _ in steps(set_up)))
        follow, place = (steps(block)[0][0] for block in blocks("Place orders"))
        packed, billed = steps(blocks("See what has come of them")[0])
        with reader.follow(follow) as wait_for:
            reader.run(place)
            for text in said(packed[1]):
                wait_for(text)
        assert said(reader.run(packed[0])) == said(packed[1])
        if client is not None:
            reader.until(billed[0], lambda printed: said(printed) == said(billed[1]))
        check_what_is_seen(reader, with_node=client is not None)
        mend(reader)
        server.stop()
    if client is None:
        pytest.skip(f"orders were packed, not billed: {reason}")


def check_what_is_seen(reader: Reader, *, with_node: bool) -> None:
    """The table of mappings, and the files of what was given up."""
    _, mappings, failures = blocks("See what has come of them")
    ((command, table),) = steps(mappings)
    heading = next(line for line in table.splitlines() if line.startswith("function "))
    told = [re.split(r" {2,}", line)[:4] for line in table.splitlines()[-2:]]
    told = [row for row in told if with_node or row[0] == "pack"]
    printed = reader.until(
        command,
        lambda shown: all(
            row in [re.split(r" {2,}", s)[:4] for s in shown.splitlines()] for row in told
        ),
    )
    assert heading.split() in [line.split() for line in printed.splitlines()]
    check_failures(reader, *steps(failures)[0])
    if with_node:
        (line,) = (reader.home / "penstock-data/failures/not-billed.jsonl").read_text().splitlines()
        (record,) = json.loads(line)["payload"]["Records"]
        assert record["dynamodb"]["Keys"] == {"customer": {"S": "bob"}, "number": {"N": "2"}}


def mend(reader: Reader) -> None:
    """Mend the function, and hand in again what was given up: the new code takes it."""
    (block,) = blocks("Mend the function, and hand them in again")
    (change, _), (again, answer) = steps(block)
    reader.run(change)
    time.sleep(limits.function_directory_look_ms / 1000)  # as the page says: once a second
    assert reader.run(again) == answer
    reader.until("penstock logs pack", lambda lines: "packed ada/2: 0 parcels" in lines)
