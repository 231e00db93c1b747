"""The floors: what a server that does nothing comes to on this machine, and an engine alone.

`python -m bench.floor http PORT ANSWERS` is a server on uvloop and httptools, as Penstock is. It
takes requests to pieces as a server must, and answers each at once, with bytes that are kept in the
file ANSWERS (JSON: target to base64): an answer that Penstock gave.

`python -m bench.floor engine DATA SECONDS` drives the RocksDB engine without HTTP and without
items: 64 tasks whose transactions read a row, write it with 500 bytes, and append a record of
1,200 bytes to one of four logs. It prints the transactions per second.
"""

import asyncio
import base64
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import httptools
import uvloop

from bench.api import Answer
from penstock.base.clock import SystemClock
from penstock.storage.format import pack
from penstock.storage.prefixes import Prefix
from penstock.storage.rocksdb import RocksEngine
from penstock.storage.waist import Stamp, Transaction

TASKS = 64
ROWS = 10_000
ROWS_AT_ONCE = 1_000
LOGS = 4
ITEM_BYTES = 500
RECORD_BYTES = 1200
WARM_UP_SHARE = 0.2
_NOTHING = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


def written(answer: Answer) -> bytes:
    """Return the bytes of an answer as they stand on the wire."""
    head = [f"HTTP/1.1 {answer.status} OK", *(f"{name}: {value}" for name, value in answer.headers)]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + answer.body


def write_answers(answers: Mapping[str, Answer], path: Path) -> None:
    """Write the file that `python -m bench.floor http` takes."""
    kept = {name: base64.b64encode(written(answer)).decode() for name, answer in answers.items()}
    path.write_text(json.dumps(kept))


def read_answers(path: Path) -> dict[bytes, bytes]:
    """Return what `write_answers` wrote."""
    kept: dict[str, str] = json.loads(path.read_text())
    return {name.encode(): base64.b64decode(value) for name, value in kept.items()}


class BareProtocol(asyncio.Protocol):
    """One connection: each request is read as a whole and answered from a dict."""

    def __init__(self, answers: Mapping[bytes, bytes]) -> None:
        self._answers = answers
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._url = b""
        self._headers = {}
        self._body = []

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.lower()] = value

    def on_body(self, piece: bytes) -> None:
        self._body.append(piece)

    def on_message_complete(self) -> None:
        b"".join(self._body)
        target = self._headers.get(b"x-amz-target", b"")
        self._transport.write(self._answers.get(target, _NOTHING))


async def serve(port: int, answers: Mapping[bytes, bytes]) -> None:
    """Answer on that port of the loopback until the process ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: BareProtocol(answers), "127.0.0.1", port)
    await server.serve_forever()


async def commits_per_second(data: Path, seconds: float) -> float:
    """Return how many transactions the engine makes durable per second."""
    engine = RocksEngine.open(data, SystemClock())
    rows = [Prefix.ITEM.key + each.to_bytes(8, "big") for each in range(ROWS)]
    logs = [Prefix.STREAM_RECORD.key + bytes(8) + each.to_bytes(4, "big") for each in range(LOGS)]
    item, record = pack(b"i" * (ITEM_BYTES - 1)), pack(b"r" * (RECORD_BYTES - 1))
    for start in range(0, ROWS, ROWS_AT_ONCE):
        await _fill(engine, rows[start : start + ROWS_AT_ONCE], item)
    begin = time.monotonic() + seconds * WARM_UP_SHARE
    end = begin + seconds
    done = 0

    def record_of(stamp: Stamp) -> bytes:
        return record

    async def write(task: int) -> None:
        nonlocal done
        place = task
        while (now := time.monotonic()) < end:
            row, log = rows[place % ROWS], logs[place % LOGS]

            def work(transaction: Transaction, row: bytes = row, log: bytes = log) -> None:
                transaction.get(row)
                transaction.set(row, item)
                transaction.append(log, record_of)

            await engine.transact(work)
            done += now >= begin
            place += TASKS + 1

    try:
        await asyncio.gather(*(write(task) for task in range(TASKS)))
    finally:
        engine.close()
    return done / seconds


async def _fill(engine: RocksEngine, rows: Sequence[bytes], value: bytes) -> None:
    def work(transaction: Transaction) -> None:
        for row in rows:
            transaction.set(row, value)

    await engine.transact(work)


def main(arguments: Sequence[str]) -> int:
    """Run what the arguments name; return the exit status."""
    match arguments:
        case ["http", port, answers]:
            uvloop.run(serve(int(port), read_answers(Path(answers))))
        case ["engine", data, seconds]:
            print(uvloop.run(commits_per_second(Path(data), float(seconds))))
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
