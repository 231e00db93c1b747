"""Invoking functions that live elsewhere, by their names; and who invokes which function.

A function at a URL gets the event as the body of a POST. Any answer of 2xx is its result, unless
the header `X-Amz-Function-Error` makes it an error. At a path of Lambda's own, as the Runtime
Interface Emulator has it, what the emulator leaves unsaid is told from the answer itself: it sends
no such header, and errors and time-outs with status 200 (its issues 20 and 21, 2026-11).
"""

import asyncio
import base64
import re
from collections import deque
from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

import penstock
from penstock.base import limits
from penstock.functions.http_calls import CallFailed, HttpAnswer, HttpCalls
from penstock.functions.invoker import Invoker, NotInvoked, Outcome
from penstock.functions.lambda_calls import LambdaCalls
from penstock.functions.remote_function import HttpFunction, RemoteFunction
from penstock.functions.remote_outcome import function_error, log_tail, no_outcome, too_large

_INVOCATIONS = re.compile(r"/2015-03-31/functions/[^/]+/invocations/?")
_LATEST = "$LATEST"


class _Room:
    """Places for so many invocations at once; NotInvoked where none becomes free in time.

    Unlike asyncio's semaphore and time-outs it may be waited for outside of any task.
    """

    def __init__(self) -> None:
        self._taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def __aenter__(self) -> None:
        if self._taken < limits.remote_invocations_max:
            self._taken += 1
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await asyncio.wait((place,), timeout=limits.remote_queue_seconds_max)
        except BaseException:
            if not place.cancel():
                self._leave()
            raise
        if not place.done():
            place.cancel()
            text = f"{limits.remote_invocations_max} functions elsewhere are being invoked already"
            raise NotInvoked("throttled", text)

    async def __aexit__(self, *_: object) -> None:
        self._leave()

    def _leave(self) -> None:
        """Give the place to whoever has waited for longest."""
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                return
        self._taken -= 1


class RemoteInvoker(Invoker):
    """Invokes the functions of a mapping of names; `seconds_max` is the time of each invocation."""

    def __init__(
        self,
        functions: Mapping[str, RemoteFunction],
        seconds_max: float = limits.function_seconds_max,
    ) -> None:
        self._functions = functions
        self._seconds_max = seconds_max
        self._http = HttpCalls()
        self._lambda = LambdaCalls(seconds_max)
        self._room = _Room()

    def has(self, name: str) -> bool:
        """Say whether the function of that name lives elsewhere."""
        return name in self._functions

    async def invoke(
        self,
        function_arn: str,
        payload: bytes,
        *,
        tail: bool = False,
        client_context: bytes | None = None,
        request_id: str | None = None,
    ) -> Outcome:
        name, qualifier = name_and_qualifier(function_arn)
        function = self._functions.get(name)
        if function is None:
            raise NotInvoked("missing", f"no function {name} is known elsewhere")
        if isinstance(function, HttpFunction):
            if qualifier is not None:
                raise NotInvoked("missing", f"{name} at {function} has no versions and no aliases")
            headers = _headers(function_arn, tail, client_context, request_id)
            async with self._room:
                return await self._post(function.url, headers, payload, tail)
        async with self._room:
            return await self._lambda.invoke(
                function, qualifier, payload, tail=tail, client_context=client_context
            )

    def close(self) -> None:
        """Give up what is under way; safe twice."""
        self._http.close()
        self._lambda.close()

    async def _post(
        self, url: str, headers: Mapping[str, str], payload: bytes, tail: bool
    ) -> Outcome:
        try:
            answer = await self._http.post(url, headers, payload, seconds_max=self._seconds_max)
        except CallFailed as failure:
            if failure.kind == "unreached":
                raise NotInvoked("unavailable", failure.text) from failure
            kind = "Sandbox.Timedout" if failure.kind == "late" else "Http.NoAnswer"
            return no_outcome(kind, failure.text, 200)
        return _outcome(url, answer, tail)


class Invokers(Invoker):
    """Invokes what lives elsewhere there, and all else by `local`."""

    def __init__(self, remote: RemoteInvoker, local: Invoker) -> None:
        self._remote = remote
        self._local = local

    async def invoke(
        self,
        function_arn: str,
        payload: bytes,
        *,
        tail: bool = False,
        client_context: bytes | None = None,
        request_id: str | None = None,
    ) -> Outcome:
        name, _ = name_and_qualifier(function_arn)
        chosen: Invoker = self._remote if self._remote.has(name) else self._local
        return await chosen.invoke(
            function_arn, payload, tail=tail, client_context=client_context, request_id=request_id
        )


def name_and_qualifier(function_arn: str) -> tuple[str, str | None]:
    """Return the name of a function out of its ARN, and its version or alias unless the latest."""
    parts = function_arn.split(":")
    qualifier = parts[7] if len(parts) > 7 else _LATEST
    return parts[6], None if qualifier == _LATEST else qualifier


def _headers(
    function_arn: str, tail: bool, client_context: bytes | None, request_id: str | None
) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"Penstock/{penstock.__version__}",
        "X-Amz-Invocation-Type": "RequestResponse",
        "X-Amz-Log-Type": "Tail" if tail else "None",
        "Lambda-Runtime-Invoked-Function-Arn": function_arn,
    }
    if client_context is not None:
        headers["X-Amz-Client-Context"] = base64.b64encode(client_context).decode()
    if request_id is not None:
        headers["Lambda-Runtime-Aws-Request-Id"] = request_id
    return headers


def _outcome(url: str, answer: HttpAnswer, tail: bool) -> Outcome:
    """Return what an answer means; NotInvoked where it says that the function did not run."""
    status, body = answer.status, answer.body
    is_emulator = _INVOCATIONS.fullmatch(urlsplit(url).path) is not None
    if status == 429 or (is_emulator and status == 400 and not body):  # the emulator has one place
        raise NotInvoked("throttled", _told(url, answer))
    if status == 503:
        raise NotInvoked("unavailable", _told(url, answer))
    if not 200 <= status < 300:
        return no_outcome(f"Http.Status{status}", _told(url, answer), status)
    if not answer.is_whole:
        return too_large(url)
    error = function_error(answer.headers.get("x-amz-function-error"))
    if error is None and is_emulator:
        if not _is_json(body):
            return no_outcome("Sandbox.Timedout", _told(url, answer), 200)
        error = "Unhandled" if _tells_error(body) else None
    return Outcome(
        body or b"null",
        error,
        answer.headers.get("x-amz-executed-version", _LATEST),
        200,
        log_tail(answer.headers.get("x-amz-log-result")) if tail else b"",
    )


def _told(url: str, answer: HttpAnswer) -> str:
    text = answer.body[: limits.remote_error_chars_max].decode("utf-8", "replace")
    return " ".join(f"{url} answered {answer.status} {answer.reason}: {text}".split()).rstrip(":")


def _is_json(body: bytes) -> bool:
    try:
        msgspec.json.decode(body or b"null", type=msgspec.Raw)
    except msgspec.DecodeError:
        return False
    return True


class _ErrorTold(msgspec.Struct):
    """The object by which a runtime tells an error."""

    errorType: str  # noqa: N815 - the runtime's own name
    errorMessage: str | None  # noqa: N815 - the same


def _tells_error(body: bytes) -> bool:
    try:
        msgspec.json.decode(body or b"null", type=_ErrorTold)
    except msgspec.DecodeError:
        return False
    return True
