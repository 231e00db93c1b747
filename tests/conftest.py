"""Options and profiles of the whole suite."""

import pytest
from hypothesis import settings

# Machines are shared and noisy: an example that took long once proves nothing.
settings.register_profile("penstock", deadline=None, print_blob=True)
settings.load_profile("penstock")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--url", help="run the wire tests against the server at this URL")
