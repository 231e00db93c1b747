"""The ground of the tests of Lambda: a client, functions that are gone after the test, mappings."""

import json
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from wire.aws_lambda.code import parameters
from wire.clients import REGION, stream_of
from wire.conftest import Answer
from wire.nodes import next_node


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


@pytest.fixture(scope="session")
def rest(endpoint: str) -> Callable[..., Answer]:
    """Send a REST request of the test's own making, well signed: `rest("GET", "/path")`."""

    def send(method: str, path: str, body: bytes | dict[str, Any] = b"") -> Answer:
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        headers = {"Content-Type": "application/json", "Host": urlsplit(endpoint).netloc}
        signed = AWSRequest(method, endpoint + path, data=data, headers=headers)
        SigV4Auth(Credentials("AKIDEXAMPLE", "secret"), "lambda", REGION).add_auth(signed)
        sent = urllib.request.Request(
            next_node(endpoint) + path, data=data, headers=dict(signed.headers), method=method
        )
        try:
            with urllib.request.urlopen(sent, timeout=60) as got:
                return Answer(got.status, dict(got.headers), got.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers), error.read())

    return send


class Ground(NamedTuple):
    """What a mapping needs: a function's name, and a stream's ARN."""

    function: str
    stream: str


@pytest.fixture
def ground(new_function: Callable[..., str], new_table: Callable[..., str], ddb: Any) -> Ground:
    """A function and a stream of their own."""
    return Ground(new_function(), stream_of(ddb, new_table(view_type="NEW_AND_OLD_IMAGES")))


@pytest.fixture
def new_mapping(functions: Any, ground: Ground) -> Callable[..., dict[str, Any]]:
    """Make a mapping of the ground, with what is given beside it, and return the answer.

    It stays when the test is over, so it is Disabled where the test does not say otherwise.
    """

    def make(**more: Any) -> dict[str, Any]:
        request = {
            "EventSourceArn": ground.stream,
            "FunctionName": ground.function,
            "StartingPosition": "LATEST",
            "Enabled": False,
            **more,
        }
        answer: dict[str, Any] = functions.create_event_source_mapping(**request)
        return answer

    return make
