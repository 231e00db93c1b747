"""The errors of authentication: one constructor each.

Texts: dynalite, checked against AWS. All of them are HTTP 400 on the DynamoDB endpoints.
"""

from penstock.base.errors.api import CORAL_SERVICE, ApiError


def missing_authentication_token() -> ApiError:
    """Return the error for a request without any credentials."""
    return ApiError(
        "MissingAuthenticationTokenException",
        "Request is missing Authentication Token",
        prefix=CORAL_SERVICE,
    )


def incomplete_signature(message: str) -> ApiError:
    """Return the error for an Authorization header that is not whole."""
    return ApiError("IncompleteSignatureException", message, prefix=CORAL_SERVICE)


def invalid_signature(message: str) -> ApiError:
    """Return the error for a signature that does not hold."""
    return ApiError("InvalidSignatureException", message, prefix=CORAL_SERVICE)
