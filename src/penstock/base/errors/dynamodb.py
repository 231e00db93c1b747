"""The errors of DynamoDB, and those it shares with DynamoDB Streams: one constructor each.

Texts: AWS, 2026-10, as noted in the facts of each; the `__type` prefixes as dynalite captured them.
"""

from typing import Any

from penstock.base.errors.api import CORAL_SERVICE, CORAL_VALIDATE, ApiError, RequestError


def validation(message: str) -> ApiError:
    """Return the error for a request that breaks a rule of the service."""
    return ApiError("ValidationException", message, prefix=CORAL_VALIDATE)


def request_invalid(message: str) -> RequestError:
    """Return the validation error of what refuses a request however many actions it has."""
    return RequestError("ValidationException", message, prefix=CORAL_VALIDATE)


def parameter_values_invalid(detail: str) -> ApiError:
    """Return the validation error whose text opens with the service's usual clause."""
    return validation(f"One or more parameter values were invalid: {detail}")


def parameter_missing(name: str) -> ApiError:
    """Return the control plane's error for a request without the parameter of that name."""
    return validation(f"The parameter '{name}' is required but was not present in the request")


def serialization(message: str | None) -> ApiError:
    """Return the error for a body that is not JSON (no message) or holds a wrong JSON type."""
    return ApiError(
        "SerializationException", message, prefix=CORAL_SERVICE, message_member="Message"
    )


def unknown_operation(message: str | None = None) -> ApiError:
    """Return the error for an action that the service does not know."""
    return ApiError("UnknownOperationException", message, prefix=CORAL_SERVICE)


def table_not_found(name: str) -> ApiError:
    """Return the control plane's error for a table that does not exist."""
    return ApiError(
        "ResourceNotFoundException", f"Requested resource not found: Table: {name} not found"
    )


def resource_not_found() -> ApiError:
    """Return the data plane's error for a table that does not exist."""
    return ApiError("ResourceNotFoundException", "Requested resource not found")


def table_exists(name: str) -> ApiError:
    """Return the error for creating a table under a name that is taken."""
    return ApiError("ResourceInUseException", f"Table already exists: {name}")


def condition_failed(item: dict[str, Any] | None = None) -> ApiError:
    """Return the error for a condition that does not hold; `item` where it was asked for."""
    return ApiError(
        "ConditionalCheckFailedException",
        "The conditional request failed",
        members=None if item is None else {"Item": item},
    )


def item_too_large() -> ApiError:
    """Return the error for putting an item of more than 400 KB."""
    return validation("Item size has exceeded the maximum allowed size")


def item_collection_too_large() -> ApiError:
    """Return the error for a write that takes an item collection over 10 GB."""
    return ApiError("ItemCollectionSizeLimitExceededException", "Collection size exceeded.")


def not_yet(what: str) -> ApiError:
    """Return the refusal of a part of the service that this release does not have."""
    return validation(f"{what} is not supported by this release of Penstock")


def internal_failure() -> ApiError:
    """Return the error for a bug of ours."""
    return ApiError(
        "InternalServerError",
        "The request processing has failed because of an unknown error, exception or failure.",
        status=500,
    )


def unavailable(message: str) -> ApiError:
    """Return the error for a store that cannot answer now; clients try again."""
    return ApiError("ServiceUnavailable", message, status=503, prefix=CORAL_SERVICE)
