"""Sequence numbers spell stamps: 21 digits, in the order of the stamps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.streams.sequence import sequence_number, stamp_of_sequence

stamps = st.integers(0, 2**63 - 1)


@given(stamps, stamps)
def test_numbers_have_21_digits_and_the_order_of_their_stamps(first: int, second: int) -> None:
    numbers = [sequence_number(first), sequence_number(second)]
    assert all(len(number) == 21 and number.isdecimal() for number in numbers)
    assert (numbers[0] < numbers[1]) == (first < second)


@given(stamps, st.integers(0, 19))
def test_a_number_gives_its_stamp_back_also_with_leading_zeros(stamp: int, zeros: int) -> None:
    assert stamp_of_sequence("0" * zeros + sequence_number(stamp)) == stamp


@pytest.mark.parametrize("number", [0, 10**20 - 1, 10**20 + 2**63, 10**21, 10**40 - 1])
def test_what_is_no_number_of_ours_has_no_stamp(number: int) -> None:
    assert stamp_of_sequence(str(number).zfill(21)) is None
