"""The servers under test: what each is, how it is found on this machine, and how it is started.

`find` says of a server that it is there, and how to start it, or raises Missing with what lacks.
DynamoDB Local is never fetched: its licence is between its vendor and whoever uses it. Who has it
names its directory in the variable DYNAMODB_LOCAL.
"""

import http.client
import json
import os
import re
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import penstock
from bench import postgres
from bench.api import Answer, Api, ApiError, Json
from bench.installs import (
    Missing,
    locked_node_version,
    locked_python_version,
    need_program,
    node_packages,
    python_packages,
)
from bench.interrupts import Shield
from bench.processes import Child, free_port
from bench.trouble import Trouble

HOST = "127.0.0.1"
START_SECONDS_MAX = 60.0
POLL_SECONDS = 0.05
VARIABLE = "DYNAMODB_LOCAL"

PENSTOCK = "penstock"
FLOOR = "floor"
ENGINE = "engine"
POSTGRES = "penstock-postgres"
LOCAL_DISK = "dynamodb-local-disk"
LOCAL_MEMORY = "dynamodb-local-memory"


@dataclass(frozen=True)
class Start:
    """How a server that is there is started."""

    version: str
    command: Callable[[int, Path], list[str]]
    """The command line, for a port and an empty directory."""
    environment: Callable[[int, Path], Mapping[str, str]] = lambda port, data: {}


@dataclass(frozen=True)
class Server:
    """A server that can be measured."""

    name: str
    title: str
    find: Callable[[], Start]
    """Say how it is started. Raises Missing."""
    is_peer: bool = True
    family: str = ""
    """Whose name stands for it where servers are asked for; empty: its own."""


class NotStarted(Trouble):
    """A server that is there did not come up."""


@dataclass
class Running:
    """A server that answers at `host` and `port`."""

    server: Server
    version: str
    child: Child
    port: int
    data: Path
    folder: "tempfile.TemporaryDirectory[str]"
    host: str = HOST
    streams: dict[str, str | None] = field(default_factory=dict)
    """The ARNs of its tables' streams."""
    _broken: dict[str, Exception] = field(default_factory=dict)
    """What the making of a table failed with."""

    def make_once(self, table: str, make: Callable[[], str | None]) -> None:
        """Have `make`, which returns its stream's ARN, make a table that is not there yet.

        Where that failed before, the same failure is raised again: it is the cause.
        """
        if table in self._broken:
            raise self._broken[table]
        if table not in self.streams:
            try:
                self.streams[table] = make()
            except Exception as failure:
                self._broken[table] = failure
                raise

    def api(self) -> Api:
        """Return a connection of its own to it."""
        return Api(self.host, self.port)

    def answer_to(self, action: str, body: Json) -> Answer:
        """Return its whole answer to one request, which has to be a good one. Raises ApiError."""
        api = self.api()
        try:
            answer = api.ask(action, json.dumps(body).encode())
        finally:
            api.close()
        if answer.status != 200:
            raise ApiError(f"{action}: {answer.status} {answer.body[:300]!r}")
        return answer

    def stop(self) -> None:
        """End it and remove its data; safe to call twice."""
        with Shield():
            self.child.stop()
            self.folder.cleanup()


def start(server: Server, found: Start, root: Path | None = None) -> Running:
    """Start a server that stores in a new folder of `root`; wait until it answers.

    Raises NotStarted.
    """
    folder = tempfile.TemporaryDirectory(
        prefix="penstock-bench-", dir=root, ignore_cleanup_errors=True
    )
    data, port = Path(folder.name) / "data", free_port()
    data.mkdir()
    log = Path(folder.name) / "server.log"
    try:
        child = Child(found.command(port, data), log, found.environment(port, data))
    except BaseException:
        folder.cleanup()
        raise
    running = Running(server, found.version, child, port, data, folder)
    try:
        _await_answer(running)
    except BaseException:
        running.stop()
        raise
    return running


def _await_answer(running: Running) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    api = Api(running.host, running.port, START_SECONDS_MAX)
    while True:
        try:
            # Also a refusal is an answer: the floor knows a few actions only.
            api.ask("ListTables", b"{}")
        except (OSError, http.client.HTTPException) as error:
            if running.child.has_ended():
                raise NotStarted("it ended at once", running.child.said()) from error
            if time.monotonic() > deadline:
                raise NotStarted(f"no answer in {START_SECONDS_MAX:.0f} s") from error
            time.sleep(POLL_SECONDS)
        else:
            api.close()
            return


def find_penstock(*flags: str) -> Start:
    """Return how Penstock is started: splits would blur the figures, so it does not split."""
    fixed = [sys.executable, "-m", "penstock", "serve", "--shard-split-writes-per-second", "0"]
    return Start(
        penstock.__version__,
        lambda port, data: [*fixed, "--port", str(port), "--data", str(data / "store"), *flags],
    )


def find_penstock_on_postgres() -> Start:
    """Return how two nodes over one PostgreSQL are started; who asks one asks the first."""
    postgres.programs()
    version = f"{penstock.__version__} over PostgreSQL {postgres.VERSION}"
    return Start(version, postgres.command)


