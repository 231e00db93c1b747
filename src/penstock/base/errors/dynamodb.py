"""The errors of DynamoDB, and those it shares with DynamoDB Streams: one constructor each.

Texts: AWS, 2026-10, as noted in the facts of each; the `__type` prefixes as dynalite captured them.
"""

from collections.abc import Iterable
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


def index_key_of_wrong_type(index: str, key: str, expected: str, actual: str) -> ApiError:
    """Return the error for an item with a key attribute of an index in another type."""
    return parameter_values_invalid(
        f"Type mismatch for Index Key {key} Expected: {expected} Actual: {actual} IndexName:"
        f" {index}"
    )


def index_key_too_large(index: str, key: str, size_bytes: int, size_bytes_max: int) -> ApiError:
    """Return the error for an item with a key attribute of an index that is too large for it.

    Text: AWS, as quoted in dynalite issue 35.
    """
    return parameter_values_invalid(
        f"Size limit exceeded for Index Key {key} Actual Size: {size_bytes} bytes Max Size:"
        f" {size_bytes_max} bytes IndexName: {index}"
    )


def index_key_empty(index: str, key: str, type_name: str) -> ApiError:
    """Return the error for putting an empty key attribute of an index; `string` or `binary`.

    It refuses the whole of a transaction (DynamoDB Local, 2026-11; ExtendDB 184, on AWS).
    """
    return _index_key_empty(
        "A value specified for a secondary index key is not supported.",
        type_name,
        f" IndexName: {index}, IndexKey: {key}",
    )


def updated_index_key_empty(type_name: str) -> ApiError:
    """Return the error for an update that makes a key attribute of an index empty."""
    return _index_key_empty(
        "The update expression attempted to update a secondary index key to a value that is not"
        " supported.",
        type_name,
        "",
    )


def _index_key_empty(why: str, type_name: str, where: str) -> ApiError:
    return request_invalid(
        f"One or more parameter values are not valid. {why} The AttributeValue for a key attribute"
        f" cannot contain an empty {type_name} value.{where}"
    )


def index_not_found(name: str) -> ApiError:
    """Return the error for reading an index that the table does not have."""
    return validation(f"The table does not have the specified index: {name}")


def index_backfilling(name: str) -> ApiError:
    """Return the error for reading a global index that is not filled yet."""
    return validation(f"Cannot read from backfilling global secondary index: {name}")


def index_read_consistent() -> ApiError:
    """Return the error for a consistent read of a global index."""
    return validation("Consistent reads are not supported on global secondary indexes")


def index_without_all(name: str) -> ApiError:
    """Return the error for asking a global index for all attributes where it lacks some."""
    return parameter_values_invalid(
        f"Select type ALL_ATTRIBUTES is not supported for global secondary index {name} because its"
        " projection type is not ALL"
    )


def index_without_attributes(name: str, attributes: Iterable[str]) -> ApiError:
    """Return the error for asking a global index for attributes that it does not hold."""
    return parameter_values_invalid(
        f"Global secondary index {name} does not project [{', '.join(sorted(attributes))}]"
    )


def index_without_filter_attributes(name: str, attributes: Iterable[str]) -> ApiError:
    """Return the error for a filter by attributes that an index, of any kind, does not hold."""
    return parameter_values_invalid(
        f"Secondary index {name} does not project one or more filter attributes:"
        f" [{', '.join(sorted(attributes))}]"
    )


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
