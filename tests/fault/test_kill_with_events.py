"""A server that is killed with `kill -9` while it runs events forgets none that it took in.

Seeded: the seed is printed, and `PENSTOCK_SEED` sets it.
"""

import json
import os
import random
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from server_process import ServerProcess
from wire.aws_lambda.code import parameters, zip_of
from wire.clients import connect

SEED = int(os.environ.get("PENSTOCK_SEED", "20261001"))
KILLS = 5
EVENTS = 40
WAIT_SECONDS_MAX = 100.0
NOTING = """
import os

def handler(event, context):
    line = (event["text"] + "\\n").encode()
    file = os.open(event["file"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.write(file, line)
    os.close(file)
"""


def send(client: Any, file: Path, texts: list[str]) -> list[str]:
    """Send events until the server is gone; return those that were taken in."""
    taken = []
    for text in texts:
        payload = json.dumps({"file": str(file), "text": text})
        try:
            client.invoke(FunctionName="f", InvocationType="Event", Payload=payload)
        except (BotoCoreError, ClientError):
            continue
        taken.append(text)
    return taken


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_events_that_were_taken_in_run_at_least_once(tmp_path: Path) -> None:
    print(f"seed {SEED}, {KILLS} kills")
    chance, data, file = random.Random(SEED), tmp_path / "store", tmp_path / "noted"
    taken: list[str] = []
    for life in range(KILLS):
        with ServerProcess.on(data) as server:
            client = connect(server.url, "lambda")
            if life == 0:
                code = {"ZipFile": zip_of({"app.py": NOTING})}
                client.create_function(**parameters("f", Code=code))
            count = chance.randint(1, EVENTS)
            taken += send(client, file, [f"{life}.{number}" for number in range(count)])
            server.kill()
    with ServerProcess.on(data):
        end = time.monotonic() + WAIT_SECONDS_MAX
        while not set(taken) <= set(seen(file)):
            assert time.monotonic() < end, f"lost: {set(taken) - set(seen(file))}"
            time.sleep(0.05)


def seen(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []
