"""The errors of expressions without the clause that names an expression: a statement has none."""

from collections.abc import Iterator
from contextlib import contextmanager

from penstock.base.errors.api import ApiError
from penstock.base.errors.dynamodb import validation


@contextmanager
def bare(kind: str) -> Iterator[None]:
    """Take the opening `Invalid <kind>: ` off the text of every error inside."""
    try:
        yield
    except ApiError as error:
        raise validation((error.message or "").removeprefix(f"Invalid {kind}: ")) from None
