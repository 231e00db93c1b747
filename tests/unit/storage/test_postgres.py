"""The PostgreSQL engine: the conformance suites, over one server that the tests share."""

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.base.clock import Clock
from penstock.base.ids import Entropy
from penstock.storage.postgres import PostgresEngine
from penstock.storage.waist import Engine
from penstock.testing.many_nodes_conformance import ManyNodesConformance


class TestPostgresEngine(ManyNodesConformance):
    """The waist's contract, over PostgreSQL; each store is a schema."""

    @pytest.fixture(autouse=True)
    def stores(self, url_of_new_schema: Callable[[], str]) -> None:
        self.urls: dict[Path, str] = defaultdict(url_of_new_schema)

    def open_engine(self, path: Path, clock: Clock) -> Engine:
        return PostgresEngine.open(self.urls[path], clock, Entropy())
