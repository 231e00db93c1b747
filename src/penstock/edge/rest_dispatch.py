"""Where a REST request goes: the action whose path and method it has.

Lambda's front answers who did not sign with 403, everything else as its actions do: JSON with the
error's code in the header x-amzn-ErrorType.
"""

from collections.abc import Awaitable, Iterable, Mapping
from typing import NamedTuple, Protocol
from urllib.parse import unquote_to_bytes

from penstock.base import limits
from penstock.base.errors import aws_lambda
from penstock.base.errors.api import ApiError
from penstock.base.errors.auth import AuthError
from penstock.base.ids import Entropy
from penstock.edge.content import plain_body
from penstock.edge.failures import error_told
from penstock.edge.messages import HttpRequest, HttpResponse, Refusal
from penstock.operations.operation import EMPTY_BODY
from penstock.operations.rest import Answer, RestAnswer, RestRequest, Route
from penstock.wire import json_protocol
from penstock.wire.sigv4 import Caller, read_caller

_JSON = "application/json"
_UNSIGNED = Caller("", "")


Labels = tuple[str, ...]


class RestAction(Protocol):
    """One REST action."""

    @property
    def name(self) -> str:
        """Its name, for the log."""
        ...

    @property
    def route(self) -> Route:
        """Where it is found."""
        ...

    def call(self, caller: Caller, request: RestRequest, request_id: str) -> Awaitable[Answer]:
        """Begin the answer to `request`; ApiError where there is none."""
        ...


class Found(NamedTuple):
    """An action, and what stands at the labels of its path."""

    action: RestAction
    labels: Mapping[str, str]


class _Place:
    """What may follow one part of a path."""

    __slots__ = ("any", "methods", "parts")

    def __init__(self) -> None:
        self.parts: dict[bytes, _Place] = {}
        self.any: _Place | None = None
        """What follows a label."""
        self.methods: dict[bytes, tuple[RestAction, Labels]] = {}


class Router:
    """Finds actions by method and path; a literal part goes before a label."""

    def __init__(self, actions: Iterable[RestAction]) -> None:
        self._root = _Place()
        for action in actions:
            place, labels = self._root, []
            for part in _parts(action.route.path.encode()):
                if part.startswith(b"{") and part.endswith(b"}"):
                    labels.append(part[1:-1].decode())
                    place.any = place.any or _Place()
                    place = place.any
                else:
                    place = place.parts.setdefault(part, _Place())
            method = action.route.method.encode()
            assert method not in place.methods, action.route
            place.methods[method] = (action, tuple(labels))

    def find(self, method: bytes, path: bytes) -> Found | None:
        """Return the action for a request with this raw path, or None.

        One slash more at its end means the same: SDKs sent it in the past.
        """
        found = _find(self._root, _parts(path), method, ())
        if found is None:
            return None
        action, labels, texts = found
        return Found(action, dict(zip(labels, map(_text, texts), strict=True)))


def _find(
    place: _Place, parts: list[bytes], method: bytes, texts: tuple[bytes, ...]
) -> tuple[RestAction, Labels, tuple[bytes, ...]] | None:
    if not parts:
        ended = place.methods.get(method)
        return None if ended is None else (*ended, texts)
    first, rest = parts[0], parts[1:]
    if (below := place.parts.get(first)) is not None:
        found = _find(below, rest, method, texts)
        if found is not None:
            return found
    if place.any is None or not first:
        return None
    return _find(place.any, rest, method, (*texts, first))


def _parts(path: bytes) -> list[bytes]:
    return path.removeprefix(b"/").removesuffix(b"/").split(b"/")


def _text(part: bytes) -> str:
    return unquote_to_bytes(part).decode("utf-8", "replace")


class RestDispatch:
    """Answers REST requests: see `Dispatch`, which asks it for what is not its own."""

    def __init__(self, actions: Iterable[RestAction], service: str, entropy: Entropy) -> None:
        self._router = Router(actions)
        self._service = service
        self._entropy = entropy

    def find(self, method: bytes, path: bytes) -> Found | None:
        """Return the action for a request with this raw path, or None."""
        return self._router.find(method, path)

    async def answer(self, found: Found, request: HttpRequest, query: bytes) -> HttpResponse:
        """Return the answer of an action, whatever happens."""
        request_id = self._entropy.uuid()
        try:
            result = await self._begin(found, request, query, request_id)
            return _answer(found.action.route.status, result, request_id)
        except Refusal as refusal:
            return refusal.response(request_id)
        except Exception as error:  # noqa: BLE001 - told apart there, a bug from the rest
            told = error_told(
                error,
                {"request_id": request_id, "target": found.action.name},
                unavailable=aws_lambda.service_exception,
                internal=aws_lambda.internal_failure,
            )
            return _error(told, request_id)

    def _begin(
        self, found: Found, request: HttpRequest, query: bytes, request_id: str
    ) -> Awaitable[Answer]:
        """Begin an action: 1. somebody signed the request, 2. its body can be read."""
        headers, caller = request.headers, _UNSIGNED
        if found.action.route.signed:
            caller = read_caller(headers, query, self._service)  # 1
        body = request.body
        if coding := headers.get(b"content-encoding"):
            body = plain_body(coding, body, limits.request_body_bytes_max)  # 2
        host = headers.get(b"host", b"").decode("latin-1")
        return found.action.call(
            caller._replace(host=host), RestRequest(found.labels, query, headers, body), request_id
        )


def _answer(status: int, result: Answer, request_id: str) -> HttpResponse:
    if isinstance(result, RestAnswer):
        return _response(result.status, result.headers, result.body, request_id)
    if result is EMPTY_BODY:
        return _response(status, {}, b"", request_id)
    body = json_protocol.encode_result(result)
    return _response(status, {"Content-Type": _JSON}, body, request_id)


def _error(error: ApiError, request_id: str) -> HttpResponse:
    """Return the answer that tells `error`."""
    status = 403 if isinstance(error, AuthError) else error.status
    told = {} if error.message is None else {error.message_member: error.message}
    body = json_protocol.encode_result(error.members | told)
    headers = {"Content-Type": _JSON, "x-amzn-ErrorType": error.code}
    return _response(status, headers, body, request_id)


def _response(
    status: int, headers: Mapping[str, str], body: bytes, request_id: str
) -> HttpResponse:
    lines = {"x-amzn-RequestId": request_id, **headers}
    text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return HttpResponse(status, text.encode("latin-1"), body)
