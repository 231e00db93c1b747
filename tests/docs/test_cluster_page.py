"""The page docs/cluster.md does what it says, as far as one machine can show it.

Its files and commands are taken out of it and run: three databases, three nodes, the balancers. The
tests stand in the order of the page's sections and change the machines as an operator would.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from cluster import machines as setting_up
from cluster import page
from cluster.clients import KEY, MARK, Client, Load
from cluster.machines import BALANCER, DATABASES, NODES, NUMBERS, Machines, machines
from penstock.testing.checkers import lost_writes, wrong_fold, wrong_records

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        not sys.platform.startswith("linux"), reason="the machines need the addresses of Linux's lo"
    ),
]

HEALTH_SECONDS_MAX = 5
PROGRAM_SECONDS_MAX = 60
LOAD_WRITES = 40
HAS_HAPROXY = shutil.which("haproxy", path="/usr/sbin:/sbin:/usr/local/sbin:/usr/bin") is not None
NEEDS_HAPROXY = pytest.mark.skipif(not HAS_HAPROXY, reason="HAProxy is absent")
TABLE = "Orders"

# Commands of the page that change what the machine of the tests is not to be changed by.
NOT_RUN = {
    "sudo python3 -m venv /opt/penstock",
    "sudo /opt/penstock/bin/pip install './penstock[postgresql]'",
    "sudo useradd --system --shell /usr/sbin/nologin penstock",
    "sudo chown penstock: /etc/penstock/pgpass",
    "sudo /opt/penstock/bin/pip install --upgrade './penstock[postgresql]'",
}


class Room(Machines):
    """The machines with everything that the page starts."""

    def client(self, *, attempts: int = 4) -> Client:
        """Return a client of the balancer, or where there is none of the first node."""
        if not HAS_HAPROXY:
            return self.client_of("node1", attempts=attempts)
        url = f"https://{self.address(BALANCER)}:{self.inner_port}"
        return Client(url, self.authority, attempts=attempts)

    def client_of(self, node: str, *, attempts: int = 4) -> Client:
        """Return a client of one node alone."""
        return Client(self.health(node).removesuffix("/_penstock/health"), None, attempts=attempts)

    @property
    def authority(self) -> str:
        """The file of the page's own authority."""
        return str(self.root(BALANCER) / "etc/penstock/ca.pem")

    def run_commands(self, section: str, machine: str, shown_for: str = "") -> None:
        """Run a section's commands for a machine, but for those that are not to be run here."""
        for command in page.commands(self.text):
            is_meant = (command.section, command.machine) == (section, shown_for or machine)
            if is_meant and command.text not in NOT_RUN:
                self.run(command, machine)

    def await_healthy(self, *nodes: str) -> None:
        """Wait until nodes say that they can serve."""
        for node in nodes:
            self.await_that(partial(is_healthy, self.health(node)), f"{node} serves")

    def processes_of(self, node: str) -> list[int]:
        """Return the ids of a node's processes, one or none."""
        keeper = (self.root(node) / "penstock.pid").read_text()
        children = Path(f"/proc/{keeper}/task/{keeper}/children").read_text().split()
        return [int(child) for child in children]

    def await_writes(self, load: Load) -> None:
        """Wait until a load has made some more writes."""
        goal = load.count + LOAD_WRITES
        self.await_that(lambda: load.count >= goal, f"writes go on {load.failures}")

    def await_replicas(self, primary: str, count: int) -> None:
        """Wait until so many replicas confirm what a primary commits."""
        self.await_that(
            lambda: self.sql("replicas.sql", primary).count("|streaming|quorum|") == count,
            f"{count} replicas stream",
        )


def is_healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=HEALTH_SECONDS_MAX) as answer:
            return bool(json.load(answer)["status"] == "ready")
    except (urllib.error.URLError, OSError):
        return False


