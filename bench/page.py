"""Writes the generated part of docs/performance.md, and the picture beside it.

The part stands between two marker lines; all else on the page is written by hand. It is made of
the newest full run in bench/results, and of what was measured alone since then, where that was put
into bench/results/parts. `--check` tells whether it is.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bench import plot, results
from bench.figures import FIGURES, Figure, Verdict
from bench.outcome import Outcome
from bench.plan import RESULTS
from bench.plot import Ratios
from bench.register import QUANTITIES, title_of
from bench.remarks import lacking, remarks
from bench.results import Stored
from bench.servers import FLOOR, PENSTOCK

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "performance.md"
PICTURE = ROOT / "docs" / "performance.svg"
BEGIN = "<!-- written by `make bench-page`: begin -->"
END = "<!-- written by `make bench-page`: end -->"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `python -m bench page`."""
    parser.add_argument("--check", action="store_true", help="only tell whether it is up to date")
    parser.add_argument("--from", dest="folder", type=Path, default=RESULTS, metavar="DIR")


def run(arguments: argparse.Namespace) -> int:
    """Write the page, or check it; return the exit status."""
    newest = results.newest_full(arguments.folder)
    if newest is None:
        print(f"no full run in {arguments.folder}: run `make bench`", file=sys.stderr)
        return 0 if arguments.check else 1
    kept = results.read(newest)
    parts = results.kept_parts(arguments.folder, kept)
    page, picture = replaced(PAGE.read_text("utf-8"), generated(kept, parts)), drawn(kept)
    if not arguments.check:
        PAGE.write_text(page, "utf-8")
        PICTURE.write_text(picture, "utf-8")
        return 0
    stale = [
        path.relative_to(ROOT)
        for path, text in ((PAGE, page), (PICTURE, picture))
        if not path.exists() or path.read_text("utf-8") != text
    ]
    for path in stale:
        print(f"{path} is not what {newest.name} says: run `make bench-page`")
    return 1 if stale else 0


def replaced(page: str, part: str) -> str:
    """Return the page with `part` between its markers. Raises ValueError where they lack."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("the page has no marker lines for its generated part")
    return f"{before}{BEGIN}\n\n{part}\n{END}{after}"


def generated(kept: Stored, since: Sequence[Stored] = ()) -> str:
    """Return the generated part for a stored full run, and for runs of a part `since` then."""
    outcome = results.outcome_of(kept)
    ratios, shares = results.ratios(outcome), results.shares(outcome)
    parts = [_how(kept), *_figures(outcome)]
    if ratios:
        parts += ["![How many times as much Penstock does as each peer](performance.svg)\n"]
        parts += ["### How many times as much Penstock does\n", *_ratios(ratios)]
    if shares:
        parts += ["### Shares of the floors\n", *_shares(shares)]
    if over := results.over_postgres(outcome):
        parts += ["### One node over PostgreSQL, by one over rocksdb\n", *_over_postgres(over)]
    parts += ["### Medians\n", *_medians(kept, outcome)]
    parts += [f"- {told}." for told in lacking(outcome)]
    for part in since:
        parts += _alone(part)
    return "\n".join(parts)


def _alone(kept: Stored) -> Iterator[str]:
    """Yield what a run of a part has measured."""
    outcome = results.outcome_of(kept)
    yield f"\n### Measured since then, in a run of its own at {kept['commit']}\n"
    yield _how(kept)
    measured = [each for each in FIGURES if each.verdict(outcome) is not Verdict.UNKNOWN]
    yield from _table(_FIGURE_HEAD, [_row(each, outcome) for each in measured])
    for remark in remarks(outcome):
        yield f"{remark}\n"
    if over := results.over_postgres(outcome):
        yield from _over_postgres(over)
    yield from _medians(kept, outcome)


def drawn(kept: Stored) -> str:
    """Return the picture for a stored run."""
    quantities = {name: quantity.title for name, quantity in QUANTITIES.items()}
    ratios = results.ratios(results.outcome_of(kept))
    servers = {server: title_of(server) for each in ratios.values() for server in each}
    return plot.svg(ratios, quantities, servers)


def _how(kept: Stored) -> str:
    machine, plan = kept["machine"], kept["plan"]
    system = machine["system"]
    if file_system := machine.get("file_system"):  # not told everywhere, nor in older files
        system += f", stores on {file_system}"
    versions = ", ".join(
        f"{each['title']} {each['version']}"
        for name, each in kept["servers"].items()
        if name != FLOOR
    )
    return (
        f"Measured on {kept['at'][:10]} at commit {kept['commit']}: {machine['processors']} "
        f"processors ({machine['processor']}), {system}, Python {machine['python']}; "
        f"{plan['connections']} connections, {plan['threads']} thread(s) of wrk, {plan['rounds']} "
        f"rounds of {plan['seconds']:g} s ({plan['other_seconds']:g} s for the floors and the open "
        f"peers). {versions}.\n"
    )


_FIGURE_HEAD = ("figure", "measured", "lowest–highest round", "target", "")


def _figures(outcome: Outcome) -> Iterator[str]:
    reasons: dict[str, list[str]] = {}
    for each in FIGURES:
        if each.verdict(outcome) is Verdict.UNKNOWN:
            reasons.setdefault(each.why(outcome), []).append(each.title)
    yield from _table(_FIGURE_HEAD, [_row(each, outcome) for each in FIGURES])
    for reason, titles in reasons.items():
        yield f"Not measured, because {reason}: {'; '.join(titles)}.\n"
    for remark in remarks(outcome):
        yield f"{remark}\n"


def _row(each: Figure, outcome: Outcome) -> list[str]:
    verdict = each.verdict(outcome)
    word = verdict.value if verdict is not Verdict.FAILS else f"**{verdict.value}**"
    told, rounds = each.told(outcome), each.told_rounds(outcome)
    return [each.title, told, rounds, each.told_target(), word]


def _ratios(found: Ratios) -> Iterator[str]:
    servers = list(dict.fromkeys(server for each in found.values() for server in each))
    rows = [
        [
            QUANTITIES[name].title,
            *(f"{each[server]:.1f}" if server in each else "" for server in servers),
        ]
        for name, each in found.items()
    ]
    yield from _table(["", *(title_of(server) for server in servers)], rows)


def _shares(found: Ratios) -> Iterator[str]:
    floors = list(dict.fromkeys(floor for each in found.values() for floor in each))
    rows = [
        [
            QUANTITIES[name].title,
            *(f"{each[floor]:.2f}" if floor in each else "" for floor in floors),
        ]
        for name, each in found.items()
    ]
    yield from _table(["", *(title_of(floor) for floor in floors)], rows)


def _over_postgres(found: Mapping[str, float]) -> Iterator[str]:
    rows = [[QUANTITIES[name].title, f"{each:.2f}"] for name, each in found.items()]
    yield from _table(["", "PostgreSQL ÷ rocksdb"], rows)


def _medians(kept: Stored, outcome: Outcome) -> Iterator[str]:
    servers = sorted(kept["values"], key=lambda name: name != PENSTOCK)
    rows = []
    for name, quantity in QUANTITIES.items():
        if quantity.is_remark:
            continue
        medians = [outcome.median(server, name) for server in servers]
        if any(median is not None for median in medians):
            cells = ["" if each is None else f"{each:,.{quantity.digits}f}" for each in medians]
            rows.append([f"{quantity.title}, {quantity.unit}", *cells])
    yield from _table(["", *(title_of(server) for server in servers)], rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|---" + "|---:" * (len(head) - 1) + "|"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""