def find_dynamodb_local(*flags: str) -> Start:
    """Return how DynamoDB Local is started; `flags` say where it keeps its data."""
    where = os.environ.get(VARIABLE, "")
    remedy = f"get it from its vendor, accept its licence, and name its directory: {VARIABLE}=DIR"
    if not where:
        raise Missing(f"DynamoDB Local is not named: {remedy}")
    folder = Path(where).expanduser().resolve()
    jars = sorted(folder.glob("DynamoDBLocal*.jar"))
    if not jars:
        told = f"{VARIABLE} names a directory without DynamoDBLocal.jar: {remedy}"
        raise Missing(told, f"{VARIABLE}={where}")
    java = need_program("java", "DynamoDB Local is a Java program; install a Java runtime")

    def command(port: int, data: Path) -> list[str]:
        filled = [str(data) if flag == "DATA" else flag for flag in flags]
        return [java, *java_arguments(folder, jars[0]), "-port", str(port), "-sharedDb", *filled]

    # What is measured is not to be told about to its vendor meanwhile.
    return Start(jar_version(jars[0]), command, lambda port, data: {"DDB_LOCAL_TELEMETRY": "0"})


def java_arguments(folder: Path, jar: Path) -> list[str]:
    """Return how Java starts DynamoDB Local in the layout of its archive, or of Maven's copies."""
    native = folder / "DynamoDBLocal_lib"
    if native.is_dir():
        return [f"-Djava.library.path={native}", "-jar", str(jar)]
    main = "com.amazonaws.services.dynamodbv2.local.main.ServerRunner"
    places = [f"-Djava.library.path={folder}", f"-Dsqlite4java.library.path={folder}"]
    return [*places, "-cp", f"{folder}/*", main]


def jar_version(jar: Path) -> str:
    """Return the version that a jar's manifest, or its name, tells."""
    found = re.search(r"-(\d[\w.]*)\.jar$", jar.name)
    if found is not None:
        return found[1]
    try:
        with zipfile.ZipFile(jar) as archive:
            manifest = archive.read("META-INF/MANIFEST.MF").decode("utf-8", "replace")
    except (OSError, KeyError, zipfile.BadZipFile):
        return "unknown"
    told = re.search(r"^Implementation-Version:\s*(\S+)", manifest, re.MULTILINE)
    return told[1] if told else "unknown"


def find_dynalite(*flags: str) -> Start:
    """Return how dynalite is started."""
    program = node_packages() / "dynalite" / "cli.js"
    quick = ["--createTableMs", "0", "--deleteTableMs", "0", "--updateTableMs", "0"]

    def command(port: int, data: Path) -> list[str]:
        filled = [str(data) if flag == "DATA" else flag for flag in flags]
        return ["node", str(program), "--host", HOST, "--port", str(port), *quick, *filled]

    return Start(locked_node_version("dynalite"), command)


def find_moto() -> Start:
    """Return how moto's server is started."""
    python = python_packages()
    return Start(
        locked_python_version("moto"),
        lambda port, data: [str(python), "-m", "moto.server", "-H", HOST, "-p", str(port)],
    )


def find_ministack() -> Start:
    """Return how MiniStack is started."""
    python = python_packages()
    return Start(
        locked_python_version("ministack"),
        lambda port, data: [str(python), "-m", "ministack"],
        lambda port, data: {
            "GATEWAY_PORT": str(port),
            "BIND_HOST": HOST,
            "LOG_LEVEL": "ERROR",
            "TMPDIR": str(data),
        },
    )


def floor_server(answers: Path) -> Server:
    """Return the bare server that gives the answers in that file."""
    found = Start(
        penstock.__version__,
        lambda port, data: [sys.executable, "-m", "bench.floor", "http", str(port), str(answers)],
    )
    return Server(FLOOR, "bare HTTP server", lambda: found, is_peer=False)


SERVERS = {
    each.name: each
    for each in (
        Server(PENSTOCK, "Penstock", lambda: find_penstock("--engine", "rocksdb"), is_peer=False),
        Server(POSTGRES, "Penstock on PostgreSQL", find_penstock_on_postgres, is_peer=False),
        Server(
            "penstock-memory",
            "Penstock, in memory",
            lambda: find_penstock("--engine", "memory"),
            is_peer=False,
        ),
        Server(
            LOCAL_DISK, "DynamoDB Local, on disk", lambda: find_dynamodb_local("-dbPath", "DATA")
        ),
        Server(
            LOCAL_MEMORY, "DynamoDB Local, in memory", lambda: find_dynamodb_local("-inMemory")
        ),
        Server("dynalite-disk", "dynalite, on disk", lambda: find_dynalite("--path", "DATA")),
        Server("dynalite-memory", "dynalite, in memory", find_dynalite),
        Server("moto", "moto, in memory", find_moto),
        Server("ministack", "MiniStack, in memory", find_ministack),
    )
}  # fmt: skip
