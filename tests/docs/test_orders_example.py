"""The page examples/orders/README.md does what it says: its commands are run, both of its ways.

A copy of the directory is the reader's own. What the page installs is there already.
"""

import json
import re
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from docs.page_reader import SECONDS_MAX, Reader, blocks, steps
from penstock.base import limits
from server_process import ServerProcess
from unit.functions.node_client import ALL_SECONDS_MAX, compiled_client

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "orders"
PAGE = (EXAMPLE / "README.md").read_text("utf-8")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2 * SECONDS_MAX + ALL_SECONDS_MAX)]


def said(lines: str) -> set[str]:
    """Return what handlers printed, of lines as `penstock logs` shows them."""
    return {re.split(r"\tINFO\t|\][0-9a-f]{8} ", line)[-1] for line in lines.splitlines()}


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
    serve, exports = blocks(PAGE, "Start the server")
    assert serve == "$ penstock serve --data ./penstock-data\n"
    with ServerProcess.on(home / "penstock-data") as server:
        reader = Reader(home, server)
        reader.export(exports)
        set_up = blocks(PAGE, "Make the table, the functions, the mappings")[way]
        reader.run("\n".join(command for command, _ in steps(set_up)))
        follow, place = (steps(block)[0][0] for block in blocks(PAGE, "Place orders"))
        packed, billed = steps(blocks(PAGE, "See what has come of them")[0])
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
    _, mappings, failures = blocks(PAGE, "See what has come of them")
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
    (block,) = blocks(PAGE, "Mend the function, and hand them in again")
    (change, _), (again, answer) = steps(block)
    reader.run(change)
    time.sleep(limits.function_directory_look_ms / 1000)  # as the page says: once a second
    assert reader.run(again) == answer
    reader.until("penstock logs pack", lambda lines: "packed ada/2: 0 parcels" in lines)
