"""The Lambda Runtime API of one worker: what it asks for, and what it may say when.

A runtime asks for the next invocation, is held without limit until there is one, and posts its
answer or its error. Here are the states and the answers; bytes and sockets are in
`runtime_connection`. Statuses and texts are those of AWS's own open Runtime Interface Emulator,
2026-11.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from enum import Enum
from typing import NamedTuple, Protocol

import msgspec

from penstock.base import limits

PREFIX = b"/2018-06-01"
_INVOCATION = PREFIX + b"/runtime/invocation/"
_NEXT = _INVOCATION + b"next"
_INIT_ERROR = PREFIX + b"/runtime/init/error"

TOO_LARGE = "Function.ResponseSizeTooLarge"
_UNKNOWN = "Runtime.Unknown"

_ERROR_TYPE = b"lambda-runtime-function-error-type"
_ERROR_BODY = b"lambda-runtime-function-error-body"
_RESPONSE_MODE = b"lambda-runtime-function-response-mode"


class Invocation(NamedTuple):
    """What a worker is given to do."""

    request_id: str
    arn: str
    payload: bytes
    deadline_ms: int
    """In epoch milliseconds of the machine, by which the worker's own clock goes."""
    trace_id: str
    client_context: bytes | None = None


class Answer(NamedTuple):
    """What a runtime has posted: the function's answer, or its error and the error's type."""

    payload: bytes
    error_type: str | None = None


class ApiRequest(NamedTuple):
    """One whole request; names of headers are in lower case, and trailers are among them."""

    method: bytes
    path: bytes
    headers: dict[bytes, bytes]
    body: bytes
    is_too_large: bool = False
    """Whether its body was more than an answer may have; then it was not kept."""


class ApiResponse(NamedTuple):
    """What is answered, in pieces that are sent one after the other."""

    pieces: tuple[bytes, ...]
    closes: bool = False


class Held(Protocol):
    """A connection whose request for the next invocation is held."""

    def answer(self, response: ApiResponse) -> None: ...


class Phase(Enum):
    """How far a runtime has come."""

    STARTED = "RuntimeStarted"
    INIT_FAILED = "RuntimeInitError"
    READY = "RuntimeReady"
    RUNNING = "RuntimeRunning"
    ANSWERED = "RuntimeResponseSent"


class Listener(Protocol):
    """Who is told what a runtime does; called on the loop's thread."""

    def on_next(self) -> None:
        """It is ready: it has begun, or has done with the invocation before."""
        ...

    def on_answer(self, answer: Answer) -> None: ...

    def on_init_error(self, answer: Answer) -> None: ...


def json_response(status: bytes, members: dict[str, str], *, closes: bool = False) -> ApiResponse:
    """Return a whole response with a JSON object."""
    body = msgspec.json.encode(members)
    head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%b\r\n"
    last = b"Connection: close\r\n" if closes else b""
    return ApiResponse((head % (status, len(body), last) + body,), closes)


def refusal(status: bytes, kind: str, text: str, *, closes: bool = False) -> ApiResponse:
    """Return a response that tells an error."""
    members = {"errorMessage": text, "errorType": kind}
    return json_response(status, members, closes=closes)


_ACCEPTED = json_response(b"202 Accepted", {"status": "OK"})
_INVALID_ID = refusal(b"400 Bad Request", "InvalidRequestID", "Invalid request ID")
_INVALID_MODE = refusal(
    b"400 Bad Request", "InvalidFunctionResponseMode", "Invalid function response mode"
)
_TOO_LARGE = refusal(
    b"413 Request Entity Too Large",
    "RequestEntityTooLarge",
    f"Exceeded maximum allowed payload size ({limits.function_answer_bytes_max} bytes).",
)
_NOT_FOUND = refusal(b"404 Not Found", "NotFound", "404 page not found")
_WRONG_METHOD = refusal(b"405 Method Not Allowed", "MethodNotAllowed", "Method Not Allowed")


def invocation_response(invocation: Invocation) -> ApiResponse:
    """Return the response to `next`: the payload as it is, behind its headers."""
    context = invocation.client_context
    told = b""
    if context is not None:  # JSON has line ends between its tokens at most
        told = b"Lambda-Runtime-Client-Context: %b\r\n" % b" ".join(context.split())
    head = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        b"Lambda-Runtime-Aws-Request-Id: %b\r\nLambda-Runtime-Deadline-Ms: %d\r\n"
        b"Lambda-Runtime-Invoked-Function-Arn: %b\r\nLambda-Runtime-Trace-Id: %b\r\n"
        b"%bContent-Length: %d\r\n\r\n"
    ) % (
        invocation.request_id.encode(),
        invocation.deadline_ms,
        invocation.arn.encode(),
        invocation.trace_id.encode(),
        told,
        len(invocation.payload),
    )
    return ApiResponse((head, invocation.payload))


