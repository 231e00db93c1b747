"""The server of the plain suites: one for all tests of a process, or whichever a variable names."""

from collections.abc import Iterator
from contextlib import contextmanager

from penstock.base.environment import environment
from postgres.schemas import Schemas
from postgres.server import PostgresServer

URL_VARIABLE = "PENSTOCK_TEST_POSTGRES"

# Nothing here loses the machine's power, and what a process has written outlives its kill without
# a sync: so these suites show the same, in less time. What is acknowledged is still committed.
QUICK = {"fsync": "off", "full_page_writes": "off"}


@contextmanager
def shared_schemas() -> Iterator[Schemas]:
    """Give schemas of the server for plain suites; skip where there is none."""
    if named := environment().get(URL_VARIABLE):
        with Schemas(named) as schemas:
            yield schemas
    else:
        with PostgresServer(QUICK) as server, Schemas(server.url) as schemas:
            yield schemas
