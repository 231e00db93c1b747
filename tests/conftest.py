"""Options, profiles and the PostgreSQL server of the whole suite."""

from collections.abc import Callable, Iterator

import pytest
from hypothesis import settings

from postgres.schemas import Schemas
from postgres.shared import shared_schemas

# Machines are shared and noisy: an example that took long once proves nothing.
settings.register_profile("penstock", deadline=None, print_blob=True)
settings.load_profile("penstock")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--url", help="run the wire tests against the server at this URL")


@pytest.fixture(scope="session")
def postgres_schemas() -> Iterator[Schemas]:
    """Schemas of a PostgreSQL server that the tests of this process share."""
    with shared_schemas() as schemas:
        yield schemas


@pytest.fixture(scope="session")
def url_of_new_schema(postgres_schemas: Schemas) -> Callable[[], str]:
    """Make a schema that nobody has had, and return its URL."""
    return postgres_schemas.new_url


@pytest.fixture
def postgres_url(url_of_new_schema: Callable[[], str]) -> str:
    """The URL of a schema of this test's own."""
    return url_of_new_schema()
