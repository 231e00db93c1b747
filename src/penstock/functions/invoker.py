"""Invoking a function, wherever it runs: what an invoker is given, and what comes of it."""

from typing import Literal, NamedTuple, Protocol

FunctionError = Literal["Unhandled", "Handled"]

Reason = Literal["throttled", "missing", "unavailable"]
"""Why a function did not run: no concurrency was left, it is not there, or it could not begin."""


class Outcome(NamedTuple):
    """What came of an invocation that ran.

    `payload` is the function's answer, or the JSON object that tells its error. `log_tail` is the
    last 4 KB of what it logged meanwhile, where it was asked for.
    """

    payload: bytes
    error: FunctionError | None = None
    executed_version: str = "$LATEST"
    status: int = 200
    log_tail: bytes = b""


class NotInvoked(Exception):
    """The function did not run, so that nothing it does can have happened; the text says why."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text


class Invoker(Protocol):
    """What runs functions: workers of this node, or a function elsewhere."""

    async def invoke(
        self,
        function_arn: str,
        payload: bytes,
        *,
        tail: bool = False,
        client_context: bytes | None = None,
        request_id: str | None = None,
    ) -> Outcome:
        """Run the function of that ARN (whose last part may be a version or an alias) once.

        `payload` is JSON of at most 6 MB. Returns when the function has answered, failed, or run
        out of its time. Raises NotInvoked where it did not run.
        """
        ...