def _body_of_error(request: ApiRequest) -> Answer:
    kind = request.headers.get(_ERROR_TYPE, b"").decode("utf-8", "replace")
    return Answer(request.body, kind or _UNKNOWN)


class RuntimeApi:
    """The Runtime API of one worker, from its start to its end."""

    def __init__(self, listener: Listener) -> None:
        self.phase = Phase.STARTED
        self._listener = listener
        self._held: Held | None = None
        self._invocation: Invocation | None = None
        self._request_id = b""

    def give(self, invocation: Invocation) -> None:
        """Give the runtime, which is ready, something to do."""
        assert self.phase is Phase.READY
        self.phase = Phase.RUNNING
        self._invocation = invocation
        self._request_id = invocation.request_id.encode()
        held, self._held = self._held, None
        if held is not None:
            held.answer(invocation_response(invocation))

    def lost(self, connection: Held) -> None:
        """Know that a connection has gone.

        Who asked on it for the next invocation may ask again, and is then given what there is.
        """
        if self._held is connection:
            self._held = None

    def handle(self, request: ApiRequest, connection: Held) -> ApiResponse | None:
        """Return the answer to a request, or None where it is held and answered later."""
        path = request.path.partition(b"?")[0]
        if path == _NEXT:
            return self._next(connection) if request.method == b"GET" else _WRONG_METHOD
        if path == _INIT_ERROR:
            return self._init_error(request) if request.method == b"POST" else _WRONG_METHOD
        if path.startswith(_INVOCATION):
            request_id, _, verb = path[len(_INVOCATION) :].partition(b"/")
            if verb in (b"response", b"error"):
                if request.method != b"POST":
                    return _WRONG_METHOD
                return self._post(request, request_id, verb)
        return _NOT_FOUND

    def _next(self, connection: Held) -> ApiResponse | None:
        if self.phase is Phase.RUNNING:  # once more what it has been given, as the emulator does
            assert self._invocation is not None
            return invocation_response(self._invocation)
        if self.phase is Phase.INIT_FAILED:
            return self._not_allowed(Phase.READY.value)
        older, self._held = self._held, connection
        if older is not None and older is not connection:
            older.answer(self._not_allowed(Phase.READY.value))
        if self.phase is not Phase.READY:
            self.phase = Phase.READY
            self._invocation, self._request_id = None, b""
            self._listener.on_next()
        return None

    def _post(self, request: ApiRequest, request_id: bytes, verb: bytes) -> ApiResponse:
        if not self._request_id or request_id != self._request_id:
            return _INVALID_ID
        is_error = verb == b"error"
        if self.phase is not Phase.RUNNING:
            name = "RuntimeInvocationErrorResponse" if is_error else "RuntimeInvocationResponse"
            return self._not_allowed(name)
        if not is_error and request.headers.get(_RESPONSE_MODE, b"streaming") != b"streaming":
            return _INVALID_MODE
        self.phase = Phase.ANSWERED
        if request.is_too_large:
            self._listener.on_answer(too_large())
            return _TOO_LARGE
        self._listener.on_answer(_body_of_error(request) if is_error else _answer(request))
        return _ACCEPTED

    def _init_error(self, request: ApiRequest) -> ApiResponse:
        if self.phase is not Phase.STARTED:
            return self._not_allowed(Phase.INIT_FAILED.value)
        self.phase = Phase.INIT_FAILED
        error = too_large() if request.is_too_large else _body_of_error(request)
        self._listener.on_init_error(error)
        return _ACCEPTED

    def _not_allowed(self, goal: str) -> ApiResponse:
        text = (
            f"State transition from {self.phase.value} to {goal} failed for runtime."
            " Error: State transition is not allowed"
        )
        return refusal(b"403 Forbidden", "InvalidStateTransition", text)


def too_large() -> Answer:
    """Return the error of a function whose answer is more than it may be."""
    text = (
        "Response payload size exceeded maximum allowed payload size"
        f" ({limits.function_answer_bytes_max} bytes)."
    )
    members = {"errorType": TOO_LARGE, "errorMessage": text}
    return Answer(msgspec.json.encode(members), TOO_LARGE)


def _answer(request: ApiRequest) -> Answer:
    """Return what was posted; a streaming answer may tell in its trailers that it failed."""
    kind = request.headers.get(_ERROR_TYPE)
    if kind is None:
        return Answer(request.body)
    try:
        told = b64decode(request.headers.get(_ERROR_BODY, b""), validate=True)
    except Base64Error:
        told = b""
    error_type = kind.decode("utf-8", "replace") or _UNKNOWN
    members = {"errorType": error_type, "errorMessage": ""}
    return Answer(told or msgspec.json.encode(members), error_type)
