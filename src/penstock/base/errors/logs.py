"""The errors of CloudWatch Logs: one constructor each.

Texts: AWS, as quoted in public issues, 2026-11, and our own where a docstring says so. The service
speaks JSON 1.1, and names its errors without a prefix.
"""

from penstock.base.errors.api import ApiError


def invalid_parameter(message: str) -> ApiError:
    """Return the error for a request that breaks a rule of the service."""
    return ApiError("InvalidParameterException", message, prefix="")


def serialization(message: str | None) -> ApiError:
    """Return the error for a body that is not JSON (no message) or holds a wrong JSON type."""
    return ApiError("SerializationException", message, prefix="", message_member="Message")


def unknown_action() -> ApiError:
    """Return the error for an action that the service, or this release, does not have."""
    return ApiError("UnknownOperationException", None, prefix="")


def unavailable(message: str) -> ApiError:
    """Return the error for a store that cannot answer now; clients try again."""
    return ApiError("ServiceUnavailableException", message, status=500, prefix="")


def internal_failure() -> ApiError:
    """Return the error for a bug of ours."""
    return ApiError("InternalFailure", None, status=500, prefix="")


def group_not_found() -> ApiError:
    """Return the error for a log group that does not exist."""
    return _not_found("The specified log group does not exist.")


def stream_not_found() -> ApiError:
    """Return the error for a log stream that does not exist."""
    return _not_found("The specified log stream does not exist.")


def group_exists() -> ApiError:
    """Return the error for creating a log group under a name that is taken."""
    return _exists("The specified log group already exists")


def stream_exists() -> ApiError:
    """Return the error for creating a log stream under a name that is taken."""
    return _exists("The specified log stream already exists")


def bad_token() -> ApiError:
    """Return the error for a token that no page has given."""
    return invalid_parameter("The specified nextToken is invalid.")


def invalid_pattern(why: str) -> ApiError:
    """Return the error for a filter pattern that is none, or that we do not have."""
    return invalid_parameter(f"Invalid filter pattern: {why}")


def not_one_group() -> ApiError:
    """Return the error for none or both of the members that name a group (text our own)."""
    return invalid_parameter("Either logGroupName or logGroupIdentifier has to be given, not both")


def not_together(one: str, other: str) -> ApiError:
    """Return the error for two members that exclude each other (text our own)."""
    return invalid_parameter(f"{one} and {other} cannot be given together")


def not_ours(arn: str) -> ApiError:
    """Return the error for the ARN of another account, region or service (text our own)."""
    return invalid_parameter(f"{arn} is no ARN of a log group of this account and region")


def nul_in_name() -> ApiError:
    """Return the error for a name with a character that is none (text our own)."""
    return invalid_parameter("A log stream's name cannot have the character U+0000")


def event_too_large(size_bytes: int, size_bytes_max: int) -> ApiError:
    """Return the error for an event of PutLogEvents that is too large."""
    return invalid_parameter(
        f"Log event too large: {size_bytes} bytes exceeds limit of {size_bytes_max}"
    )


def upload_too_large(size_bytes: int, size_bytes_max: int) -> ApiError:
    """Return the error for the events of PutLogEvents being too large together."""
    return invalid_parameter(
        f"Upload too large: {size_bytes} bytes exceeds limit of {size_bytes_max}"
    )


def not_in_order() -> ApiError:
    """Return the error for events of PutLogEvents that step back in time."""
    return invalid_parameter(
        "Log events in a single PutLogEvents request must be in chronological order."
    )


def span_too_long() -> ApiError:
    """Return the error for events of PutLogEvents that are more than a day apart."""
    return invalid_parameter(
        "The batch of log events in a single PutLogEvents request cannot span more than 24 hours."
    )


def _not_found(message: str) -> ApiError:
    return ApiError("ResourceNotFoundException", message, prefix="")


def _exists(message: str) -> ApiError:
    return ApiError("ResourceAlreadyExistsException", message, prefix="")
