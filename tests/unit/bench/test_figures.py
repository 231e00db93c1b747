"""Medians, ratios, and whether the figures to reach hold."""

import pytest

from bench import results
from bench.figures import FIGURES, QUICK_FIGURES, Figure, Verdict
from bench.outcome import Outcome
from bench.register import ALL_SERVERS, QUANTITIES
from bench.servers import ENGINE, FLOOR, LOCAL_DISK, PENSTOCK
from unit.bench.outcomes import whole_run


def figure(title: str) -> Figure:
    """Return the figure whose title begins so."""
    (found,) = (each for each in FIGURES if each.title.startswith(title))
    return found


def test_the_median_is_the_middle_of_the_rounds() -> None:
    outcome = Outcome()
    for value in (5.0, 100.0, 7.0):
        outcome.add("penstock", "put", value)
    assert outcome.median("penstock", "put") == 7.0
    outcome.add("penstock", "put", 9.0)
    assert outcome.median("penstock", "put") == 8.0


def test_there_is_no_ratio_where_one_of_two_is_missing_or_nothing() -> None:
    outcome = Outcome()
    outcome.add("penstock", "put", 5.0)
    assert outcome.ratio(("penstock", "put"), ("floor", "put")) is None
    assert outcome.ratio(("floor", "put"), ("penstock", "put")) is None
    outcome.add("floor", "put", 0.0)
    assert outcome.ratio(("penstock", "put"), ("floor", "put")) is None


def test_what_failed_in_a_later_round_has_no_median() -> None:
    outcome = Outcome()
    outcome.add("penstock", "put", 5.0)
    outcome.lack("penstock", "put", "failed: 3 refused")
    assert outcome.median("penstock", "put") is None
    assert outcome.why("penstock", "put") == "failed: 3 refused"


@pytest.mark.parametrize(
    ("title", "value", "verdict"),
    [
        ("durable PutItem with stream ÷ DynamoDB Local on disk", 30, Verdict.HOLDS),
        ("durable PutItem with stream ÷ DynamoDB Local in memory", 9, Verdict.HOLDS),
        ("PutItem with stream ÷ without stream", 1, Verdict.HOLDS),
        ("GetItem ÷ DynamoDB Local in memory", 5, Verdict.HOLDS),
        ("BatchWriteItem, items ÷ its own PutItem", 2.5, Verdict.HOLDS),
        ("BatchWriteItem, items ÷ DynamoDB Local in memory", 9, Verdict.FAILS),
        ("draining a stream ÷ DynamoDB Local", 8, Verdict.HOLDS),
        ("share of the bare HTTP floor, GetItem", 0.4, Verdict.FAILS),
        ("share of the bare HTTP floor, PutItem", 0.25, Verdict.FAILS),
        ("start to healthy", 0.7, Verdict.FAILS),
        ("idle memory", 89, Verdict.HOLDS),
    ],
)
def test_each_figure_is_made_of_its_own_medians(title: str, value: float, verdict: Verdict) -> None:
    outcome = whole_run()
    assert figure(title).value(outcome) == pytest.approx(value)
    assert figure(title).verdict(outcome) is verdict


def test_a_figure_that_is_not_measured_says_why() -> None:
    outcome = whole_run()
    outcome.values.pop(LOCAL_DISK)
    outcome.absent[LOCAL_DISK] = "DynamoDB Local is not named"
    first = FIGURES[0]
    assert first.verdict(outcome) is Verdict.UNKNOWN
    assert first.why(outcome) == "DynamoDB Local is not named"
    assert figure("PutItem at 10,000,000").why(outcome) == "not part of this run"
    assert figure("idle memory").why(outcome) == ""


def test_within_one_server_the_median_of_the_rounds_ratios_counts() -> None:
    outcome = Outcome()
    rounds = {"put": (100.0, 50.0, 90.0), "put-plain": (100.0, 100.0, 45.0)}
    for quantity, values in rounds.items():
        for value in values:
            outcome.add(PENSTOCK, quantity, value)
            outcome.add(LOCAL_DISK, quantity, value / 30)
    paired, of_peer = figure("PutItem with stream ÷ without"), FIGURES[0]
    assert paired.value(outcome) == 1.0  # the ratio of medians would be 0.9
    assert paired.told_rounds(outcome) == "0.50–2.00"
    assert of_peer.value(outcome) == pytest.approx(90 / 3)
    assert figure("share of the bare HTTP floor, PutItem").value(outcome) is None


def test_rounds_of_which_one_is_missing_or_nothing_have_what_ratios_they_can() -> None:
    outcome = Outcome({"penstock": {"a": [1, 2, 3], "b": [2, 2], "c": [1, 0, 1]}})
    assert outcome.round_ratios(("penstock", "a"), ("penstock", "b")) == [0.5, 1.0]
    assert outcome.round_ratios(("penstock", "a"), ("penstock", "c")) == []
    assert outcome.round_ratios(("penstock", "a"), ("floor", "a")) == []


def test_a_pace_that_is_not_reached_fails_the_figure_and_is_told() -> None:
    outcome = Outcome()
    for pace in (998, 870, 1000):
        outcome.add(PENSTOCK, "receipt-median", 0.7)
        outcome.add(PENSTOCK, "receipt-pace", pace)
    receipt = figure("acknowledged write to receipt, median")
    assert receipt.verdict(outcome) is Verdict.FAILS
    assert receipt.told(outcome) == "0.70 ms at 870 writes/s"
    assert receipt.why(outcome) == "it took 870 of 1,000 writes/s"
    outcome.values[PENSTOCK]["receipt-pace"][1] = 950
    assert receipt.verdict(outcome) is Verdict.HOLDS
    assert receipt.told(outcome) == "0.70 ms"


def test_a_data_directory_in_memory_has_no_durable_figures() -> None:
    outcome = whole_run()
    outcome.is_in_memory = True
    assert figure("PutItem with stream ÷ without").verdict(outcome) is Verdict.UNKNOWN
    assert FIGURES[0].why(outcome) == "the data directory is in memory"
    assert figure("GetItem").verdict(outcome) is Verdict.HOLDS
    assert figure("idle memory").verdict(outcome) is Verdict.HOLDS
    assert results.ratios(outcome).keys() == {"get", "drain-1"}
    assert results.shares(outcome).keys() == {"get"}


def test_next_to_nothing_below_nothing_is_nothing() -> None:
    outcome = Outcome({PENSTOCK: {"receipt-median": [-0.004, -0.002, 0.01]}})
    receipt = figure("acknowledged write to receipt, median")
    assert receipt.told(outcome) == "0.00 ms"
    assert receipt.told_rounds(outcome) == "0.00–0.01"


def test_a_target_is_told_with_its_direction_and_unit() -> None:
    assert figure("idle memory").told_target() == "≤ 90 MB"
    assert FIGURES[0].told_target() == "≥ 25.0"


def test_every_figure_is_of_quantities_and_servers_that_are_measured() -> None:
    known = {*ALL_SERVERS, FLOOR, ENGINE}
    for each in FIGURES:
        for server, quantity in filter(None, (each.top, each.bottom)):
            assert server in known
            assert quantity in QUANTITIES


def test_a_quick_run_is_about_the_first_five_rows() -> None:
    assert len(QUICK_FIGURES) == 5
    assert QUICK_FIGURES[-1].top == (PENSTOCK, "batch")
