"""`penstock control ACTION`: what tests do with a server that runs with `--test-controls`.

Exit codes: 0 done, 1 not done, told in one line on stderr, 2 not understood. It needs neither boto3
nor the server's own modules.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from penstock.app.control_client import ControlClient, ControlError, Succession
from penstock.app.difference import printable
from penstock.app.output import forget
from penstock.base.clock import duration_ms, iso_label

_DEFAULT_URL = "http://127.0.0.1:8000"
_DEFAULT_REGION = "us-east-1"
_KINDS = ("throttle", "fewer", "expired", "trimmed", "repeat")


class Report(NamedTuple):
    """What was done: as the server's API tells it, and in lines for a person."""

    document: dict[str, Any]
    lines: Sequence[str]


Action = Callable[[ControlClient, argparse.Namespace], Report]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `penstock control` to `parser`."""
    parser.epilog = "penstock control ACTION --help says more of each; docs/controls.md says all."
    _add_place(parser)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    def add(name: str, action: Action, summary: str) -> argparse.ArgumentParser:
        added = actions.add_parser(name, help=summary, description=summary, allow_abbrev=False)
        _add_place(added, inherited=True)
        added.set_defaults(act=action)
        return added

    _add_clock(add("clock", _clock, "tell what the server's clock tells, or move it"))
    for name, action, summary in (
        ("roll", _roll, "close the open shards of a table's stream; each gets one child"),
        ("split", _split, "close a shard of a table's stream, one of the widest; it gets two"),
        ("trim", _trim, "let nothing be read any more that is in a table's stream now"),
    ):
        _add_shards(add(name, action, summary))
    _add_expire(add("expire", _expire, "make the iterators of a table's stream expire, or one"))
    _add_fault(add("fault", _fault, "make calls of GetRecords fail, by number or by chance"))
    add("faults", _faults, "list the faults that are set, and how often each was met")
    cleared = add("clear", _clear, "take back a fault, or all")
    cleared.add_argument("fault", nargs="?", metavar="ID", help="the fault (default: all)")
    _add_drain(add("drain", _drain, "wait until a consumer has read all that was written so far"))
    readers = add("readers", _readers, "tell how far each consumer has read in each shard")
    readers.add_argument(
        "table", nargs="?", metavar="TABLE", help="name of the table (default: all of the region)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Do the action that `arguments` ask for; return the exit code."""
    act: Action = arguments.act
    try:
        client = ControlClient(arguments.endpoint_url, arguments.region or _DEFAULT_REGION)
        report = act(client, arguments)
    except ControlError as failure:
        return _failed(str(failure))
    lines = [json.dumps(report.document)] if arguments.json else report.lines
    try:
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()
    except BrokenPipeError:
        forget(sys.stdout)
    except OSError as failure:
        forget(sys.stdout)
        return _failed(f"cannot write: {failure.strerror or failure}")
    return 0


def _failed(text: str) -> int:
    print(f"penstock control: {text}", file=sys.stderr)  # noqa: T201 - a command's own output
    return 1


# --- arguments


def _add_place(parser: argparse.ArgumentParser, inherited: bool = False) -> None:
    """Add where the server is; with `inherited`, what stood before the action holds."""

    def default(value: Any) -> Any:
        return argparse.SUPPRESS if inherited else value

    parser.add_argument(
        "--endpoint-url",
        default=default(_DEFAULT_URL),
        metavar="URL",
        help=f"where the server is (default: {_DEFAULT_URL})",
    )
    parser.add_argument(
        "--region",
        default=default(None),
        metavar="REGION",
        help=f"region of the table (default: {_DEFAULT_REGION}; of a fault without a table: any)",
    )
    parser.add_argument(
        "--json",
        action="store_true",
        default=default(False),
        help="one JSON object on a line, as the server's API tells it",
    )


def _add_clock(parser: argparse.ArgumentParser) -> None:
    move = parser.add_mutually_exclusive_group()
    move.add_argument(
        "--advance",
        type=_duration_ms,
        metavar="TIME",
        help="let time pass, such as 24h1s, 90m or 500ms",
    )
    move.add_argument(
        "--to",
        type=_time_ms,
        metavar="TIME",
        help="step to a time, back or forward: epoch milliseconds, or ISO 8601 such as"
        " 2026-12-24T18:00Z, in UTC where it names no zone",
    )


