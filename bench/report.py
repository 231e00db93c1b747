"""What a run came to, in tables for the terminal."""

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.figures import Verdict, figures_of
from bench.outcome import NOT_ASKED_FOR, Outcome
from bench.register import QUANTITIES, title_of
from bench.remarks import lacking, remarks
from bench.results import over_postgres, ratios, shares

COLOURS = {Verdict.HOLDS: "green", Verdict.FAILS: "red", Verdict.UNKNOWN: "yellow"}


def show(console: Console, kind: str, outcome: Outcome) -> None:
    """Print the figures to reach, the medians, and the shares."""
    console.print(figures_table(kind, outcome))
    _show_reasons(console, kind, outcome)
    if outcome.values:
        console.print(medians_table(outcome))
    for told in lacking(outcome):
        console.print(f"[yellow]not measured[/]: {escape(told)}", highlight=False)
    if shares(outcome):
        console.print(shares_table(outcome))
    if over_postgres(outcome):
        console.print(over_postgres_table(outcome))
    for failure in outcome.failures:
        console.print(f"[red]FAILED[/] {escape(failure)}", highlight=False)
    for told in (*remarks(outcome), *outcome.asides):
        console.print(told, highlight=False, markup=False)


def figures_table(kind: str, outcome: Outcome) -> Table:
    """Return the table of the figures to reach."""
    table = Table(title="The figures to reach", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("figure", overflow="fold")
    table.add_column("measured", justify="right")
    table.add_column("rounds", justify="right", no_wrap=True)
    table.add_column("target", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for each in figures_of(kind):
        verdict = each.verdict(outcome)
        target = each.told_target(with_unit=verdict is Verdict.UNKNOWN)
        word = f"[{COLOURS[verdict]}]{verdict.value}[/]"
        table.add_row(each.title, each.told(outcome), each.told_rounds(outcome), target, word)
    return table


def _show_reasons(console: Console, kind: str, outcome: Outcome) -> None:
    """Tell once each why figures are not measured, with all the figures that lack for it."""
    unknown: dict[str, list[str]] = {}
    for each in figures_of(kind):
        if each.verdict(outcome) is Verdict.UNKNOWN:
            unknown.setdefault(each.why(outcome), []).append(each.title)
    for reason, titles in unknown.items():
        console.print(f"[yellow]not measured[/]: {escape(reason)}", highlight=False)
        for title in titles:
            console.print(f"    {title}", highlight=False)
    for server, reason in outcome.absent.items():
        if reason not in unknown and reason != NOT_ASKED_FOR:
            console.print(f"[yellow]{title_of(server)}[/]: {escape(reason)}", highlight=False)


def medians_table(outcome: Outcome) -> Table:
    """Return the table of all medians, and of how many times as good Penstock's are."""
    found = ratios(outcome)
    table = Table(title="Medians", title_justify="left")
    table.add_column("", overflow="fold")
    table.add_column("")
    table.add_column("median", justify="right")
    table.add_column("Penstock is", justify="right")
    for name, quantity in QUANTITIES.items():
        if quantity.is_remark:
            continue
        label = f"{quantity.title}, {quantity.unit}"
        for server in outcome.values:
            median = outcome.median(server, name)
            if median is not None:
                ratio = found.get(name, {}).get(server)
                shown = "" if ratio is None else f"{ratio:,.1f}×"
                table.add_row(label, title_of(server), f"{median:,.{quantity.digits}f}", shown)
                label = ""
    return table


def shares_table(outcome: Outcome) -> Table:
    """Return the table of Penstock's shares of the floors."""
    table = Table(title="Penstock's shares of the floors", title_justify="left")
    table.add_column("")
    found = shares(outcome)
    floors = list(dict.fromkeys(floor for each in found.values() for floor in each))
    for floor in floors:
        table.add_column(title_of(floor), justify="right")
    for name, each in found.items():
        cells = [f"{each[floor]:.2f}" if floor in each else "" for floor in floors]
        table.add_row(QUANTITIES[name].title, *cells)
    return table


def over_postgres_table(outcome: Outcome) -> Table:
    """Return the table of what one node over PostgreSQL does of what one over rocksdb does."""
    table = Table(title="One node over PostgreSQL, by one over rocksdb", title_justify="left")
    table.add_column("")
    table.add_column("PostgreSQL ÷ rocksdb", justify="right")
    for name, ratio in over_postgres(outcome).items():
        table.add_row(QUANTITIES[name].title, f"{ratio:.2f}")
    return table
