"""What a run of the benchmark does: how often, how long, on which servers, what it measures."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "results"
DATA = RESULTS.parent.parent / ".cache" / "bench-data"
ROUNDS_MIN = 3
FULL_ROUNDS_MIN = 5


class PlanError(Exception):
    """What is asked for makes no sense; the text says why."""


@dataclass(frozen=True)
class Plan:
    """The course of a run."""

    kind: str
    """full, quick, or part: of what is asked for by name, or with less than a full run takes."""
    rounds: int
    seconds: int
    """How long Penstock and DynamoDB Local are driven for one value."""
    other_seconds: int
    """How long the floors and the other peers are driven."""
    warm_up_seconds: int
    load_seconds: int
    """How long a table that is only written may take to fill before the work begins."""
    connections: int
    threads: int | None
    """Threads of wrk; None tries one and two, and takes what drives the floor faster."""
    servers: tuple[str, ...] | None
    """The servers that are asked for; None leaves it to the kind of run."""
    only: tuple[str, ...] | None
    """The measurements that are asked for; None are all of this kind of run."""
    results: Path
    data: Path
    """Where the servers keep what they store."""
    all_seconds: float | None = None
    """What the whole run should take: rounds grow short where the machine is too slow for that."""
    records: int = 1_000_000
    """How many records the stream has that is drained."""
    items: int = 10_000_000
    """The largest table that is filled: measurements of larger ones are left out."""


FULL = Plan("full", 5, 4, 2, 3, 10, 64, None, None, None, RESULTS, DATA)
QUICK = Plan("quick", 3, 2, 1, 1, 2, 64, 1, None, None, RESULTS, DATA, 85)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of a run."""
    parser.add_argument(
        "--quick", action="store_true", help="the first five rows alone, in under 90 s"
    )
    parser.add_argument("--only", help="these measurements alone: put,get", metavar="NAMES")
    parser.add_argument("--servers", help="these servers alone: penstock,dynalite-memory")
    parser.add_argument("--rounds", type=int, help=f"{ROUNDS_MIN} or more")
    parser.add_argument("--seconds", type=int, help="of one value")
    parser.add_argument("--connections", type=int)
    parser.add_argument("--threads", type=int, help="of wrk")
    parser.add_argument("--records", type=int, help="of the stream that is drained")
    parser.add_argument("--items", type=int, help="of the largest table")
    parser.add_argument("--results", type=Path, metavar="DIR", help="where the results go")
    parser.add_argument("--data", type=Path, metavar="DIR", help="where the servers store")


def plan_of(arguments: argparse.Namespace) -> Plan:
    """Return the plan that the arguments ask for. Raises PlanError."""
    base = QUICK if arguments.quick else FULL
    only, servers = _names(arguments.only), _names(arguments.servers)
    seconds = base.seconds if arguments.seconds is None else arguments.seconds
    rounds = base.rounds if arguments.rounds is None else arguments.rounds
    connections = base.connections if arguments.connections is None else arguments.connections
    if rounds < ROUNDS_MIN:
        raise PlanError(f"a median needs {ROUNDS_MIN} rounds or more")
    if seconds < 1 or connections < 1:
        raise PlanError("seconds and connections are 1 or more")
    threads = base.threads if arguments.threads is None else arguments.threads
    if threads is not None and not 1 <= threads <= connections:
        raise PlanError("wrk needs 1 thread or more, and no more than connections")
    named = (only, servers, arguments.records, arguments.items)
    is_part = any(each is not None for each in named)
    if base is FULL:
        is_less = rounds < FULL_ROUNDS_MIN or seconds < FULL.seconds
        is_part = is_part or is_less or connections != FULL.connections
    return Plan(
        kind="part" if is_part else base.kind,
        rounds=rounds,
        seconds=seconds,
        other_seconds=min(base.other_seconds, seconds),
        warm_up_seconds=min(base.warm_up_seconds, seconds),
        load_seconds=base.load_seconds,
        connections=connections,
        threads=threads,
        servers=servers,
        only=only,
        results=arguments.results or base.results,
        data=(arguments.data or base.data).absolute(),
        all_seconds=base.all_seconds,
        records=base.records if arguments.records is None else arguments.records,
        items=base.items if arguments.items is None else arguments.items,
    )


def check_names(kind: str, names: Sequence[str] | None, known: Sequence[str]) -> None:
    """Raise PlanError where one of `names` is not known."""
    unknown = sorted(set(names or ()) - set(known))
    if unknown:
        raise PlanError(f"no such {kind}: {', '.join(unknown)}; there are {', '.join(known)}")


def _names(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    return tuple(name.strip() for name in text.split(",") if name.strip())
