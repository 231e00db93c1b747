"""REST actions: where their members stand in a request, and what they may answer with.

A module of an action has `ROUTE`, `SHAPE` and `run(context, request)`, as the other actions have
the last two. `run` returns the members of a JSON answer, `EMPTY_BODY` for an answer without a body,
or a `RestAnswer` where it decides on status, headers and bytes itself.
"""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec

from penstock.base.errors import aws_lambda
from penstock.operations.operation import Context, Services
from penstock.wire.shapes import Boolean, Integer, ListOf, Structure
from penstock.wire.sigv4 import Caller

_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Route:
    """Where a REST action is found, and where its members stand.

    `path` has a label in braces for each member that stands in it. `query` are the members that
    stand in the query string, `headers` those that stand in headers, by the header's name; all
    others stand in the body, which is a JSON object, but for an action with a `payload`: that
    member is the body, as bytes.
    """

    method: str
    path: str
    status: int = 200
    query: Sequence[str] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    payload: str | None = None
    signed: bool = True
    """Whether it answers only to who signed the request."""


class RestRequest(NamedTuple):
    """A request for a route: the texts of its labels, its query string, headers and plain body."""

    labels: Mapping[str, str]
    query: bytes
    headers: Mapping[bytes, bytes]
    body: bytes


class RestAnswer(NamedTuple):
    """An answer with a status, headers and bytes of its own."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Answer = dict[str, Any] | msgspec.Raw | RestAnswer
Run = Callable[[Context, dict[str, Any]], Coroutine[Any, Any, Answer]]


class RestOperation:
    """One REST action of one server."""

    def __init__(
        self, services: Services, name: str, route: Route, shape: Structure, run: Run
    ) -> None:
        self.name = name
        self.route = route
        self._services, self._shape, self._run = services, shape, run
        self._headers = {
            header.lower().encode(): member for header, member in route.headers.items()
        }

    def call(
        self, caller: Caller, request: RestRequest, request_id: str
    ) -> Coroutine[Any, Any, Answer]:
        """Begin the answer to `request`; ApiError where there is none."""
        context = Context(self._services, caller, request_id)
        payload = self.route.payload
        members = self._outside_body(request)
        if payload is None:
            given = body_members(request.body)
            elsewhere = {*request.labels, *self.route.query, *self._headers.values()}
            members |= {name: value for name, value in given.items() if name not in elsewhere}
        read = self._shape.request(members)
        if payload is not None:
            read[payload] = request.body
        return self._run(context, read)

    def _outside_body(self, request: RestRequest) -> dict[str, Any]:
        """Return the members that stand in the path, the query string and the headers."""
        members: dict[str, Any] = dict(request.labels)
        if self.route.query and request.query:
            given = parse_qsl(request.query.decode("latin-1"), keep_blank_values=True)
            for name in self.route.query:
                values = [value for key, value in given if key == name]
                if values:
                    members[name] = self._typed(name, values)
        for header, name in self._headers.items():
            if (text := request.headers.get(header)) is not None:
                members[name] = self._typed(name, [text.decode("latin-1")])
        return members

    def _typed(self, name: str, values: list[str]) -> Any:
        """Return what texts of a request mean: what cannot be meant stays a text, and is refused.

        Of a member that came twice the first holds.
        """
        shape, text = self._shape.shape_of(name), values[0]
        if isinstance(shape, ListOf):
            return values
        if isinstance(shape, Integer) and text.removeprefix("-").isdecimal() and len(text) < 20:
            return int(text)
        if isinstance(shape, Boolean) and text in ("true", "false"):
            return text == "true"
        return text


class AbsentOperation:
    """An action of the service that this release does not have."""

    def __init__(self, name: str, route: Route) -> None:
        self.name, self.route = name, route

    def call(
        self, caller: Caller, request: RestRequest, request_id: str
    ) -> Coroutine[Any, Any, Answer]:
        """Raise the error that says so."""
        raise aws_lambda.unknown_action(self.name)


def body_members(body: bytes) -> dict[str, Any]:
    """Return the members of a JSON object; InvalidRequestContentException where it is none."""
    if not body:
        return {}
    try:
        members = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise aws_lambda.request_body_not_json(str(error)) from None
    if not isinstance(members, dict):
        raise aws_lambda.request_body_not_json("an object has to stand there")
    return members
