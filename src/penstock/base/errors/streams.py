"""The errors of the DynamoDB Streams service: one constructor each.

Texts: AWS, as quoted in public issues and recorded snapshots, 2026-10; those of GetRecords beyond
its limits are our own.
"""

from penstock.base.errors import dynamodb, tables
from penstock.base.errors.api import ApiError


def stream_not_found(arn: str) -> ApiError:
    """Return the error for a well-formed stream ARN that names no stream."""
    return ApiError(
        "ResourceNotFoundException", f"Requested resource not found: Stream: {arn} not found"
    )


def shard_not_found() -> ApiError:
    """Return the error for a shard id that the stream does not have."""
    return ApiError(
        "ResourceNotFoundException", "Requested resource not found: Shard does not exist"
    )


def expired_iterator() -> ApiError:
    """Return the error for an iterator older than 15 minutes."""
    return ApiError("ExpiredIteratorException", "Shard iterator has expired")


def trimmed() -> ApiError:
    """Return the error for reading before the trim horizon."""
    return ApiError(
        "TrimmedDataAccessException", "The data you are trying to access has been trimmed"
    )


def wait_out_of_range(ms_max: int) -> ApiError:
    """Return the error for a wait that is none; the header is our own, and so is the text."""
    return dynamodb.validation(
        f"X-Penstock-Wait-Ms must be a whole number of milliseconds from 0 to {ms_max}"
    )


def too_many_readers() -> ApiError:
    """Return the error for GetRecords of a shard that two others are reading.

    The code is that of botocore's model, which describes it with these words.
    """
    return ApiError(
        "LimitExceededException",
        "More than 2 processes are reading from the same streams shard at the same time.",
    )


def read_rate_exceeded() -> ApiError:
    """Return the error for GetRecords of a stream that was read at more than its rate."""
    return ApiError(
        "LimitExceededException",
        "The stream is read at more than twice the write capacity of its table.",
    )


def call_rate_exceeded() -> ApiError:
    """Return the error for ListStreams and DescribeStream called too often.

    AWS, 2018: `Rate exceeded` is quoted of the streams endpoint in a public issue.
    """
    return tables.throttled("Rate exceeded")
