"""A function that writes down what it is given and what it has done; its file is the whole code.

It runs in workers, on the standard library alone. The environment says where its journal is, how
often it does what functions should not do (see `MOODS`), for how many seconds a child of it sleeps
that it leaves behind (`CHILD`), and the name of a file that holds it up while it is there (`HOLD`).

A line of the journal begins with a line break and ends with a full stop, so that one that a kill
has cut off is known for it. Its fields: what happened, the invocation, the process ids of the
server and the worker, the machine's clock in nanoseconds, and a record's key, sequence number and
mark. `seen` is told of each record before anything is done, `done` of each that was handled, and
`end` of the invocation, its mood in the place of the mark.
"""

import os
import random
import subprocess
import sys
import time
from typing import Any

MOODS = ("work", "dawdle", "raise", "report", "refuse", "exit")
"""It works; takes long; fails; reports the end of a batch as failed; or all of it; exits."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle a batch; each mood's weight is in MOODS, with commas between them."""
    records = event["Records"]
    invocation = context.aws_request_id
    weights = [float(each) for each in os.environ.get("MOODS", "1").split(",")]
    mood = random.choices(MOODS[: len(weights)], weights)[0]
    count = event.get("state", {}).get("count", 0) + len(records)
    if event.get("isFinalInvokeForWindow"):
        window = f"{event['shardId']} {event['window']['start']} {count}"
        _append(f"{_about('window', invocation)} {window} .")
        return {}
    _note("seen", invocation, records)
    if os.environ.get("CHILD"):
        subprocess.Popen([sys.executable, "-c", f"import time; time.sleep({os.environ['CHILD']})"])
    while os.path.exists(os.environ.get("HOLD", "")):  # noqa: PTH110 - quick to import
        time.sleep(0.002)
    if mood == "dawdle":
        time.sleep(random.uniform(0.0, float(os.environ.get("DAWDLE_SECONDS", "0.1"))))
    handled = len(records)
    if mood in ("raise", "refuse", "exit"):
        handled = 0
    elif mood == "report":
        handled = random.randrange(len(records))
    _note("done", invocation, records[:handled])
    _note("end", invocation, [], mood)
    if mood == "exit":
        os._exit(3)
    if mood == "raise":
        raise RuntimeError("in the mood to fail")
    if mood == "refuse":
        return {"batchItemFailures": [{"itemIdentifier": ""}]}
    failed = [{"itemIdentifier": _number(each)} for each in records[handled:]]
    random.shuffle(failed)
    return {"batchItemFailures": failed, "state": {"count": count}}


def _number(record: dict[str, Any]) -> str:
    return str(record["dynamodb"]["SequenceNumber"])


def _about(what: str, invocation: str) -> str:
    return f"\n{what} {invocation} {os.getppid()} {os.getpid()} {time.monotonic_ns()}"


def _note(what: str, invocation: str, records: list[dict[str, Any]], mood: str = "") -> None:
    """Append a line for each record, all at once, or one for the mood."""
    about = _about(what, invocation)
    lines = []
    for record in records:
        change = record["dynamodb"]
        mark = change.get("NewImage", {}).get("v", {}).get("S", "-")
        lines.append(f"{about} {change['Keys']['pk']['S']} {_number(record)} {mark} .")
    if mood:
        lines.append(f"{about} - - {mood} .")
    if lines:
        _append("".join(lines))


def _append(lines: str) -> None:
    file = os.open(os.environ["JOURNAL"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, lines.encode())
    os.close(file)
