"""The errors of Lambda: one constructor each.

On the wire they are `{"Type": "User", "message": …}`, of some codes `Message`, with the code in the
header x-amzn-ErrorType. Codes, statuses and members: botocore's model. Texts: AWS, as recorded in
public issues and snapshots, where nothing else is said.
"""

from collections.abc import Iterable

from penstock.base import limits
from penstock.base.errors.api import ApiError

_CAPITAL = frozenset(("ResourceInUseException", "ResourceNotFoundException", "ServiceException"))
"""The errors whose text stands in `Message`; in the others it is `message`."""


def _user(code: str, message: str, status: int = 400, **members: str) -> ApiError:
    return _error(code, message, status, {"Type": "User", **members})


def _error(code: str, message: str, status: int, members: dict[str, str]) -> ApiError:
    member = "Message" if code in _CAPITAL else "message"
    return ApiError(code, message, status=status, message_member=member, members=members)


def invalid_parameter(message: str) -> ApiError:
    """Return the error for a parameter with a value that cannot be."""
    return _user("InvalidParameterValueException", message)


def not_yet(what: str) -> ApiError:
    """Return the refusal of a part of Lambda that this release does not have; text of our own."""
    return invalid_parameter(f"{what} is not supported by this release of Penstock")


def unknown_action(name: str) -> ApiError:
    """Return the refusal of an action of Lambda that this release does not have."""
    return _user(
        "UnknownOperationException", f"{name} is not supported by this release of Penstock", 404
    )


def resource_not_found(message: str) -> ApiError:
    """Return the error for something that is not there."""
    return _user("ResourceNotFoundException", message, 404)


def resource_conflict(message: str) -> ApiError:
    """Return the error for something that is there already, or is being changed."""
    return _user("ResourceConflictException", message, 409)


def lives_elsewhere(name: str) -> ApiError:
    """Return the error for making a function of a name that the server's settings have taken.

    Text of our own.
    """
    return resource_conflict(
        f"The function {name} lives elsewhere: --remote-functions says where, and it is not made"
        " here"
    )


def resource_in_use(message: str) -> ApiError:
    """Return the error for changing what is busy with an earlier change."""
    return _user("ResourceInUseException", message)


def request_body_not_json(detail: str) -> ApiError:
    """Return the error for a body that is no JSON."""
    return _user(
        "InvalidRequestContentException", f"Could not parse request body into json: {detail}"
    )


def service_exception(message: str) -> ApiError:
    """Return the error for a fault that is not the client's; clients try again."""
    return _error("ServiceException", message, 500, {"Type": "Service"})


def internal_failure() -> ApiError:
    """Return the error for a bug of ours; text of our own."""
    return service_exception("The request failed because of an unknown error")


def revision_mismatch() -> ApiError:
    """Return the error for a change of a revision that is not the latest."""
    return _user(
        "PreconditionFailedException",
        "The Revision Id provided does not match the latest Revision Id. Call the "
        "GetFunction/GetAlias API to retrieve the latest Revision Id",
        412,
    )


def name_too_long(name: str) -> ApiError:
    """Return the error for a function's name of more than 64 characters."""
    return ApiError(
        "ValidationException",
        f"1 validation error detected: Value '{name}' at 'functionName' failed to satisfy "
        f"constraint: Member must have length less than or equal to "
        f"{limits.function_name_chars_max}",
    )


def not_reachable(region: str, here: str) -> ApiError:
    """Return the error for the ARN of a function of another region."""
    return resource_not_found(
        f"Functions from '{region}' are not reachable in this region ('{here}')"
    )


def not_unzipped() -> ApiError:
    """Return the error for code that is no zip file, or one that is not safe to unpack."""
    return invalid_parameter(
        "Could not unzip uploaded file. Please check your file, then try to upload again."
    )


def unzipped_too_large() -> ApiError:
    """Return the error for code that holds too much."""
    bytes_max = limits.function_unzipped_bytes_max
    return invalid_parameter(f"Unzipped size must be smaller than {bytes_max} bytes")


def request_too_large() -> ApiError:
    """Return the error for code that is too large to be sent."""
    return _user(
        "RequestEntityTooLargeException",
        f"Request must be smaller than {limits.function_request_bytes_max} bytes for the "
        "CreateFunction operation",
        413,
    )


def invalid_variable(name: str) -> ApiError:
    """Return the error for a name that no environment variable may have; text of our own."""
    return ApiError(
        "ValidationException",
        "1 validation error detected: Value at 'environment.variables' failed to satisfy "
        "constraint: Map keys must satisfy constraint: [Member must satisfy regular expression "
        f"pattern: [a-zA-Z]([a-zA-Z0-9_])+]: {name}",
    )


def reserved_variables(names: Iterable[str]) -> ApiError:
    """Return the error for environment variables that are Lambda's own."""
    return invalid_parameter(
        "Lambda was unable to configure your environment variables because the environment "
        "variables you have provided contains reserved keys that are currently not supported for "
        f"modification. Reserved keys used in this request: {', '.join(names)}"
    )


def environment_too_large(text: str) -> ApiError:
    """Return the error for more than 4 KB of environment variables, shown as JSON."""
    return invalid_parameter(
        "Lambda was unable to configure your environment variables because the environment "
        f"variables you have provided exceeded the 4KB limit. String measured: {text}"
    )


def update_in_progress(arn: str) -> ApiError:
    """Return the error for a change that meets another one."""
    return resource_conflict(
        "The operation cannot be performed at this time. An update is in progress for resource: "
        f"{arn}"
    )


def too_much_reserved() -> ApiError:
    """Return the error for reserving more concurrency than may be taken from other functions."""
    return invalid_parameter(
        "Specified ReservedConcurrentExecutions for function decreases account's "
        "UnreservedConcurrentExecution below its minimum value of "
        f"[{limits.function_unreserved_concurrency_min}]."
    )


def policy_too_long() -> ApiError:
    """Return the error for a policy of more than 20 KB."""
    return _user(
        "PolicyLengthExceededException",
        f"The final policy size is bigger than the limit ({limits.function_policy_bytes_max}).",
    )


def payload_too_large(bytes_max: int) -> ApiError:
    """Return the error for an invocation with too much."""
    return _user(
        "RequestTooLargeException",
        f"Request must be smaller than {bytes_max} bytes for the InvokeFunction operation",
        413,
    )


def invalid_client_context() -> ApiError:
    """Return the error for a client context that is not JSON in base64, or too long."""
    return _user(
        "InvalidRequestContentException",
        "Client context must be a valid Base64-encoded JSON object of at most "
        f"{limits.client_context_chars_max} bytes",
    )


def throttled(*, reserved: bool) -> ApiError:
    """Return the error for an invocation that finds no concurrency, `reserved` or of the node."""
    reason = "ConcurrentInvocationLimitExceeded"
    if reserved:
        reason = "ReservedFunctionConcurrentInvocationLimitExceeded"
    return _user("TooManyRequestsException", "Rate Exceeded.", 429, Reason=reason)
