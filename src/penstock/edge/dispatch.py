"""Where a request goes: a page about the server, one operation of one service, or a test control.

The checks stand in DynamoDB's order (facts: AWS and dynalite, 2026-10). Whatever an operation does,
the client gets an answer with a request id, and no exception leaves here but a cancellation.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import httptools

import penstock
from penstock.base import limits
from penstock.base.errors import control, dynamodb
from penstock.base.errors.api import ApiError
from penstock.base.health import Health
from penstock.base.ids import Entropy
from penstock.edge.content import plain_body
from penstock.edge.failures import error_told
from penstock.edge.json_1_1 import NewerJson
from penstock.edge.messages import TEXT, HttpRequest, HttpResponse, Refusal, TextPage, page
from penstock.edge.rest_dispatch import RestDispatch
from penstock.operations.cloudwatch_logs import TARGET as LOGS_TARGET
from penstock.operations.control import PATH
from penstock.wire import json_protocol
from penstock.wire.sigv4 import Caller, read_caller

_REGION_OF_HOST = re.compile(rb"dynamodb(?:-fips)?\.([a-z]{2,}(?:-[a-z]+)+-\d+)\.", re.IGNORECASE)
_DEFAULT_REGION = b"us-east-1"
_JSON = b"application/json"
_XML = b"application/xml"
_CONTROL_PATH = PATH.encode()
_UNKNOWN_OPERATION = b"<UnknownOperationException/>\n"


class Operation(Protocol):
    """One API action."""

    def call(self, caller: Caller, body: dict[str, Any]) -> Awaitable[dict[str, Any]]:
        """Do the action that `body` asks for and return the members of its result.

        Raises ApiError for what the client is to see. Until its first wait it runs outside any task
        (see `penstock.edge.pipeline`).
        """
        ...


Operations = Mapping[str, Operation]
"""The actions by the whole value of `X-Amz-Target`, such as `DynamoDB_20120810.PutItem`."""

Shown = dict[str, Any] | TextPage
"""A page about the server: the members of a JSON object, or a text of any kind."""

Pages = Mapping[str, Callable[[], Shown | Awaitable[Shown]]]
"""What is shown of the server, by path."""


class Dispatch:
    """Answers requests; the health page tells `health`, and names the store's `engine`.

    `controls` are the test controls by their names; without any their paths do not exist. `rest`
    answers what has a path of its own, `logs` are the actions of CloudWatch Logs by their names.
    """

    def __init__(
        self,
        operations: Operations,
        *,
        engine: str,
        health: Health,
        entropy: Entropy,
        controls: Operations | None = None,
        pages: Pages | None = None,
        rest: RestDispatch | None = None,
        logs: Operations | None = None,
    ) -> None:
        self._pages = {path.encode(): show for path, show in (pages or {}).items()}
        self._operations = {target.encode(): operation for target, operation in operations.items()}
        self._controls = {
            _CONTROL_PATH + name.encode(): operation for name, operation in (controls or {}).items()
        }
        self._rest = rest
        self._logs = NewerJson(LOGS_TARGET, "logs", logs or {}, entropy, _members)
        self._engine = engine
        self._health = health
        self._entropy = entropy

    async def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the answer to `request`, whatever happens."""
        request_id = self._entropy.request_id()
        try:
            begun = self._begin(request, request_id)
            if isinstance(begun, HttpResponse):
                return begun
            members = await begun
            if isinstance(members, HttpResponse):
                return members
            result = json_protocol.encode_result(members)
        except Exception as error:  # noqa: BLE001 - told apart there, a bug from the rest
            return _failure(error, request, request_id)
        return _api_answer(200, result, request_id)

    def _begin(
        self, request: HttpRequest, request_id: str
    ) -> Awaitable[dict[str, Any] | HttpResponse] | HttpResponse:
        """Begin the action that `request` asks for, or return the answer where it asks for none.

        A REST action and one of CloudWatch Logs make their whole answers.
        """
        path, query = _split_target(request.target)
        is_control = self._controls and path.startswith(_CONTROL_PATH)
        if request.method != b"POST" or not (path == b"/" or is_control):
            if self._rest is not None and (found := self._rest.find(request.method, path)):
                return self._rest.answer(found, request, query)
            return self._page(request, path, request_id)
        if is_control:
            return self._control(request, path)
        if not json_protocol.is_content_type(request.headers.get(b"content-type", b"")):
            if self._logs.takes(request.headers):
                return self._logs.answer(request, query)
            return _unknown_page(request_id)
        return self._perform(request, query)

    def _perform(self, request: HttpRequest, query: bytes) -> Awaitable[dict[str, Any]]:
        """Begin the operation that `request` asks for.

        In DynamoDB's order: 1. the body is JSON, 2. the target is known, 3. somebody signed it.
        """
        headers = request.headers
        members = _members(request)  # 1
        operation = self._operations.get(headers.get(b"x-amz-target", b""))  # 2
        if operation is None:
            raise dynamodb.unknown_operation()
        caller = read_caller(headers, query)  # 3
        if self._controls:  # tests know a consumer by what its SDK says of itself
            caller = caller._replace(agent=headers.get(b"user-agent", b"").decode("latin-1"))
        if request.wait is not None:
            caller = caller._replace(wait=request.wait)
        return operation.call(caller, members)

    def _control(self, request: HttpRequest, path: bytes) -> Awaitable[dict[str, Any]]:
        """Begin the test control that `request` asks for; it needs no signature.

        Not to pages: a browser lets any page send such a POST without asking the server first, but
        says in Origin where it comes from (Fetch standard, 2026-10).
        """
        if b"origin" in request.headers:
            raise control.from_a_page()
        members = _members(request)
        operation = self._controls.get(path)
        if operation is None:
            raise dynamodb.unknown_operation()
        host = request.headers.get(b"host", b"").decode("latin-1")
        return operation.call(Caller(_DEFAULT_REGION.decode(), "", host), members)

    def _page(
        self, request: HttpRequest, path: bytes, request_id: str
    ) -> Awaitable[HttpResponse] | HttpResponse:
        """Answer what is not an API call: a page about the server, or that there is none."""
        if request.method not in (b"GET", b"HEAD"):
            return _unknown_page(request_id)
        if path == b"/":
            host = _REGION_OF_HOST.search(request.headers.get(b"host", b""))
            region = _DEFAULT_REGION if host is None else host[1].lower()
            return page(200, TEXT, b"healthy: dynamodb.%b.amazonaws.com " % region, request_id)
        if path == b"/_penstock/health":
            return self._health_page(request_id)
        if (show := self._pages.get(path)) is not None:
            shown = show()
            if isinstance(shown, (dict, TextPage)):
                return _shown_page(shown, request_id)
            return _awaited_page(shown, request_id)
        return _unknown_page(request_id)

    def _health_page(self, request_id: str) -> HttpResponse:
        """Say whether requests should come here: 200 where they should, 503 where not, and why."""
        shown = {"status": "ready", "version": penstock.__version__, "engine": self._engine}
        trouble = self._health.trouble()
        if trouble is not None:
            shown |= {"status": trouble.status, "reason": trouble.reason}
        status = 200 if trouble is None else 503
        return page(status, _JSON, json_protocol.encode_result(shown), request_id)


