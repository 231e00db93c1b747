"""JSON 1.1, which CloudWatch Logs speaks: a target's action, and answers of that content type."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from penstock.base.errors import logs
from penstock.base.errors.api import ApiError
from penstock.base.ids import Entropy
from penstock.edge.failures import error_told
from penstock.edge.messages import HttpRequest, HttpResponse, Refusal
from penstock.wire import json_protocol
from penstock.wire.sigv4 import Caller, read_caller

CONTENT_TYPE = b"application/x-amz-json-1.1"


class Action(Protocol):
    """One action of such a service."""

    def call(self, caller: Caller, body: dict[str, Any]) -> Awaitable[dict[str, Any]]:
        """Begin the answer to `body`; ApiError where there is none."""
        ...


class NewerJson:
    """Answers requests of the service whose targets begin with `prefix`.

    `members_of` reads a request's body; ApiError where it cannot.
    """

    def __init__(
        self,
        prefix: str,
        service: str,
        actions: Mapping[str, Action],
        entropy: Entropy,
        members_of: Callable[[HttpRequest], dict[str, Any]],
    ) -> None:
        self._prefix, self._service = prefix.encode(), service
        self._actions = {prefix.encode() + name.encode(): each for name, each in actions.items()}
        self._entropy = entropy
        self._members_of = members_of

    def takes(self, headers: Mapping[bytes, bytes]) -> bool:
        """Say whether a request with these headers is for this service."""
        content_type = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        is_ours = headers.get(b"x-amz-target", b"").startswith(self._prefix)
        return content_type == CONTENT_TYPE and is_ours

    async def answer(self, request: HttpRequest, query: bytes) -> HttpResponse:
        """Return the answer to `request`, whatever happens."""
        request_id = self._entropy.uuid()
        try:
            result = await self._begin(request, query)
            return _response(200, result, request_id)
        except Refusal as refusal:
            return refusal.response(request_id)
        except Exception as error:  # noqa: BLE001 - told apart there, a bug from the rest
            target = request.headers.get(b"x-amz-target", b"").decode("latin-1")
            told = error_told(
                error,
                {"request_id": request_id, "target": target},
                unavailable=logs.unavailable,
                internal=logs.internal_failure,
            )
            return _response(told.status, told.body(), request_id)

    def _begin(self, request: HttpRequest, query: bytes) -> Awaitable[dict[str, Any]]:
        """Begin an action: 1. the body is JSON, 2. the action is known, 3. somebody signed it."""
        headers = request.headers
        try:
            members = self._members_of(request)  # 1
        except ApiError:
            raise logs.serialization(None) from None
        action = self._actions.get(headers[b"x-amz-target"])  # 2
        if action is None:
            raise logs.unknown_action()
        caller = read_caller(headers, query, self._service)  # 3
        return action.call(caller, members)


def _response(status: int, result: Any, request_id: str) -> HttpResponse:
    body = json_protocol.encode_result(result)
    headers = json_protocol.answer_headers(body, request_id)
    return HttpResponse(status, headers.replace(json_protocol.CONTENT_TYPE, CONTENT_TYPE, 1), body)
