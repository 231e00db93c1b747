"""What is stored of a run, as JSON; docs/performance.md tells its form."""

import datetime as dt
import json
import os
import platform
import statistics
import subprocess
from pathlib import Path
from typing import Any

from bench.disk import IN_MEMORY, file_system
from bench.figures import Figure, figures_of
from bench.lone_measurements import COMMITS
from bench.outcome import Outcome
from bench.plan import Plan
from bench.register import QUANTITIES, title_of
from bench.servers import ENGINE, FLOOR, PENSTOCK, POSTGRES, SERVERS
from bench.trouble import public

FORM = 1
ROOT = Path(__file__).resolve().parent.parent
ASK_SECONDS_MAX = 20.0

Stored = dict[str, Any]


def stored(
    plan: Plan,
    outcome: Outcome,
    threads: int,
    versions: dict[str, str],
    *,
    is_interrupted: bool = False,
) -> Stored:
    """Return the run as it is stored; one that was interrupted is but a part."""
    kind = "part" if is_interrupted else plan.kind
    return {
        "form": FORM,
        "kind": kind,
        "ended": "interrupted" if is_interrupted else "complete",
        "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "machine": machine(plan.data),
        "plan": {
            "rounds": plan.rounds,
            "seconds": plan.seconds,
            "other_seconds": plan.other_seconds,
            "warm_up_seconds": plan.warm_up_seconds,
            "connections": plan.connections,
            "threads": threads,
            "records": plan.records,
            "items": plan.items,
        },
        "servers": {
            name: {"title": title_of(name), "version": version}
            for name, version in versions.items()
        },
        "values": {
            server: {
                quantity: {
                    "unit": QUANTITIES[quantity].unit,
                    "rounds": rounds,
                    "median": outcome.median(server, quantity),
                }
                for quantity, rounds in quantities.items()
            }
            for server, quantities in outcome.values.items()
        },
        "absent": outcome.absent,
        "reasons": outcome.reasons,
        "failures": outcome.failures,
        "figures": [_figure(each, outcome) for each in figures_of(kind)],
        "ratios": ratios(outcome),
        "shares": shares(outcome),
        "over_postgres": over_postgres(outcome),
    }


def outcome_of(kept: Stored) -> Outcome:
    """Return the outcome that `stored` kept."""
    return Outcome(
        values={
            server: {name: list(value["rounds"]) for name, value in quantities.items()}
            for server, quantities in kept["values"].items()
        },
        reasons={
            server: {quantity: public(reason) for quantity, reason in reasons.items()}
            for server, reasons in kept["reasons"].items()
        },
        absent={server: public(reason) for server, reason in kept["absent"].items()},
        failures=[public(failure) for failure in kept["failures"]],
        is_in_memory=kept["machine"].get("file_system") in IN_MEMORY,
    )


def ratios(outcome: Outcome) -> dict[str, dict[str, float]]:
    """Return how many times as good Penstock's median is as that of each peer.

    For a rate that is Penstock's by the peer's, for a time or a size the peer's by Penstock's.
    """
    found: dict[str, dict[str, float]] = {}
    for server in outcome.values:
        if server not in SERVERS or not SERVERS[server].is_peer:
            continue
        for quantity in outcome.values.get(PENSTOCK, {}):
            if not _counts(quantity, outcome):
                continue
            pair = (PENSTOCK, quantity), (server, quantity)
            if QUANTITIES[quantity].less_is_better:
                pair = pair[1], pair[0]
            ratio = outcome.ratio(*pair)
            if ratio is not None:
                found.setdefault(quantity, {})[server] = ratio
    return found


def shares(outcome: Outcome) -> dict[str, dict[str, float]]:
    """Return Penstock's shares of the floors: of bare HTTP, and for writes of one item, the engine.

    A share is of the same request's floor, which is measured right after it: the median of the
    rounds' ratios. The engine's transactions write one item with a record: the ratio of medians.
    """
    found: dict[str, dict[str, float]] = {}
    for quantity in outcome.values.get(PENSTOCK, {}):
        own = PENSTOCK, quantity
        if not _counts(quantity, outcome):
            continue
        if rounds := outcome.round_ratios(own, (FLOOR, quantity)):
            found.setdefault(quantity, {})[FLOOR] = statistics.median(rounds)
        of_engine = outcome.ratio(own, (ENGINE, COMMITS.name)) if quantity == "put" else None
        if of_engine is not None:
            found.setdefault(quantity, {})[ENGINE] = of_engine
    return found


def over_postgres(outcome: Outcome) -> dict[str, float]:
    """Return what one node over PostgreSQL does of what it does over rocksdb.

    Of each quantity the median of the rounds' ratios: both are measured right after each other.
    """
    found: dict[str, float] = {}
    for quantity in outcome.values.get(POSTGRES, {}):
        rounds = outcome.round_ratios((POSTGRES, quantity), (PENSTOCK, quantity))
        if rounds and _counts(quantity, outcome):
            found[quantity] = statistics.median(rounds)
    return found


def _counts(name: str, outcome: Outcome) -> bool:
    """Say whether a quantity is one to compare others with."""
    quantity = QUANTITIES[name]
    return not (quantity.is_remark or (quantity.is_durable and outcome.is_in_memory))


def write(kept: Stored, folder: Path) -> Path:
    """Write a run's file into `folder` and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    date = kept["at"][:16].replace(":", "-")
    before = "" if kept["kind"] == "full" else f"{kept['kind']}-"
    path = folder / f"{before}{date}-{kept['commit']}.json"
    path.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return path


def newest_full(folder: Path) -> Path | None:
    """Return the newest full run's file in `folder`, None where there is none."""
    found = sorted(folder.glob("[0-9]*.json"), key=lambda path: (_at(path), path.name))
    return found[-1] if found else None


def kept_parts(folder: Path, full: Stored) -> list[Stored]:
    """Return the runs of a part in `folder`/parts that were complete after the run `full` was."""
    parts = [read(path) for path in (folder / "parts").glob("part-*.json")]
    later = [each for each in parts if each["at"] > full["at"] and each["ended"] == "complete"]
    return sorted(later, key=lambda each: str(each["at"]))


def read(path: Path) -> Stored:
    """Return the run in a file. Raises ValueError for another form."""
    kept: Stored = json.loads(path.read_text("utf-8"))
    if kept.get("form") != FORM:
        raise ValueError(f"{path.name} has form {kept.get('form')}, this reads {FORM}")
    return kept


def _at(path: Path) -> str:
    return str(json.loads(path.read_text("utf-8")).get("at", ""))


def _figure(each: Figure, outcome: Outcome) -> Stored:
    rounds = each.rounds(outcome)
    return {
        "title": each.title,
        "measured": each.value(outcome),
        "lowest": min(rounds, default=None),
        "highest": max(rounds, default=None),
        "target": each.target,
        "at_most": each.at_most,
        "unit": each.unit,
        "verdict": each.verdict(outcome).value,
        "why": each.why(outcome),
    }


def commit() -> str:
    """Return the commit's short name, with a + where the work tree differs from it."""
    name = _git("rev-parse", "--short", "HEAD")
    if not name:
        return "unknown"
    changed = _git("status", "--porcelain", "--untracked-files=no")
    return f"{name}+" if changed else name


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=ASK_SECONDS_MAX,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def machine(data: Path) -> Stored:
    """Return what can be told of the machine, and of where it stores, without naming it."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processors": os.cpu_count(),
        "processor": _processor(),
        "python": platform.python_version(),
        "file_system": file_system(data),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "unknown"