def _members(request: HttpRequest) -> dict[str, Any]:
    """Return the JSON object that is a request's body; SerializationException where it is none."""
    body = request.body
    if coding := request.headers.get(b"content-encoding"):
        body = plain_body(coding, body, limits.request_body_bytes_max)
    return json_protocol.decode_body(body)


def _failure(error: Exception, request: HttpRequest, request_id: str) -> HttpResponse:
    """Return the answer to a request that `error` ended."""
    if isinstance(error, Refusal):
        return error.response(request_id)
    told = error_told(
        error,
        {"request_id": request_id, "target": _target(request)},
        unavailable=dynamodb.unavailable,
        internal=dynamodb.internal_failure,
    )
    return _api_error(told, request_id)


def _split_target(target: bytes) -> tuple[bytes, bytes]:
    """Return path and query of a request target; one that has no path is its own."""
    if target == b"/":
        return target, b""
    if not target.startswith(b"/"):
        return _split_url(target)
    path, _, query = target.partition(b"?")
    return path, query


def _split_url(target: bytes) -> tuple[bytes, bytes]:
    """Return path and query of a target in absolute form, as a proxy sends it."""
    try:
        url = httptools.parse_url(target)
    except httptools.HttpParserInvalidURLError:
        return target, b""  # such as the * of OPTIONS
    return url.path or b"/", url.query or b""


def _target(request: HttpRequest) -> str:
    return request.headers.get(b"x-amz-target", b"").decode("latin-1")


def _api_error(error: ApiError, request_id: str) -> HttpResponse:
    return _api_answer(error.status, json_protocol.encode_result(error.body()), request_id)


def _api_answer(status: int, body: bytes, request_id: str) -> HttpResponse:
    return HttpResponse(status, json_protocol.answer_headers(body, request_id), body)


async def _awaited_page(shown: Awaitable[Shown], request_id: str) -> HttpResponse:
    return _shown_page(await shown, request_id)


def _shown_page(shown: Shown, request_id: str) -> HttpResponse:
    if isinstance(shown, TextPage):
        return page(200, shown.content_type, shown.body, request_id)
    return page(200, _JSON, json_protocol.encode_result(shown), request_id)


def _unknown_page(request_id: str) -> HttpResponse:
    return page(404, _XML, _UNKNOWN_OPERATION, request_id)
