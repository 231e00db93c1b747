"""The errors of the test controls, which AWS does not have: one constructor each."""

from collections.abc import Iterable

from penstock.base.errors.api import ApiError
from penstock.base.errors.dynamodb import serialization, validation


def unknown_members(unknown: Iterable[str], known: Iterable[str]) -> ApiError:
    """Return the error for members that an action does not have; `known` are those it has."""
    there_are = ", ".join(known) or "none"
    return validation(f"Unknown members: {', '.join(unknown)}; there are: {there_are}")


def not_whole(path: str) -> ApiError:
    """Return the error for a number with decimals at `path`, where a whole one has to stand."""
    return serialization(f"DECIMAL_VALUE at '{path}' is not a whole number")


def not_together(one: str, other: str) -> ApiError:
    """Return the error for two members that exclude each other."""
    return validation(f"{one} and {other} cannot be given together")


def neither(one: str, other: str) -> ApiError:
    """Return the error for a request with none of two members of which it needs one."""
    return validation(f"Either {one} or {other} has to be given")


def table_without_stream(name: str) -> ApiError:
    """Return the error for a table that never had a stream."""
    return validation(f"Table has no stream: TableName: {name}")


def time_out_of_range(ms_max: int) -> ApiError:
    """Return the error for moving the clock beyond `ms_max` epoch milliseconds."""
    return validation(f"The clock cannot be moved beyond {ms_max}")


def catch_up_timeout(seconds_max: float) -> ApiError:
    """Return the error for background jobs that take longer than a request may wait for them."""
    return ApiError(
        "CatchUpTimeout", f"The background jobs have not caught up within {seconds_max:g} s"
    )
