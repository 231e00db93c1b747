"""Event source mappings in a memory engine: the API's part alone, with nobody who runs them."""

import asyncio
from types import ModuleType
from typing import Any

import msgspec
import pytest

from penstock.base.errors.api import ApiError
from penstock.functions.catalog import store_alias, store_function
from penstock.functions.destination import Endpoints
from penstock.functions.function import Alias, Code, Function, function_lock
from penstock.functions.mapping import (
    MAPPINGS_LOCK,
    Mapping,
    State,
    find_mapping,
    forget_mapping,
    store_mapping,
)
from penstock.operations.aws_lambda import (
    create_event_source_mapping,
    delete_event_source_mapping,
    get_event_source_mapping,
    list_event_source_mappings,
    update_event_source_mapping,
)
from penstock.operations.operation import Context, Services
from penstock.storage.waist import Transaction
from penstock.testing.clock import FakeClock
from penstock.wire.sigv4 import Caller
from unit.tables.tables_in_memory import ACCOUNT, NAME, REGION, tables_in_memory

ROOT = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:"
Answer = dict[str, Any]


class Store:
    """A table with a stream, and the functions `ship` (version 1, alias live) and `bill`."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.tables = tables_in_memory(self.clock)
        self.services = Services(self.tables, 4, destinations=Endpoints(sqs="http://127.0.0.1:1"))
        table = self.tables.find(REGION, NAME)
        assert table is not None
        assert table.descriptor.stream is not None
        self.stream = table.descriptor.stream.arn
        for name in ("ship", "bill"):
            self.transact(lambda txn, name=name: self._store_function(txn, name), name)

    @staticmethod
    def _store_function(txn: Transaction, name: str) -> None:
        code = Code("00", 1, directory="/srv/code")
        function = Function(REGION, name, ROOT + name, "role", "python3.12", "app.handle", code)
        store_function(txn, function)
        if name == "ship":
            store_function(txn, msgspec.structs.replace(function, version="1"))
            store_alias(txn, Alias(REGION, name, "live", "1"))

    def transact(self, work: Any, function: str | None = None) -> Any:
        locks = (MAPPINGS_LOCK if function is None else function_lock(REGION, function),)
        return asyncio.run(self.tables.engine.transact(work, locks=locks))

    def call(self, module: ModuleType, region: str = REGION, **request: Any) -> Answer:
        """Answer a request as the server would."""
        return asyncio.run(module.run(self.context(region), module.SHAPE.request(request)))

    def context(self, region: str = REGION) -> Context:
        return Context(self.services, Caller(region, "AKIDEXAMPLE"))

    def refused(self, code: str, module: ModuleType, **request: Any) -> str:
        """Return the text with which a request is refused with that code."""
        with pytest.raises(ApiError) as caught:
            self.call(module, **request)
        assert caught.value.code == code, caught.value
        assert caught.value.message is not None
        return caught.value.message

    def create(self, function: str = "ship", settle: State | None = None, **more: Any) -> str:
        """Make a mapping and return its id; `settle` is the state that it is then moved to."""
        request = {
            "EventSourceArn": self.stream,
            "StartingPosition": "LATEST",
            "FunctionName": function,
            **more,
        }
        uuid: str = self.call(create_event_source_mapping, **request)["UUID"]
        if settle is not None:
            self.settle(uuid, settle)
        return uuid

    def get(self, uuid: str) -> Answer:
        return self.call(get_event_source_mapping, UUID=uuid)

    def update(self, uuid: str, **request: Any) -> Answer:
        return self.call(update_event_source_mapping, UUID=uuid, **request)

    def delete(self, uuid: str) -> Answer:
        return self.call(delete_event_source_mapping, UUID=uuid)

    def list(self, **request: Any) -> Answer:
        return self.call(list_event_source_mappings, **request)

    def stored(self, uuid: str) -> Mapping:
        """Return a mapping as it is stored."""
        found = self.tables.read(lambda reader: find_mapping(reader, REGION, uuid))
        assert found is not None
        return found

    def settle(self, uuid: str, state: State) -> None:
        """Move a mapping to a state, as who runs it would."""
        settled = msgspec.structs.replace(self.stored(uuid), state=state)
        self.transact(lambda txn: store_mapping(txn, settled))

    def forget(self, uuid: str) -> None:
        """Take a mapping away, as who runs it would."""
        mapping = self.stored(uuid)
        self.transact(lambda txn: forget_mapping(txn, mapping))

    def has_rung(self) -> bool:
        """Say whether who runs the mappings was told of a change since the last call."""
        return asyncio.run(self.services.mappings_changed.wait(0))
