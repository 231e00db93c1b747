"""The pytest plugin: a server, tables with streams, captured changes, and the server's controls.

pytest loads this in every run where Penstock is installed, so it imports nothing heavy, has no hook
that is called for tests, and no fixture that comes by itself. What the fixtures are for stands in
docs/testing.md.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from penstock.testing.capture import Capture
    from penstock.testing.local_server import LocalServer
    from penstock.testing.surgery import Faults, ServerClock, Surgery

_SETTINGS_HELP = (
    "settings of the server of penstock_server, as `penstock serve` has them: NAME=VALUE, several"
    " apart by spaces (engine=memory unless one says otherwise)"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the one line of configuration that there is."""
    parser.addini("penstock_settings", _SETTINGS_HELP, type="args", default=[])


# --- servers and clients


@pytest.fixture(scope="session")
def penstock_settings(pytestconfig: pytest.Config) -> dict[str, Any]:
    """The settings of `penstock_server`: those of the configuration; override it for others."""
    settings = {}
    for text in pytestconfig.getini("penstock_settings"):
        name, equals, value = text.partition("=")
        if not equals:
            pytest.fail(f"penstock_settings: {text!r} is not NAME=VALUE", pytrace=False)
        settings[name.replace("-", "_")] = value
    return settings


@pytest.fixture(scope="session")
def penstock_server(
    penstock_settings: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator["LocalServer"]:
    """A running server for the whole session, in this process, with test controls on."""
    with _server(penstock_settings, tmp_path_factory) as server:
        yield server


@pytest.fixture
def penstock_server_factory(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[..., "LocalServer"]]:
    """Start more servers: `penstock_server_factory(engine="rocksdb", shards=8)`.

    They are stopped after the test, or by their `stop()`.
    """
    started: list[LocalServer] = []

    def start(**settings: Any) -> "LocalServer":
        server = _server(settings, tmp_path_factory).start()
        started.append(server)
        return server

    yield start
    for server in reversed(started):
        server.stop()


@pytest.fixture(scope="session")
def penstock_dynamodb(penstock_server: "LocalServer") -> Any:
    """A boto3 client of DynamoDB."""
    return penstock_server.client("dynamodb")


@pytest.fixture(scope="session")
def penstock_streams(penstock_server: "LocalServer") -> Any:
    """A boto3 client of DynamoDB Streams."""
    return penstock_server.client("dynamodbstreams")


@pytest.fixture(scope="session")
def penstock_resource(penstock_server: "LocalServer") -> Any:
    """A boto3 resource of DynamoDB."""
    return penstock_server.resource()


@pytest.fixture
def penstock_environment(
    penstock_server: "LocalServer", monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """Lead every AWS client that is made in this test to the server, by the environment."""
    import boto3  # noqa: PLC0415 - heavy, and only for tests that use it

    environment = penstock_server.environment()
    for name, value in environment.items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it remembers what it found before
    return {name: value for name, value in environment.items() if value is not None}


# --- tables and their changes


@pytest.fixture
def penstock_table_factory(
    request: pytest.FixtureRequest, penstock_resource: Any
) -> Iterator[Callable[..., Any]]:
    """Make tables that are deleted after the test: `penstock_table_factory(keys={"pk": "S"})`."""
    from penstock.testing.stream_tables import StreamTables  # noqa: PLC0415 - heavy

    tables = StreamTables(penstock_resource, request.node.name)
    yield tables.make
    tables.delete_all()


@pytest.fixture
def penstock_table(penstock_table_factory: Callable[..., Any]) -> Any:
    """A new table, as boto3's resource: key `id`, a string; a stream of NEW_AND_OLD_IMAGES."""
    return penstock_table_factory()


@pytest.fixture(scope="session")
def _penstock_capture_streams(penstock_server: "LocalServer") -> Any:
    """The client of all captures, by a name of its own."""
    from penstock.operations.control.faults import OBSERVER  # noqa: PLC0415 - heavy

    return penstock_server.client("dynamodbstreams", consumer=OBSERVER)


@pytest.fixture
def penstock_capture(
    penstock_dynamodb: Any, _penstock_capture_streams: Any
) -> Callable[[Any], "Capture"]:
    """Capture the changes of a table, given by name or as a resource."""
    from penstock.testing.capture import Capture  # noqa: PLC0415 - heavy
    from penstock.testing.stream_tables import table_name  # noqa: PLC0415 - heavy

    def capture(table: Any) -> Capture:
        return Capture(penstock_dynamodb, _penstock_capture_streams, table_name(table))

    return capture


@pytest.fixture
def penstock_changes(
    penstock_table: Any, penstock_capture: Callable[[Any], "Capture"]
) -> "Capture":
    """The changes of `penstock_table`: `changes()`, `assert_changes([...])`, `clear()`."""
    return penstock_capture(penstock_table)


# --- controls


@pytest.fixture
def penstock_clock(penstock_server: "LocalServer") -> Iterator["ServerClock"]:
    """The server's clock; after the test it is put back to the time of this machine."""
    from penstock.testing.surgery import ServerClock  # noqa: PLC0415 - heavy

    clock = ServerClock(penstock_server.control)
    yield clock
    clock.put_back()


@pytest.fixture
def penstock_surgery(request: pytest.FixtureRequest, penstock_server: "LocalServer") -> "Surgery":
    """Roll, split and trim shards, and expire iterators, now."""
    from penstock.testing.surgery import Surgery  # noqa: PLC0415 - heavy

    return Surgery(penstock_server.control, _finder(request))


@pytest.fixture
def penstock_faults(
    request: pytest.FixtureRequest, penstock_server: "LocalServer"
) -> Iterator["Faults"]:
    """Faults of GetRecords; what is left of them is cleared after the test."""
    from penstock.testing.surgery import Faults  # noqa: PLC0415 - heavy

    faults = Faults(penstock_server.control, _finder(request))
    yield faults
    faults.clear()


@pytest.fixture
def penstock_drain(
    request: pytest.FixtureRequest, penstock_server: "LocalServer"
) -> Callable[..., None]:
    """Wait until a consumer has read all that is written: `penstock_drain("billing")`."""
    from penstock.testing import surgery  # noqa: PLC0415 - heavy

    find = _finder(request)

    def drain(consumer: str, table: Any = None, *, seconds_max: float = 30.0) -> None:
        __tracebackhide__ = True
        surgery.drain(penstock_server.control, find(table), consumer, seconds_max)

    return drain


def _server(settings: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> "LocalServer":
    """Return a server that is not started yet; a store on disk without a place gets one."""
    from penstock.app.settings import SettingError  # noqa: PLC0415 - heavy
    from penstock.testing.local_server import LocalServer  # noqa: PLC0415 - heavy

    if settings.get("engine") == "rocksdb" and settings.get("data") is None:
        settings = {**settings, "data": tmp_path_factory.mktemp("penstock") / "store"}
    try:
        return LocalServer(**settings)
    except SettingError as error:
        pytest.fail(f"penstock: {error}", pytrace=False)


def _finder(request: pytest.FixtureRequest) -> Callable[[Any], str]:
    """Return what finds the name of a table that a test means, its own if it names none."""
    from penstock.testing.stream_tables import table_name  # noqa: PLC0415 - heavy

    def find(table: Any) -> str:
        if table is None:
            if "penstock_table" not in request.fixturenames:
                raise TypeError("name a table: this test has no penstock_table")
            table = request.getfixturevalue("penstock_table")
        return table_name(table)

    return find
