"""The pages about a server, by path: who reads its streams, what its mappings do, its metrics."""

from collections.abc import Callable, Sequence

from penstock.app.mappings_page import MAPPINGS_PATH, mappings_page
from penstock.app.metrics import METRICS_PATH, Metrics
from penstock.base.health import Health
from penstock.consumers.engine import MappingShown
from penstock.edge.dispatch import Pages
from penstock.operations.operation import Services

READERS_PATH = "/_penstock/readers"


def pages(
    services: Services,
    engine: str,
    health: Health,
    mappings: Callable[[], Sequence[MappingShown]],
) -> Pages:
    """Return what a server shows of itself; `engine` is the store's name."""
    clock = services.tables.clock
    metrics = Metrics(
        engine=engine, health=health, readers=services.readers, clock=clock, mappings=mappings
    )
    return {
        READERS_PATH: services.reading_page,
        MAPPINGS_PATH: lambda: mappings_page(mappings(), clock.now_ms()),
        METRICS_PATH: metrics.page,
    }
