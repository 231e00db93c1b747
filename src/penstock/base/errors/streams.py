"""The errors of the DynamoDB Streams service: one constructor each.

Texts: AWS, as quoted in public issues and recorded snapshots, 2026-10.
"""

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
