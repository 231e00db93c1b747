"""The errors of the test controls, which AWS does not have: one constructor each."""

from collections.abc import Iterable, Sequence

from penstock.base.errors.api import ApiError
from penstock.base.errors.dynamodb import serialization, unavailable, validation

_SHOWN_MAX = 10


def from_a_page() -> ApiError:
    """Return the error for a request that a page in a browser has sent."""
    return ApiError(
        "AccessDeniedException",
        "Test controls are not for pages in a browser: the request has an Origin header",
    )


def unknown_members(unknown: Iterable[str], known: Iterable[str]) -> ApiError:
    """Return the error for members that an action does not have; `known` are those it has."""
    there_are = ", ".join(known) or "none"
    return validation(f"Unknown members: {', '.join(unknown)}; there are: {there_are}")


def not_whole(path: str | None) -> ApiError:
    """Return the error for a number with decimals at `path`, where a whole one has to stand."""
    return serialization(f"DECIMAL_VALUE at '{path}' is not a whole number")


def not_a_number(path: str | None) -> ApiError:
    """Return the error for what is no number at `path`, where one has to stand."""
    return serialization(f"The value at '{path}' is not a number")


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


def catch_up_failed(failures: Iterable[tuple[str, Exception]]) -> ApiError:
    """Return the error for background jobs that failed; `failures` name them and say with what."""
    shown = "; ".join(f"{job} ({error!r})" for job, error in failures)
    return ApiError(
        "CatchUpFailed",
        f"Background jobs have failed: {shown}. They run again by themselves; the clock stays where"
        " it was moved to",
    )


def stopping() -> ApiError:
    """Return the error for an action that waits while the server stops."""
    return unavailable("The server is stopping")


def only_with(member: str, other: str) -> ApiError:
    """Return the error for a member that means nothing without another."""
    return validation(f"{member} can only be given with {other}")


def too_many_faults(most: int) -> ApiError:
    """Return the error for one fault more than are kept."""
    return ApiError(
        "LimitExceededException", f"There are {most} faults that may still fire; clear some"
    )


def fault_not_found(fault_id: str) -> ApiError:
    """Return the error for a fault that was never made, or was cleared."""
    return ApiError("ResourceNotFoundException", f"No such fault: {fault_id}")


def drain_timeout(
    consumer: str,
    table_name: str,
    seconds_max: float,
    behind: Sequence[tuple[str, str, int]],
    most: int,
    known: Sequence[str],
) -> ApiError:
    """Return the error for a consumer that has not read all of a table in time.

    `behind` has the stream's ARN, the shard's id and the records not read of each shard, of which
    no more than `most` were counted. `known` are the consumers that there are.
    """
    shown = [
        f"{shard_id} by {'at least ' if records >= most else ''}{records}"
        for _, shard_id, records in behind[:_SHOWN_MAX]
    ]
    if len(behind) > _SHOWN_MAX:
        shown.append(f"and {len(behind) - _SHOWN_MAX} more shards")
    text = f"Consumer {consumer} is behind in table {table_name} after {seconds_max:g} s"
    if consumer not in known:
        names = ", ".join(known[:_SHOWN_MAX]) or "nobody"
        text = f"No consumer {consumer} has called GetRecords ({names} has). {text}"
    return ApiError(
        "DrainTimeout",
        f"{text}, in records: {', '.join(shown)}",
        members={
            "Shards": [
                {"StreamArn": stream_arn, "ShardId": shard_id, "RecordsBehind": records}
                for stream_arn, shard_id, records in behind
            ]
        },
    )
