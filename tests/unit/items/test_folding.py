"""Folding changes gives the table, and tells each change that does not fit."""

from penstock.items.folding import Change, Misfit, differing, fold

ONE, TWO, THREE = {"n": 1}, {"n": 2}, {"n": 3}
HISTORY = [
    Change("a", None, ONE),
    Change("b", None, ONE),
    Change("a", ONE, TWO),
    Change("b", ONE, None),
    Change("a", TWO, THREE),
]


def test_changes_that_fit_leave_the_table_and_no_misfit() -> None:
    assert fold(HISTORY) == ({"a": THREE}, [])


def test_a_missing_change_is_told_once_by_the_one_after_it() -> None:
    gap = [change for change in HISTORY if change.new != TWO]
    assert fold(gap) == ({"a": THREE}, [Misfit(3, HISTORY[4], ONE)])


def test_a_repeated_change_does_not_fit_what_it_left_itself() -> None:
    assert fold([HISTORY[0], HISTORY[0]]).misfits == [Misfit(1, HISTORY[0], ONE)]


def test_a_removal_of_nothing_does_not_fit_and_removes_nothing() -> None:
    removal = Change("a", ONE, None)
    assert fold([removal]) == ({}, [Misfit(0, removal, None)])


def test_tables_differ_in_changed_missing_and_surplus_items() -> None:
    left = {"same": ONE, "changed": ONE, "missing": ONE}
    right = {"same": ONE, "changed": TWO, "surplus": ONE}
    assert sorted(differing(left, right)) == ["changed", "missing", "surplus"]
    assert differing(left, dict(left)) == []