@contextmanager
def haproxy(room: Room, machine: str) -> Iterator[None]:
    path = room.place("/etc/haproxy/haproxy.cfg", machine)
    (room.root(machine) / "run/haproxy").mkdir()
    with (room.root(machine) / "haproxy.log").open("wb") as log:
        process = subprocess.Popen(["haproxy", "-db", "-f", str(path)], stdout=log, stderr=log)
        try:
            yield
        finally:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def room() -> Iterator[Room]:
    """All machines as the page sets them up, section by section."""
    with machines(Room) as made, ExitStack() as balancers:
        for machine in DATABASES:
            made.make_database(machine)
        made.place("database.sql", "db1")
        made.run_commands("The database", "db1")
        for machine in ("db2", "db3"):
            made.run_commands("Replicas", machine, "db2")
        made.await_replicas("db1", 2)
        for machine in NODES:
            made.make_node(machine)
            made.run_commands("The nodes", machine, "node1")
        made.await_healthy(*NODES)
        if HAS_HAPROXY:
            for machine in (*NODES, BALANCER):
                balancers.enter_context(haproxy(made, machine))
            ask = "curl --silent --insecure --output /dev/null --write-out '%{http_code}'"
            front = f"https://{made.address(BALANCER)}:{made.inner_port}/"
            made.await_that(
                lambda: made.shell(f"{ask} {front} || true", BALANCER) == "200",
                "the balancer reaches a node",
            )
        made.client().create_table(TABLE)
        yield made


def check_promises(client: Client, table: str, load: Load) -> None:
    """Every acknowledged write of `load`, and of nobody else, is there, once and in its stream."""
    assert load.wrong == []
    items, records = client.items(table), client.read(client.iterators(table))
    assert lost_writes(load.writes, items, [KEY], MARK) == []
    known = {write.mark for write in load.writes}
    mine = [each for each in records if each["dynamodb"]["NewImage"][MARK]["S"] in known]
    assert wrong_records(load.writes, mine, MARK) == []
    assert wrong_fold(records, items, [KEY]) == []


# --- the page itself


def test_every_command_is_run_or_named_as_not_run() -> None:
    text = page.PAGE.read_text("utf-8")
    own = "".join(path.read_text("utf-8") for path in (Path(__file__), Path(setting_up.__file__)))
    for command in page.commands(text):
        assert command.text in NOT_RUN or f'"{command.section}"' in own, command
    assert {command.text for command in page.commands(text)} >= NOT_RUN


def test_every_machine_of_the_page_is_there() -> None:
    text = page.PAGE.read_text("utf-8")
    named = {f"10.0.0.{number}" for number in NUMBERS.values()}
    assert set(re.findall(r"\b10\.0\.0\.\d+\b(?!/)", text)) == named
    assert {command.machine for command in page.commands(text)} <= {*NUMBERS, "ops"}


