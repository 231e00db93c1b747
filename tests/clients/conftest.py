"""The ground of the tests with real clients: one `penstock serve` over rocksdb, and tables on it.

With `--url URL` they talk to whatever answers there.
"""

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from pynamodb.models import Model

from server_process import ServerProcess
from wire.clients import REGION

ACCESS_KEY, SECRET_KEY = "AKIDEXAMPLE", "secret"
WAIT_SECONDS_MAX = 60.0
POLL_SECONDS = 0.02


@pytest.fixture(scope="session")
def endpoint(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The URL of the server under test."""
    url = request.config.getoption("--url")
    if url:
        yield url
        return
    store = tmp_path_factory.mktemp("clients") / "store"
    with ServerProcess.on(store, "--ttl-interval-seconds", "1") as process:
        yield f"http://127.0.0.1:{process.port}"
        process.stop()
        assert process.stderr == "", "no request of any client is a bug of the server"


@pytest.fixture(scope="session")
def resource(endpoint: str) -> Any:
    """boto3's resource layer, as an application has it: it retries, and checks parameters."""
    make_any: Any = boto3.resource  # without the stubs, whose types are not what is shown here
    return make_any(
        "dynamodb",
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
    )


@pytest.fixture(scope="session")
def client(resource: Any) -> Any:
    """The resource layer's own client, which takes and gives Python's types."""
    return resource.meta.client


@pytest.fixture
def table_name() -> str:
    """A name that no table has had."""
    return f"client-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def make_table(resource: Any, table_name: str) -> Iterator[Callable[..., Any]]:
    """Make Table objects that are deleted after the test; parameters replace those of pk and sk."""
    made: list[Any] = []

    def make(**more: Any) -> Any:
        table = resource.create_table(
            **{
                "TableName": f"{table_name}.{len(made)}",
                "KeySchema": [
                    {"AttributeName": "pk", "KeyType": "HASH"},
                    {"AttributeName": "sk", "KeyType": "RANGE"},
                ],
                "AttributeDefinitions": [
                    {"AttributeName": "pk", "AttributeType": "S"},
                    {"AttributeName": "sk", "AttributeType": "N"},
                ],
                "BillingMode": "PAY_PER_REQUEST",
                **more,
            }
        )
        made.append(table)
        table.wait_until_exists()
        return table

    yield make
    for table in made:
        table.delete()


@pytest.fixture
def table(make_table: Callable[..., Any]) -> Any:
    """A Table object with keys pk (S) and sk (N)."""
    return make_table()


@pytest.fixture
def made(endpoint: str, table_name: str) -> Iterator[Callable[[type[Model]], Any]]:
    """Point a model at the server, make its table and wait for it; deleted after the test."""
    models: list[type[Model]] = []

    def make(model: type[Model]) -> Any:
        meta = {
            "table_name": f"{table_name}.{len(models)}",
            "host": endpoint,
            "region": REGION,
            "aws_access_key_id": ACCESS_KEY,
            "aws_secret_access_key": SECRET_KEY,
            "billing_mode": "PAY_PER_REQUEST",
        }
        # A class of the test's own: a model remembers its connection.
        bound: Any = type(model.__name__, (model,), {"Meta": type("Meta", (), meta)})
        bound.create_table(wait=True)
        models.append(bound)
        return bound

    yield make
    for model in models:
        model.delete_table()


@pytest.fixture(scope="session")
def wait_for() -> Callable[[Callable[[], bool], str], None]:
    """Wait until something has come about: `wait_for(condition, what it is)`."""

    def wait(done: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while not done():
            assert time.monotonic() < deadline, f"never: {what}"
            time.sleep(POLL_SECONDS)

    return wait