def _add_shards(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("table", metavar="TABLE", help="name of the table")
    _add_shard(parser)


def _add_shard(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--shard", metavar="ID", help="this shard only")


def _add_expire(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("table", nargs="?", metavar="TABLE", help="name of the table")
    which.add_argument("--iterator", metavar="TEXT", help="this iterator only")
    _add_shard(parser)


def _add_fault(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", choices=_KINDS, metavar="KIND", help=f"one of {', '.join(_KINDS)}")
    parser.add_argument("--table", metavar="TABLE", help="for reads of this table's stream only")
    _add_shard(parser)
    parser.add_argument("--consumer", metavar="NAME", help="for reads of this consumer only")
    parser.add_argument("--calls", type=_whole, metavar="N", help="for the next N calls")
    parser.add_argument(
        "--probability", type=_decimal, metavar="P", help="for calls by chance, from 0 to 1"
    )
    parser.add_argument("--seed", type=_whole, metavar="N", help="what decides the chance")
    parser.add_argument(
        "--records", type=_whole, metavar="N", help="how many a page has, for fewer (default: 0)"
    )


def _add_drain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("table", metavar="TABLE", help="name of the table")
    parser.add_argument(
        "--consumer",
        required=True,
        metavar="NAME",
        help="its SDK's application id, or else its access key id",
    )
    parser.add_argument(
        "--seconds-max",
        type=_decimal,
        default=30.0,
        metavar="S",
        help="how long to wait (default: 30)",
    )


def _whole(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def _decimal(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number such as 0.25")
    return float(text)


def _duration_ms(text: str) -> int:
    """Return the milliseconds of a text such as `24h1s`."""
    try:
        return duration_ms(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _time_ms(text: str) -> int:
    """Return the epoch milliseconds of a text that tells them, or that is of ISO 8601."""
    if re.fullmatch(r"[0-9]{1,15}", text):
        return int(text)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither epoch milliseconds nor a time such as 2026-12-24T18:00Z"
        ) from None
    since = (at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime.fromtimestamp(0, UTC)
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


# --- actions


def _clock(client: ControlClient, given: argparse.Namespace) -> Report:
    if given.advance is not None:
        now_ms = client.advance(given.advance)
    elif given.to is not None:
        now_ms = client.set_clock(given.to)
    else:
        now_ms = client.now_ms()
    return Report({"Now": now_ms}, [f"the server's clock tells {iso_label(now_ms)}Z ({now_ms})"])


def _roll(client: ControlClient, given: argparse.Namespace) -> Report:
    return _succession_report("rolled", client.roll(given.table, given.shard))


def _split(client: ControlClient, given: argparse.Namespace) -> Report:
    return _succession_report("split", [client.split(given.table, given.shard)])


def _succession_report(done: str, successions: Sequence[Succession]) -> Report:
    shown = [{"Parent": each.parent, "Children": list(each.children)} for each in successions]
    lines = [f"{done} {each.parent} into {' and '.join(each.children)}" for each in successions]
    return Report({"Successions": shown}, lines)


def _trim(client: ControlClient, given: argparse.Namespace) -> Report:
    shards = client.trim(given.table, given.shard)
    return Report({"Shards": shards}, [f"trimmed {shard}" for shard in shards])


def _expire(client: ControlClient, given: argparse.Namespace) -> Report:
    client.expire_iterators(given.table, given.shard, given.iterator)
    if given.iterator is not None:
        return Report({}, ["expired the iterator"])
    of = given.table if given.shard is None else f"{given.table}, {given.shard}"
    return Report({}, [f"expired the iterators of {of} that were issued so far"])


def _fault(client: ControlClient, given: argparse.Namespace) -> Report:
    fault_id = client.fault(
        given.kind,
        table=given.table,
        shard_id=given.shard,
        consumer=given.consumer,
        calls=given.calls,
        probability=given.probability,
        seed=given.seed,
        records=given.records,
        region=given.region,
    )
    return Report({"FaultId": fault_id}, [f"set fault {fault_id}"])


def _faults(client: ControlClient, _given: argparse.Namespace) -> Report:
    faults = client.faults()
    lines = [" ".join(f"{name}={value}" for name, value in fault.items()) for fault in faults]
    return Report({"Faults": faults}, lines or ["no faults are set"])


def _clear(client: ControlClient, given: argparse.Namespace) -> Report:
    client.clear_faults(given.fault)
    return Report({}, ["cleared all faults" if given.fault is None else f"cleared {given.fault}"])


def _drain(client: ControlClient, given: argparse.Namespace) -> Report:
    client.drain(given.table, given.consumer, given.seconds_max)
    return Report({}, [f"{given.consumer} has read all that was written to {given.table}"])


def _readers(client: ControlClient, given: argparse.Namespace) -> Report:
    answer = client.readers(given.table)
    lines = [_position(each) for each in answer["Consumers"]]
    if left_off := answer["ConsumersLeftOff"]:
        lines.append(f"and {left_off} more, which were left off")
    return Report(answer, lines or ["nobody has called GetRecords"])


def _position(row: dict[str, Any]) -> str:
    """Return a line that tells how far a consumer is in one shard."""
    _, _, label = row["StreamArn"].partition(":table/")
    table, _, made = label.partition("/stream/")
    where = f"{row['ShardId']} of {table} ({made})"
    return printable(f"{row['Consumer']} has read {where} up to {row['ReadTo']}")
