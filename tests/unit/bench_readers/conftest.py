"""A server in this process for the benchmark's readers."""

from collections.abc import Iterator

import pytest

from penstock.testing.server import RunningServer
from unit.bench_readers.serving import port_of


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Return the port of a server in memory that the tests of a module share."""
    with RunningServer() as server:
        yield port_of(server)
