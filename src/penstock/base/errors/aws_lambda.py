"""The errors of Lambda: one constructor each.

On the wire they are `{"Type": "User", "message": …}`, of some codes `Message`, with the code in the
header x-amzn-ErrorType. Codes, statuses and members: botocore's model. Texts: AWS, as recorded in
public issues and snapshots, where nothing else is said.
"""

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
