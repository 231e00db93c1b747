"""Numbers: DynamoDB's decimals, kept exactly, in one plain spelling for each value.

A canonical number is text: plain decimal, no exponent, no plus sign, no zeros that mean nothing,
`0` for every zero. Two numbers are equal exactly when their canonical texts are. It has at most 38
significant digits, and its leading digit stands between 10**-130 and 10**125.
"""

import re
from decimal import Context, Decimal
from typing import NamedTuple

from penstock.base.errors.api import ApiError
from penstock.base.errors.dynamodb import validation
from penstock.base.limits import number_digits_max, number_exponent_max, number_exponent_min

# Most numbers arrive in their canonical spelling. So few digits break no limit. "-0" must go on.
_ORDINARY = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{0,17}[1-9])?").fullmatch
_GLANCE_DIGITS_MAX = 18
_NUMBER = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?)([0-9]+))?").fullmatch
_EXPONENT_DIGITS_MAX = (
    12  # a request cannot hold a mantissa long enough to bring more back in range
)

# Exact sums: the digits from 10**126 down to 10**-167 and a carry, with room to spare.
_EXACT = Context(prec=400, traps=[])
_INTEGER_CHARS_MAX = 37  # two such integers have a sum of at most 38 digits


class Scientific(NamedTuple):
    """A number as d.ddd x 10**exponent, `digits` being all its digits without the point.

    They neither begin nor end with 0; zero has no digits, exponent 0, and is not negative.
    """

    negative: bool
    digits: str
    exponent: int


def canonical_number(text: str) -> str:
    """Return the canonical spelling of the number that `text` spells.

    Raises ValidationException where it is no number, too large, too small or has too many digits
    (texts: AWS, 2026-10; the magnitude is judged before the digits).
    """
    return text if is_canonical(text) else _plain(_parse(text))


def is_canonical(text: str) -> bool:
    """Say whether `text` is known at a glance to be a canonical number, as most are that arrive."""
    if text.isdigit() and text[0] != "0" and len(text) <= _GLANCE_DIGITS_MAX:
        return text.isascii()
    return _ORDINARY(text) is not None and text != "-0"


def scientific(canonical: str) -> Scientific:
    """Return the sign, the significant digits and the exponent of a canonical number."""
    negative = canonical[0] == "-"
    whole, _, fraction = (canonical[1:] if negative else canonical).partition(".")
    if whole != "0":
        return Scientific(negative, (whole + fraction).rstrip("0"), len(whole) - 1)
    digits = fraction.lstrip("0")
    return Scientific(negative, digits, len(digits) - len(fraction) - 1 if digits else 0)


def number_bytes(canonical: str) -> int:
    """Return the size of a number in bytes: one, one for a minus, and one per pair of digits.

    The pairs are those of base 100, so 12 has one and 1.2 has two; zero has none (dynalite, checked
    against AWS).
    """
    if canonical.isdigit():
        whole = len(canonical)
        return 1 + (len(canonical.rstrip("0")) + whole % 2 + 1) // 2 if canonical != "0" else 1
    negative, digits, exponent = scientific(canonical)
    if not digits:
        return 1
    alone = 1 - exponent % 2  # the leading digit has its pair to itself
    return 1 + (len(digits) + alone + 1) // 2 + negative


def add(a: str, b: str) -> str:
    """Return the exact sum of two canonical numbers, canonical.

    Raises ValidationException where the sum is out of range; needing more than 38 digits is
    reported as an overflow (ScyllaDB Alternator, checked against AWS).
    """
    if _both_short_integers(a, b):
        return str(int(a) + int(b))
    return _from_decimal(_EXACT.add(Decimal(a), Decimal(b)))


def subtract(a: str, b: str) -> str:
    """Return the exact difference of two canonical numbers, canonical; errors as `add`."""
    if _both_short_integers(a, b):
        return str(int(a) - int(b))
    return _from_decimal(_EXACT.subtract(Decimal(a), Decimal(b)))


def as_decimal(text: str) -> Decimal:
    """Return a canonical number as an exact Decimal, for sorting and comparing."""
    return Decimal(text)


def _both_short_integers(a: str, b: str) -> bool:
    return (
        len(a) <= _INTEGER_CHARS_MAX
        and len(b) <= _INTEGER_CHARS_MAX
        and "." not in a
        and "." not in b
    )


def _parse(text: str) -> Scientific:
    """Return what `text` spells; a huge exponent costs no more than a small one."""
    match = _NUMBER(text)
    if match is None or not (match[2] or match[3]):
        raise _not_a_number(text)
    sign, whole, fraction, exponent_sign, exponent_digits = match.groups(default="")
    significant = (whole + fraction).lstrip("0")
    if not significant:
        return Scientific(False, "", 0)
    exponent = len(significant) - len(fraction) - 1
    shift = _bounded(exponent_digits.lstrip("0"))
    exponent += -shift if exponent_sign == "-" else shift
    return Scientific(sign == "-", significant.rstrip("0"), exponent)


def _bounded(exponent_digits: str) -> int:
    """Return the number that the digits spell, or one as far out of range where it is huge."""
    return int(exponent_digits[:_EXPONENT_DIGITS_MAX] or "0")


def _plain(number: Scientific) -> str:
    """Spell `number` in plain decimal, or raise for the limit that it breaks."""
    negative, digits, exponent = number
    if exponent > number_exponent_max:
        raise _overflow()
    if exponent < number_exponent_min:
        raise _underflow()
    if len(digits) > number_digits_max:
        raise _too_many_digits()
    if not digits:
        return "0"
    sign = "-" if negative else ""
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
    whole = exponent + 1
    if len(digits) <= whole:
        return sign + digits + "0" * (whole - len(digits))
    return f"{sign}{digits[:whole]}.{digits[whole:]}"


def _from_decimal(result: Decimal) -> str:
    """Spell the exact result of arithmetic; AWS calls a result of too many digits an overflow."""
    sign, digits, exponent = result.as_tuple()
    assert isinstance(exponent, int)  # finite numbers only: the operands were
    significant = "".join(map(str, digits)).lstrip("0")
    if not significant:
        return "0"
    stripped = significant.rstrip("0")
    if len(stripped) > number_digits_max:
        raise _overflow()
    return _plain(Scientific(sign == 1, stripped, exponent + len(significant) - 1))


def _not_a_number(text: str) -> ApiError:
    message = "The parameter cannot be converted to a numeric value"
    return validation(f"{message}: {text}" if text else message)


def _too_many_digits() -> ApiError:
    return validation(
        f"Attempting to store more than {number_digits_max} significant digits in a Number"
    )


def _overflow() -> ApiError:
    return validation(
        "Number overflow. Attempting to store a number with magnitude larger than supported range"
    )


def _underflow() -> ApiError:
    return validation(
        "Number underflow. Attempting to store a number with magnitude smaller than supported range"
    )
