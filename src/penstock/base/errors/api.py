"""What an API error is: a value with a code, a message and an HTTP status.

The errors themselves are made by one constructor each, in the file of their service beside this
one.
"""

from collections.abc import Mapping
from typing import Any

DYNAMODB = "com.amazonaws.dynamodb.v20120810#"
CORAL_SERVICE = "com.amazon.coral.service#"
CORAL_VALIDATE = "com.amazon.coral.validate#"


class ApiError(Exception):
    """An error that a client is meant to see.

    `code` is the short name (`ValidationException`), `prefix` stands before it in `__type`,
    `message_member` is the JSON member that carries `message`, and `members` are further members
    of the body.
    """

    def __init__(
        self,
        code: str,
        message: str | None,
        *,
        status: int = 400,
        prefix: str = DYNAMODB,
        message_member: str = "message",
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.prefix = prefix
        self.message_member = message_member
        self.members = dict(members or {})

    def body(self) -> dict[str, Any]:
        """Return the JSON body that carries this error on the wire."""
        body: dict[str, Any] = {"__type": self.prefix + self.code}
        if self.message is not None:
            body[self.message_member] = self.message
        return body | self.members


class RequestError(ApiError):
    """An error of a whole request: as a transaction's it is not the reason of one action."""
