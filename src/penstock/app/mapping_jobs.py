"""The mapping engine of a node: what it reads, calls and tells, put together."""

from penstock.base.timers import Timers
from penstock.consumers.deliverer import Deliverer
from penstock.consumers.engine import MappingEngine
from penstock.consumers.local_source import LocalSource
from penstock.consumers.source import Source
from penstock.functions.invoker import Invoker
from penstock.functions.mapping import Mapping
from penstock.functions.turns import Turns
from penstock.operations.operation import Services
from penstock.storage.leases import Leases


def mapping_engine(
    services: Services,
    invoker: Invoker,
    deliverer: Deliverer,
    turns: Turns,
    leases: Leases | None = None,
) -> MappingEngine:
    """Return the engine that runs the mappings of a store; without `leases`, all of them."""
    tables = services.tables

    def source_of(mapping: Mapping) -> Source:
        return LocalSource(tables.engine, tables.clock, mapping.source_arn)

    return MappingEngine(
        tables.engine,
        Timers(tables.clock),
        tables.entropy,
        invoker,
        deliverer,
        source_of,
        leases,
        services.mappings_changed,
        turns,
    )
