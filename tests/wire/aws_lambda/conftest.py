"""The ground of the tests of Lambda: a client."""

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture(scope="session")
def functions(make_client: Callable[..., Any]) -> Any:
    """A client of Lambda."""
    return make_client("lambda")
