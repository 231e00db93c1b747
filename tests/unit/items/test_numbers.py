"""Numbers: spellings, limits, sizes and exact arithmetic."""

import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from item_strategies import EXACT, number_texts
from penstock.base.errors.api import ApiError
from penstock.items.numbers import (
    add,
    as_decimal,
    canonical_number,
    number_bytes,
    scientific,
    subtract,
)

OVERFLOW = (
    "Number overflow. Attempting to store a number with magnitude larger than supported range"
)
UNDERFLOW = (
    "Number underflow. Attempting to store a number with magnitude smaller than supported range"
)
TOO_MANY_DIGITS = "Attempting to store more than 38 significant digits in a Number"
NOT_A_NUMBER = "The parameter cannot be converted to a numeric value"


def refusal(text: str) -> str | None:
    """Return the text with which a number is refused."""
    with pytest.raises(ApiError) as caught:
        canonical_number(text)
    assert caught.value.code == "ValidationException"
    return caught.value.message


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("0", "0"),
        ("7", "7"),
        ("007", "7"),
        ("+3", "3"),
        ("-3", "-3"),
        ("1.0", "1"),
        ("1.", "1"),
        (".5", "0.5"),
        ("-.50", "-0.5"),
        ("-0", "0"),
        ("+0", "0"),
        ("-0.00", "0"),
        ("0e5", "0"),
        ("0e999999999999999", "0"),
        ("1e3", "1000"),
        ("1E3", "1000"),
        ("1.50e2", "150"),
        ("1234e-2", "12.34"),
        ("100e-2", "1"),
        ("0001e0003", "1000"),
        ("10.01", "10.01"),
        ("1e125", "1" + "0" * 125),
        ("1e-130", "0." + "0" * 129 + "1"),
        ("9" * 38, "9" * 38),
        ("9" * 38 + "e88", "9" * 38 + "0" * 88),
        ("0." + "0" * 500 + "1e501", "1"),
        ("1" + "0" * 500 + "e-500", "1"),
    ],
)
def test_every_spelling_has_one_canonical_form(text: str, canonical: str) -> None:
    """Numbers come back in plain decimal without anything that means nothing."""
    assert canonical_number(text) == canonical


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1" * 39, TOO_MANY_DIGITS),
        ("0." + "1" * 39, TOO_MANY_DIGITS),
        ("-1" + "0" * 37 + "1", TOO_MANY_DIGITS),
        ("1e126", OVERFLOW),
        ("-1e126", OVERFLOW),
        ("0.1e127", OVERFLOW),
        ("1" + "0" * 126, OVERFLOW),
        ("1" * 127, OVERFLOW),
        ("1e999999999", OVERFLOW),
        ("1e" + "9" * 5000, OVERFLOW),
        ("1e-131", UNDERFLOW),
        ("-1e-131", UNDERFLOW),
        ("0." + "0" * 130 + "1", UNDERFLOW),
        ("1e-999999999", UNDERFLOW),
        ("1e-" + "9" * 5000, UNDERFLOW),
    ],
)
def test_numbers_out_of_range_are_refused(text: str, message: str) -> None:
    """Digits and magnitude have limits, with AWS's texts; the magnitude is judged first."""
    assert refusal(text) == message


@pytest.mark.parametrize(
    "text",
    [
        *("NaN", "Infinity", "-Infinity", "inf", "abc", "0x1", "1,0", "1_0", "½"),
        *(" ", " 1", "1 ", "1\n", "٣", "１", "1e٣"),
        *("+-1", "--1", "1.2.3", ".", "-", "+", "e5", ".e5", "1e", "1e+", "1e1.5"),
    ],
)
def test_what_is_no_number_is_refused_by_name(text: str) -> None:
    """Junk, blanks, underscores and digits of other scripts are not numbers."""
    assert refusal(text) == f"{NOT_A_NUMBER}: {text}"


def test_empty_text_is_refused_without_a_name() -> None:
    """The empty text has nothing to quote."""
    assert refusal("") == NOT_A_NUMBER


@pytest.mark.parametrize(
    "text",
    ["0" * 300_000 + "x", "1e" + "0" * 300_000 + "x", "1e" + "9" * 300_000, "." + "0" * 300_000],
)
def test_long_texts_take_linear_time(text: str) -> None:
    """No text makes the parser look at it over and over."""
    start = time.process_time()
    with pytest.raises(ApiError):
        canonical_number(text + "e" if text[0] == "." else text)
    assert time.process_time() - start < 1


