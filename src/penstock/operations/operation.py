"""What an API action is to the edge: a shape for the request, and the work that answers it."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import msgspec

from penstock.base.background import Alarm
from penstock.functions.destination import Endpoints
from penstock.functions.events import Events
from penstock.functions.invoker import Invoker
from penstock.functions.logs import StoredLogs
from penstock.functions.remote_function import RemoteFunction
from penstock.operations.control.controls import Controls
from penstock.streams.call_rates import CallRates
from penstock.streams.readers import Readers
from penstock.tables.tables import Tables
from penstock.wire.shapes import Structure
from penstock.wire.sigv4 import Caller

LsiStreamRule = Literal["strict", "aws"]

EMPTY_BODY = msgspec.Raw(b"")
"""The answer of an action that has none: its body has no bytes, not even an empty object."""


class FunctionServices(NamedTuple):
    """What runs functions."""

    invoker: Invoker
    events: Events
    retire: Callable[[str], None]
    """Lets no worker of the functions of that name be used again, on this node."""


@dataclass(frozen=True, slots=True)
class Services:
    """What the actions work on, one for the whole server."""

    tables: Tables
    shards_per_table: int
    table_delay_ms: int = 0
    """How long a table stays CREATING, UPDATING or DELETING."""
    ttl_change_ms: int = 0
    """How long a table's time to live stays as it was set last."""
    lsi_stream_rule: LsiStreamRule = "strict"
    """Whether a table with a stream may have a local index that projects non-key attributes."""
    work: Alarm = field(default_factory=Alarm)
    """Rings where a change of a table leaves something to be done beside the requests."""
    mappings_changed: Alarm = field(default_factory=Alarm)
    """Rings where an event source mapping was made, changed or is to be deleted."""
    remote_functions: Mapping[str, RemoteFunction] = field(default_factory=dict)
    """The functions that live elsewhere, by their names."""
    destinations: Endpoints = field(default_factory=Endpoints)
    """Where the failures of mappings can be told."""
    controls: Controls | None = None
    """What tests may move the server with, where it was started with test controls."""
    readers: Readers = field(default_factory=Readers)
    """Who reads the streams."""
    call_rates: CallRates = field(default_factory=CallRates)
    """How often the actions that tell of streams are called."""
    logs: StoredLogs | None = None
    """What keeps the logs of functions."""
    functions: FunctionServices | None = None
    """What runs functions; None only where nothing invokes any."""

    def reading_page(self) -> dict[str, Any]:
        """Return what is shown of the readers of streams."""
        return {
            "Shards": self.readers.shown(self.tables.clock.elapsed_ms()),
            "Actions": self.call_rates.shown(),
        }


@dataclass(frozen=True, slots=True)
class Context:
    """What one request's work knows beside the request: who calls, from where, on what."""

    services: Services
    caller: Caller
    request_id: str = ""
    """Of the request, where the action is a REST action."""

    @property
    def region(self) -> str:
        """Return the region that the request was signed for."""
        return self.caller.region

    @property
    def tables(self) -> Tables:
        """Return the tables of the store."""
        return self.services.tables

    @property
    def functions(self) -> FunctionServices:
        """Return what runs functions."""
        assert self.services.functions is not None  # `app.assembly`
        return self.services.functions

    @property
    def controls(self) -> Controls:
        """Return the test controls, for the actions that there are only with them."""
        assert self.services.controls is not None  # `operations.registry.control_operations`
        return self.services.controls

    @property
    def logs(self) -> StoredLogs:
        """Return what keeps the logs of functions."""
        assert self.services.logs is not None  # `app.assembly`: every server has it
        return self.services.logs

    @property
    def arn_prefix(self) -> str:
        """Return what the ARN of every table of this account and region begins with."""
        return f"{arn_root(self.region, self.tables.account)}table/"


Run = Callable[[Context, dict[str, Any]], Coroutine[Any, Any, dict[str, Any]]]


class Operation:
    """One API action of one server."""

    def __init__(self, services: Services, shape: Structure, run: Run) -> None:
        self._services, self._shape, self._run = services, shape, run

    def call(self, caller: Caller, body: dict[str, Any]) -> Coroutine[Any, Any, dict[str, Any]]:
        """Begin the answer to a request whose JSON was `body`; ApiError where there is none."""
        return self._run(Context(self._services, caller), self._shape.request(body))


class ControlOperation(Operation):
    """One action of the test controls: nobody signs it, and its body names the region."""

    def call(self, caller: Caller, body: dict[str, Any]) -> Coroutine[Any, Any, dict[str, Any]]:
        request = self._shape.request(body)
        region = request.get("Region", caller.region)
        return self._run(Context(self._services, caller._replace(region=region)), request)


def arn_root(region: str, account: str) -> str:
    """Return what every DynamoDB ARN of `account` in `region` begins with."""
    partition = "aws"
    if region.startswith("cn-"):
        partition = "aws-cn"
    elif region.startswith("us-gov-"):
        partition = "aws-us-gov"
    return f"arn:{partition}:dynamodb:{region}:{account}:"
