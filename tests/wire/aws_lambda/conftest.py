"""The ground of the tests of Lambda: a client, and functions that are gone after the test."""

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from wire.aws_lambda.code import parameters


@pytest.fixture(scope="session")
def functions(make_client: Callable[..., Any]) -> Any:
    """A client of Lambda."""
    return make_client("lambda")


@pytest.fixture
def function_name() -> str:
    """A name that no function has had."""
    return f"test-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def new_function(functions: Any, function_name: str) -> Iterator[Callable[..., str]]:
    """Make functions that are deleted after the test: `new_function(Timeout=5)` gives the name."""
    made: list[str] = []

    def make(**changed: Any) -> str:
        name = f"{function_name}-{len(made)}"
        functions.create_function(**parameters(name, **changed))
        made.append(name)
        return name

    yield make
    for name in made:
        try:
            functions.delete_function(FunctionName=name)
        except functions.exceptions.ResourceNotFoundException:
            continue  # the test has deleted it
