"""The errors of authentication: one constructor each.

Texts: dynalite, checked against AWS. All of them are HTTP 400 on the DynamoDB endpoints.
"""

from penstock.base.errors.api import CORAL_SERVICE, ApiError


class AuthError(ApiError):
    """An error of who signed a request, or did not; services with paths answer it with 403."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message, prefix=CORAL_SERVICE)


def missing_authentication_token() -> AuthError:
    """Return the error for a request without any credentials."""
    return AuthError(
        "MissingAuthenticationTokenException", "Request is missing Authentication Token"
    )


def incomplete_signature(message: str) -> AuthError:
    """Return the error for an Authorization header that is not whole."""
    return AuthError("IncompleteSignatureException", message)


def invalid_signature(message: str) -> AuthError:
    """Return the error for a signature that does not hold."""
    return AuthError("InvalidSignatureException", message)
