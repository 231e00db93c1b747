"""Asks a server for actions of Lambda: a function, a mapping while it is needed, an invocation."""

import base64
import contextlib
import http.client
import io
import json
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from bench import handler
from bench.api import ANSWER_SECONDS_MAX, Answer, ApiError, Json, signature

CHANGED_SECONDS_MAX = 30.0
"""How long a function or a mapping may take to become what it is told to be."""
POLL_SECONDS = 0.02
MEMORY_MB = 512
TIMEOUT_SECONDS = 60

_FUNCTIONS = "/2015-03-31/functions"
_MAPPINGS = "/2015-03-31/event-source-mappings"
_ROLE = "arn:aws:iam::000000000000:role/benchmark"
_HEADERS = {
    "Content-Type": "application/json",
    **signature("lambda", "content-type;host;x-amz-date"),
}
_SHOWN_BYTES_MAX = 300


class Mapped(NamedTuple):
    """What is mapped to what, and how."""

    stream_arn: str
    function: str
    batch_size: int
    position: str


class LambdaApi:
    """One connection to a server, made anew after a failure; a context that closes it."""

    def __init__(self, host: str, port: int, seconds_max: float = ANSWER_SECONDS_MAX) -> None:
        self._connection = http.client.HTTPConnection(host, port, timeout=seconds_max)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def create_function(self, name: str, work: Callable[..., object], notes: Path) -> None:
        """Make a function of `work`, one of `bench.handler`, that notes in the file `notes`."""
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        request = {
            "FunctionName": name,
            "Runtime": f"python{version}",
            "Role": _ROLE,
            "Handler": f"handler.{work.__name__}",
            "Code": {"ZipFile": base64.b64encode(code()).decode()},
            "Environment": {"Variables": {"NOTES": str(notes)}},
            "MemorySize": MEMORY_MB,
            "Timeout": TIMEOUT_SECONDS,
        }
        self._call("POST", _FUNCTIONS, 201, request)
        path = f"{_FUNCTIONS}/{name}/configuration"
        self._await(f"the function {name}", lambda: self._state(path) == "Active")

    def invoke(self, function: str, event: bytes) -> None:
        """Have a function run to its end; ApiError where that is none."""
        answer = self._ask("POST", f"{_FUNCTIONS}/{function}/invocations", 200, event)
        if any(name.lower() == "x-amz-function-error" for name, _ in answer.headers):
            raise ApiError(f"Invoke: {_shown(answer)}")

    @contextmanager
    def mapping(self, mapped: Mapped) -> Iterator[None]:
        """Have an event source mapping inside the `with`: before it is enabled, after it gone."""
        request = {
            "EventSourceArn": mapped.stream_arn,
            "FunctionName": mapped.function,
            "BatchSize": mapped.batch_size,
            "StartingPosition": mapped.position,
        }
        path = f"{_MAPPINGS}/{self._call('POST', _MAPPINGS, 202, request)['UUID']}"
        try:
            self._await("the mapping", lambda: self._state(path) == "Enabled")
            yield
        except BaseException:
            with contextlib.suppress(ApiError):  # what went wrong inside is what counts
                self._call("DELETE", path, 202)
            raise
        self._call("DELETE", path, 202)
        self._await("the end of the mapping", lambda: self._state(path) is None)

    def _state(self, path: str) -> str | None:
        """Return the state of what is there, None where it is not."""
        answer = self._request("GET", path, b"")
        if answer.status == 404:
            return None
        state: str = _told(answer, "GET", path, 200)["State"]
        return state

    def _await(self, title: str, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + CHANGED_SECONDS_MAX
        while not is_so():
            if time.monotonic() > deadline:
                raise ApiError(f"{title} did not come in {CHANGED_SECONDS_MAX:.0f} s")
            time.sleep(POLL_SECONDS)

    def _call(self, method: str, path: str, status: int, request: Json | None = None) -> Json:
        body = b"" if request is None else json.dumps(request).encode()
        return _told(self._request(method, path, body), method, path, status)

    def _ask(self, method: str, path: str, status: int, body: bytes) -> Answer:
        return _checked(self._request(method, path, body), method, path, status)

    def _request(self, method: str, path: str, body: bytes) -> Answer:
        try:
            self._connection.request(method, path, body, _HEADERS)
            response = self._connection.getresponse()
            return Answer(response.status, response.getheaders(), response.read())
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise ApiError(f"{method} {path}: {error!r}") from error


def code() -> bytes:
    """Return the archive that the functions are made of."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(Path(handler.__file__), "handler.py")
    return packed.getvalue()


def _told(answer: Answer, method: str, path: str, status: int) -> Json:
    told: Json = json.loads(_checked(answer, method, path, status).body or b"{}")
    return told


def _checked(answer: Answer, method: str, path: str, status: int) -> Answer:
    if answer.status != status:
        raise ApiError(f"{method} {path}: {answer.status} {_shown(answer)}")
    return answer


def _shown(answer: Answer) -> str:
    return answer.body[:_SHOWN_BYTES_MAX].decode(errors="replace")
