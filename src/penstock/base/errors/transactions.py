"""The errors of transactions, and the reasons that a cancelled one gives, one for each action.

Texts: AWS's API reference and what it answered in public issues, 2026-10, except where a comment
says that a text is unconfirmed.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from penstock.base.errors.api import ApiError
from penstock.base.errors.dynamodb import validation

_REASON_CODES: Final = {
    "ValidationException": "ValidationError",
    "ThrottlingException": "ThrottlingError",
}
"""Codes of reasons that are not those of the error without its `Exception`."""


class Reason(NamedTuple):
    """Why an action of a transaction was refused."""

    code: str
    message: str | None
    item: dict[str, Any] | None = None

    def body(self) -> dict[str, Any]:
        """Return the reason as a member of CancellationReasons."""
        members = {"Code": self.code, "Message": self.message, "Item": self.item}
        return {name: member for name, member in members.items() if member is not None}


def reason_of(error: ApiError) -> Reason:
    """Return the reason that an action gives which alone would have failed with `error`."""
    code = _REASON_CODES.get(error.code) or error.code.removesuffix("Exception")
    return Reason(code, error.message, error.members.get("Item"))


def transaction_canceled(reasons: Sequence[Reason | None]) -> ApiError:
    """Return the error of a transaction whose actions have these reasons; None for no reason."""
    codes = ", ".join("None" if reason is None else reason.code for reason in reasons)
    return ApiError(
        "TransactionCanceledException",
        f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
        message_member="Message",
        members={
            "CancellationReasons": [
                {"Code": "None"} if reason is None else reason.body() for reason in reasons
            ]
        },
    )


def transaction_conflict() -> ApiError:
    """Return the error of a write to an item that a transaction is about to change or checks."""
    return ApiError("TransactionConflictException", "Transaction is ongoing for the item")


def transaction_in_progress() -> ApiError:
    """Return the error of a transaction whose token belongs to one that is still under way."""
    return ApiError(
        "TransactionInProgressException",
        "Transaction from previous request is still in progress",
        message_member="Message",
    )


def idempotent_parameter_mismatch() -> ApiError:
    """Return the error of a known token with another request; the text is unconfirmed."""
    return ApiError(
        "IdempotentParameterMismatchException",
        "The request uses the same client token as a previous, but non-identical request",
        message_member="Message",
    )


def several_actions_on_one_item() -> ApiError:
    """Return the error of a transaction that names an item twice."""
    return validation("Transaction request cannot include multiple operations on one item")


def transaction_action_missing() -> ApiError:
    """Return the error of an empty member of TransactItems; DynamoDB Local, 2026-11."""
    return validation(
        "Invalid Request: TransactWriteRequest should contain Delete or Put or Update request"
    )


def transaction_actions_in_one() -> ApiError:
    """Return the error of a member of TransactItems with two actions."""
    return validation("TransactItems can only contain one of Check, Put, Update or Delete")


def transaction_payload_too_large(size_bytes: int) -> ApiError:
    """Return the error of actions of more than 4 MB together; DynamoDB Local, 2026-11."""
    return validation(f"Transaction payload size cannot exceed 4MB. Payload Size: {size_bytes}")


def transaction_answer_too_large(size_bytes: int) -> ApiError:
    """Return the error of a transaction that reads more than 4 MB; DynamoDB Local, 2026-11."""
    return validation(f"Payload in response is too large.{size_bytes}")
