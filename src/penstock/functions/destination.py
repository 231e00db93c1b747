"""Destinations: where the failures of a mapping are told, and what their names are made of.

Facts: the pattern of DestinationArn in Lambda's model, 2026-11. `file://` is of our own.
"""

import re
from pathlib import Path
from typing import Literal, NamedTuple

from penstock.base import limits

Kind = Literal["sqs", "sns", "s3", "kafka", "file"]

_REGION = r"(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-[0-9]"
_ARN = re.compile(
    rf"arn:(?P<partition>aws[a-zA-Z0-9-]*):(?P<service>[a-zA-Z0-9-]+)"
    rf":(?P<region>{_REGION})?:(?P<account>[0-9]{{12}})?:(?P<name>.*)"
)
_NAMES = {
    "sqs": re.compile(r"[A-Za-z0-9_-]{1,80}"),
    "sns": re.compile(r"[A-Za-z0-9_-]{1,256}"),
    "s3": re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"),
}
_TOPIC = re.compile(r"[a-zA-Z0-9_-][a-zA-Z0-9_.-]{0,248}")
_FILE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,200}\.jsonl")


class BadDestination(Exception):
    """A text that names no destination; its text says why."""


class Destination(NamedTuple):
    """A destination: a queue, a topic, a bucket, a topic of Kafka, or a file.

    `name` is that of the queue, topic or bucket; of a file its path, absolute, or a name in the
    server's own directory of failures. `region` and `account` are of queues and topics alone.
    """

    kind: Kind
    text: str
    name: str
    region: str = ""
    account: str = ""


def parse_destination(text: str) -> Destination:
    """Return the destination that `text` names; BadDestination where it names none."""
    if len(text) > limits.destination_chars_max:
        raise BadDestination(f"it has more than {limits.destination_chars_max} characters")
    if text.startswith("kafka://"):
        return _kafka(text)
    if text.startswith("file://"):
        return _file(text)
    found = _ARN.fullmatch(text)
    if found is None:
        raise BadDestination("it is neither an ARN, nor kafka://TOPIC, nor file://NAME.jsonl")
    match found["service"]:
        case "sqs" | "sns" as kind:
            if not found["region"] or not found["account"]:
                raise BadDestination(f"an ARN of {kind} names a region and an account")
        case "s3" as kind:
            if found["region"] or found["account"]:
                raise BadDestination("the ARN of a bucket names neither region nor account")
        case other:
            raise BadDestination(f"{other} is none of sqs, sns and s3")
    name = found["name"]
    if name.endswith(".fifo"):
        raise BadDestination("queues and topics of the FIFO kind are no destinations")
    if not _NAMES[kind].fullmatch(name):
        raise BadDestination(f"{name!r} is not a name that {kind} knows")
    return Destination(kind, text, name, found["region"] or "", found["account"] or "")


def _kafka(text: str) -> Destination:
    topic = text.removeprefix("kafka://")
    if not _TOPIC.fullmatch(topic) or topic == "..":
        raise BadDestination(f"{topic!r} is not the name of a topic")
    return Destination("kafka", text, topic)


def _file(text: str) -> Destination:
    path = text.removeprefix("file://")
    *directories, name = path.split("/")
    if not _FILE.fullmatch(name):
        raise BadDestination(f"{name!r} is not the name of a file such as failures.jsonl")
    if directories and (directories[0] or ".." in directories or "\0" in path):
        raise BadDestination(f"{path!r} is neither one name nor an absolute path")
    return Destination("file", text, path)


class Endpoints(NamedTuple):
    """Where this server reaches destinations: URLs of services, brokers as HOST:PORT.

    `failures` is the directory of files that are named without one.
    """

    sqs: str | None = None
    sns: str | None = None
    s3: str | None = None
    kafka: tuple[str, ...] = ()
    failures: Path | None = None

    def refusal(self, destination: Destination) -> str | None:
        """Return why this server cannot reach a destination, or None where it can try."""
        match destination.kind:
            case "sqs" | "sns" | "s3" as kind:
                missing = None if getattr(self, kind) else f"--{kind}-endpoint"
            case "kafka":
                missing = None if self.kafka else "--kafka-brokers"
            case "file":
                if self.failures is None and not destination.name.startswith("/"):
                    return "this server has no directory of data; the file needs an absolute path"
                return None
        return None if missing is None else f"this server runs without {missing}"