@given(number_texts())
def test_the_canonical_form_keeps_the_value_and_is_its_own(text: str) -> None:
    """Canonical form is idempotent, loses nothing, and is the plain form of the value."""
    canonical = canonical_number(text)
    assert Decimal(canonical) == Decimal(text)
    assert canonical_number(canonical) == canonical
    assert "e" not in canonical.lower()


@given(st.text(max_size=12) | st.text("0123456789+-.eE_ ", max_size=12))
def test_any_text_is_a_number_or_a_validation_error(text: str) -> None:
    """Nothing but ApiError comes out, and what is accepted means what Python's Decimal says."""
    try:
        canonical = canonical_number(text)
    except ApiError as error:
        assert error.code == "ValidationException"
    else:
        assert Decimal(canonical) == Decimal(text)


@pytest.mark.parametrize(
    ("canonical", "size"),
    [
        ("0", 1),
        ("1", 2),
        ("10", 2),
        ("100", 2),
        ("12", 2),
        ("1.2", 3),
        ("0.12", 2),
        ("0.012", 3),
        ("123", 3),
        ("-1", 3),
        ("-12", 3),
        ("-1.2", 4),
        ("9" * 38, 20),
        ("9." + "9" * 37, 21),
        ("-9." + "9" * 37, 22),
        ("1" + "0" * 125, 2),
        ("0." + "0" * 129 + "1", 2),
    ],
)
def test_the_size_of_a_number_counts_its_pairs_of_digits(canonical: str, size: int) -> None:
    """One byte, one per pair of base-100 digits, one for the sign; zeros at either end are free."""
    assert number_bytes(canonical) == size


@given(number_texts())
def test_scientific_parts_make_the_number_again(text: str) -> None:
    """Sign, digits and exponent are the number's own, and all digits are significant."""
    canonical = canonical_number(text)
    negative, digits, exponent = scientific(canonical)
    assert not digits.startswith("0")
    assert not digits.endswith("0")
    shift = exponent - len(digits) + 1 if digits else 0
    value = EXACT.scaleb(Decimal(digits or "0"), shift)
    assert Decimal(canonical) == (value.copy_negate() if negative else value)


@given(number_texts(), number_texts())
def test_sums_and_differences_are_exact_or_refused(a: str, b: str) -> None:
    """Arithmetic loses no digit: it gives the exact result, or says why it cannot."""
    a, b = canonical_number(a), canonical_number(b)
    for ours, exact in (
        (add, EXACT.add(Decimal(a), Decimal(b))),
        (subtract, EXACT.subtract(Decimal(a), Decimal(b))),
    ):
        holds = not exact or (
            len(exact.normalize(EXACT).as_tuple().digits) <= 38 and -130 <= exact.adjusted() <= 125
        )
        if holds:
            assert ours(a, b) == canonical_number(format(exact, "f"))
        else:
            with pytest.raises(ApiError, match=r"Number (over|under)flow"):
                ours(a, b)


@pytest.mark.parametrize(
    ("a", "b", "total"),
    [
        ("1", "2", "3"),
        ("0.1", "0.2", "0.3"),
        ("-5", "5", "0"),
        ("-0.5", "0.5", "0"),
        ("9" * 37, "1", "1" + "0" * 37),
        ("9" * 38, "1", "1" + "0" * 38),
        ("-" + "9" * 36, "-1", "-1" + "0" * 36),
        ("1" + "0" * 125, "1" + "0" * 125, "2" + "0" * 125),
    ],
)
def test_add(a: str, b: str, total: str) -> None:
    """Sums are canonical, of short integers and of all others alike."""
    assert add(a, b) == total
    assert subtract(total, b) == a


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ("1" + "0" * 38, "1", OVERFLOW),
        ("1", "0." + "0" * 40 + "1", OVERFLOW),
        ("1" + "0" * 125, "0." + "0" * 129 + "1", OVERFLOW),
        ("9" + "0" * 125, "1" + "0" * 125, OVERFLOW),
        ("-9" + "0" * 125, "-1" + "0" * 125, OVERFLOW),
        ("0." + "0" * 129 + "12", "-0." + "0" * 129 + "1", UNDERFLOW),
    ],
)
def test_add_out_of_range(a: str, b: str, message: str) -> None:
    """A result of more than 38 digits is an overflow; one too small is an underflow."""
    with pytest.raises(ApiError) as caught:
        add(a, b)
    assert caught.value.message == message


@given(number_texts())
def test_as_a_decimal_a_number_keeps_its_value(text: str) -> None:
    """Numbers are ordered by value, over their whole range."""
    assert as_decimal(canonical_number(text)) == Decimal(text)
