"""Prints numbered lines into logs over rocksdb as fast as they are taken, until it is killed.

Tells on stdout after each flush how many lines are stored: `python log_writer.py DATA`.
"""

import asyncio
import sys
from pathlib import Path

from penstock.base.clock import SystemClock
from penstock.functions.log_trimming import Keeping
from penstock.functions.logs import StoredLogs
from penstock.storage.rocksdb import RocksEngine

REGION, GROUP = "us-east-1", "/aws/lambda/killed"
STREAMS = 3
KEEPING = Keeping(bytes=1024 * 1024)
LINES_TOGETHER = 500


async def main(data: Path) -> None:
    clock = SystemClock()
    logs = StoredLogs(RocksEngine.open(data, clock), clock, KEEPING)
    number = 0
    while True:
        for _ in range(LINES_TOGETHER):
            stream = f"s{number % STREAMS}"
            logs.write(REGION, GROUP, stream, clock.now_ms(), f"{number} {'x' * (number % 200)}")
            number += 1
        await logs.flush()
        print(number, flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
