"""What a failed call of a boto3 client means: its code, one line on it, whether it may pass."""

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

Failure = ClientError | BotoCoreError
"""A call that the service refused, or that brought no answer."""

_PASSING = {
    "ThrottlingException",
    "Throttling",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "InternalServerError",
    "InternalFailure",
    "ServiceUnavailable",
}


def error_code(failure: Failure) -> str:
    """Return the service's name of an error, or "" when no answer came."""
    if isinstance(failure, ClientError):
        return str(failure.response.get("Error", {}).get("Code", ""))
    return ""


def failure_text(failure: Failure) -> str:
    """Return one line for a person on why a call failed."""
    if isinstance(failure, ClientError):
        message = failure.response.get("Error", {}).get("Message", "")
        return " ".join(f"{error_code(failure)}: {message}".split())
    return " ".join(str(failure).split())


def may_pass(failure: Failure) -> bool:
    """Say whether the same call may succeed a little later."""
    if not isinstance(failure, ClientError):
        # cut off, timed out, or refused while the server restarts
        return isinstance(failure, (HTTPClientError, BotoConnectionError))
    status = failure.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    return status >= 500 or error_code(failure) in _PASSING