# --- what is set up


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is absent")
def test_the_unit_is_one_that_systemd_takes(room: Room) -> None:
    path = room.place("/etc/systemd/system/penstock.service", "node1")
    done = subprocess.run(
        ["systemd-analyze", "verify", str(path)],
        capture_output=True,
        text=True,
        timeout=PROGRAM_SECONDS_MAX,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@NEEDS_HAPROXY
def test_the_balancer_takes_its_file_and_shows_a_healthy_node(room: Room) -> None:
    room.run_commands("From the network to a node", BALANCER)
    for node in NODES:
        room.shell("haproxy -c -f etc/haproxy/haproxy.cfg", node)


@NEEDS_HAPROXY
def test_a_node_is_reached_by_the_balancer_alone(room: Room) -> None:
    """Without a certificate, or with that of another machine, nobody passes the gateway."""
    ask = (
        "curl --silent --output /dev/null --write-out '%{http_code}' --cacert etc/penstock/ca.pem"
        f" https://{room.address('node1')}:{room.gateway_port}/_penstock/health"
    )
    with_own = f"{ask} --cert etc/penstock/machine.pem"
    assert room.shell(with_own, BALANCER) == "200"
    assert room.shell(with_own, "node2") == "403"
    assert room.shell(f"{ask} || true", BALANCER) == "000"


def test_what_is_written_through_one_node_is_read_through_the_others(room: Room) -> None:
    clients = [room.client_of(node) for node in NODES]
    for node, client in zip(NODES, clients, strict=True):
        client.put(TABLE, f"through-{node}")
        assert all(each.has(TABLE, f"through-{node}") for each in clients)
    keys = {
        record["dynamodb"]["Keys"][KEY]["S"]
        for record in clients[2].read(clients[1].iterators(TABLE))
    }
    assert {f"through-{node}" for node in NODES} <= keys


def test_the_password_is_shown_nowhere(room: Room) -> None:
    """Neither in a command line nor an environment, a log, or on the health page."""
    secret = re.search(r"penstock:(\S+)\n", room.body("/etc/penstock/pgpass", "node1"))
    assert secret
    for node in NODES:
        children = room.processes_of(node)
        assert children
        shown = [
            Path(f"/proc/{child}/{name}") for child in children for name in ("cmdline", "environ")
        ]
        shown.append(room.root(node) / "penstock.log")
        assert all(secret[1].encode() not in path.read_bytes() for path in shown)


@pytest.mark.parametrize(
    "name", ["sessions.sql", "blocked.sql", "sizes.sql", "archive.sql", "vacuum.sql"]
)
def test_the_statements_of_the_page_work(room: Room, name: str) -> None:
    shown = room.sql(name, "db1", "penstock")
    if name == "sessions.sql":
        assert all(f"{node}|" in shown for node in NODES)
    if name == "sizes.sql":
        assert "penstock_kv|" in shown


def test_a_node_keeps_to_the_connections_that_the_page_tells(room: Room) -> None:
    told = re.search(r"A node opens at most (\d+) connections", room.text)
    assert told
    with Load(room.client(), TABLE).running() as load:
        room.await_writes(load)
        counted = room.query(
            "SELECT max(n) FROM (SELECT count(*) AS n FROM pg_stat_activity"
            " WHERE application_name LIKE 'node%' GROUP BY application_name) AS each",
            "db1",
        )
    assert 1 <= int(counted) <= int(told[1])


# --- what is done with it


@NEEDS_HAPROXY
def test_nodes_are_upgraded_one_by_one_and_no_request_fails(room: Room) -> None:
    """Clients do not even try again: each request is sent once."""
    client = room.client(attempts=1)
    client.create_table("Upgraded")
    with Load(client, "Upgraded").running() as load:
        for node in NODES:
            room.await_writes(load)
            for command in page.commands(room.text):
                if command.section == "Upgrade, one node at a time" and command.text not in NOT_RUN:
                    there = node if command.machine == "node1" else command.machine
                    room.run(command._replace(text=command.text.replace("node1", node)), there)
    assert load.failures == []
    check_promises(client, "Upgraded", load)


@NEEDS_HAPROXY
def test_a_killed_node_is_started_again_and_costs_clients_a_retry(room: Room) -> None:
    """What was under way with it ends; an SDK that tries again finds the others."""
    client = room.client()
    client.create_table("Killed")
    with Load(client, "Killed").running() as load:
        room.await_writes(load)
        (child,) = room.processes_of("node2")
        os.kill(child, signal.SIGKILL)
        room.await_writes(load)
        room.await_that(lambda: room.processes_of("node2") not in ([], [child]), "it is started")
        room.await_healthy("node2")
    assert load.failures == []
    check_promises(room.client_of("node2"), "Killed", load)


def test_without_any_replica_writes_wait_and_reads_go_on(room: Room) -> None:
    client = room.client_of("node1", attempts=1)
    client.create_table("Waiting")
    client.put("Waiting", "with-two")
    room.shell("systemctl stop postgresql@16-main", "db3")
    client.put("Waiting", "with-one")
    room.shell("systemctl stop postgresql@16-main", "db2")
    with pytest.raises(ClientError, match="ServiceUnavailable"):
        client.put("Waiting", "with-none")
    assert client.has("Waiting", "with-one")
    assert not client.has("Waiting", "with-none")
    assert is_healthy(room.health("node1"))
    for machine in ("db2", "db3"):
        room.shell("systemctl start postgresql@16-main", machine)
    room.await_replicas("db1", 2)
    room.await_that(lambda: client.has("Waiting", "with-none"), "what waited is there")
    client.put("Waiting", "with-two-again")
    assert len(client.read(client.iterators("Waiting"))) == 4


def test_a_dump_comes_back_into_another_database(room: Room) -> None:
    """The streams too: what is read and written over the restored tables goes on above the rest."""
    client = room.client_of("node3")
    client.create_table("Dumped")
    client.put("Dumped", "before")
    iterators = client.iterators("Dumped", "LATEST")
    room.run(dump_command(room, 0), "db1")
    client.put("Dumped", "after")
    undone = client.read(iterators)
    for number in (1, 2):
        room.run(dump_command(room, number), "db1")
    path = room.root("node3") / "etc/penstock/penstock.env"
    before = path.read_text()
    path.write_text(before.replace("/penstock?", "/penstock_restored?"))
    try:
        room.shell("systemctl restart penstock", "node3")
        room.await_healthy("node3")
        assert client.has("Dumped", "before")
        assert not client.has("Dumped", "after")
        assert client.read(iterators) == []
        client.put("Dumped", "restored")
        found = client.read(iterators)
        (number,) = (record["dynamodb"]["SequenceNumber"] for record in found)
        assert all(int(record["dynamodb"]["SequenceNumber"]) < int(number) for record in undone)
    finally:
        path.write_text(before)
        room.shell("systemctl restart penstock", "node3")
        room.await_healthy("node3")
    assert client.has("Dumped", "after")


def dump_command(room: Room, number: int) -> page.Command:
    return [each for each in page.commands(room.text) if each.section == "A dump"][number]


def test_the_fail_over_loses_nothing_that_was_acknowledged(room: Room) -> None:
    """The primary dies at once, under load, and comes back as a replica by the page's commands."""
    client = room.client()
    client.create_table("Survivors")
    with Load(client, "Survivors").running() as load:
        room.await_writes(load)
        room.kill_database("db1")
        for machine, command in promoting(room):
            room.run(command, machine)
        room.await_writes(load)
    check_promises(client, "Survivors", load)
    for node in NODES:
        assert room.client_of(node).has("Survivors", str(load.writes[0].mark))


def promoting(room: Room) -> Iterator[tuple[str, page.Command]]:
    """Yield the commands of the fail-over; the last on the replica that has more."""
    *asking, promote = [each for each in page.commands(room.text) if each.section == "Fail-over"]
    received: dict[str, int] = {}
    for command in asking:
        yield command.machine, command
        if command.machine != "db1":
            place = room.run(command, command.machine).strip().split("/")
            received[command.machine] = (int(place[0], 16) << 32) + int(place[1], 16)
    yield max(received, key=lambda machine: received[machine]), promote


def test_the_old_primary_comes_back_as_a_replica(room: Room) -> None:
    """After the fail-over, whichever replica is the primary now."""
    (primary,) = (
        machine
        for machine in ("db2", "db3")
        if room.query("SELECT pg_is_in_recovery()", machine) == "f"
    )
    room.run_commands("The old primary comes back", "db1")
    room.await_replicas(primary, 2)
    room.client().put(TABLE, "with-all-three-again")


def test_a_base_backup_and_the_archive_bring_back_a_moment(room: Room) -> None:
    """The nodes stop, and one of them finds the restored store as it was then."""
    primary = next(
        machine for machine in DATABASES if room.query("SELECT pg_is_in_recovery()", machine) == "f"
    )
    client = room.client_of("node1")
    client.create_table("Mistake")
    room.run_commands("A base backup and the WAL", primary, "db1")
    client.put("Mistake", "before")
    moment = room.query("SELECT clock_timestamp()", primary)
    client.put("Mistake", "after")
    # That the WAL up to here is in the archive, as it is a while later on its own.
    last = room.query("SELECT pg_walfile_name(pg_switch_wal())", primary)
    archived = f"SELECT count(*) FROM pg_stat_archiver WHERE last_archived_wal >= '{last}'"
    room.await_that(lambda: room.query(archived, primary) == "1", "it is archived")
    room.stop_nodes()
    for machine in DATABASES:
        room.shell("systemctl stop postgresql@16-main", machine)
    for command in page.commands(room.text):
        if command.section == "Back to a moment":
            said = re.sub(r"(?<=recovery_target_time = ')[^']+", moment, command.text)
            room.run(command._replace(text=said), "db1")
    room.await_that(lambda: room.query("SELECT pg_is_in_recovery()", "db1") == "f", "restored")
    (room.root("db1") / "etc/postgresql/16/main/conf.d/restore.conf").unlink()
    for machine in ("db2", "db3"):
        room.run_commands("Replicas", machine, "db2")
    room.await_replicas("db1", 2)
    room.shell("systemctl start penstock", "node1")
    room.await_healthy("node1")
    assert client.has("Mistake", "before")
    assert not client.has("Mistake", "after")
    client.put("Mistake", "again")
    records = client.read(client.iterators("Mistake"))
    assert {record["dynamodb"]["Keys"][KEY]["S"] for record in records} == {"before", "again"}
