"""The seven machines of docs/cluster.md on this one: a directory and two addresses for each.

Files and commands of the page are taken as they stand there, but for what `Machines.adjusted`
changes. Databases run by the programs of the test kit; what a command needs besides is played by
`cluster.programs`. Needs Linux, whose whole 127.0.0.0/8 is loopback.
"""

import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from cluster import page, programs
from penstock.base.environment import environment
from postgres import binaries, keeper
from postgres.server import PORTS, PORTS_TRIED_MAX, _keeper

DATABASES = ("db1", "db2", "db3")
NODES = ("node1", "node2", "node3")
BALANCER = "lb"
NUMBERS = {BALANCER: 10, "node1": 11, "node2": 12, "node3": 13, "db1": 21, "db2": 22, "db3": 23}
OPERATOR = "ops"
PROGRAMS_VARIABLE = "PENSTOCK_TEST_POSTGRES_PROGRAMS"
"""Names the folder of other programs than the kit's, such as those of a PostgreSQL with TLS."""

COMMAND_SECONDS_MAX = 100
READY_SECONDS_MAX = 60.0
POLL_SECONDS = 0.05

_PLACES = re.compile(r"(?<![\w./])/(etc|var/lib|run|usr/local/sbin)/")
_SHARED = re.compile(r"(?<![\w./])/srv/")
_INSTALLED = "/opt/penstock/bin/penstock"
_POSTGRES = "etc/postgresql/16/main"
_DATA = "var/lib/postgresql/16/main"

# What Debian's own postgresql.conf says, as far as it matters here.
_DEBIAN = """\
data_directory = '{root}/var/lib/postgresql/16/main'
hba_file = '{root}/etc/postgresql/16/main/pg_hba.conf'
unix_socket_directories = '{root}/run'
port = {port}
include_dir = 'conf.d'
"""


class Machines:
    """All machines: their directories with what the page puts there, and nothing running yet."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.text = page.PAGE.read_text("utf-8")
        self.files = page.files(self.text)
        self.postgres, self.inner_port, self.gateway_port = free_ports(3)
        named = environment().get(PROGRAMS_VARIABLE)
        self.programs = Path(named) if named else binaries.programs(binaries.asked_version(), base)
        configured = binaries.run([str(self.programs / "pg_config"), "--configure"], base)
        self.has_tls = "openssl" in configured
        self._identity = binaries.identity()
        self._told: dict[str, int | None] = {}
        base.chmod(0o755)
        (base / "srv").mkdir()
        for folder in ("penstock-wal", "penstock-backup"):
            (base / "srv" / folder).mkdir()
            self._give_to_postgres(base / "srv" / folder)
        for machine in (*NUMBERS, OPERATOR):
            for place in ("etc", "var", "run", "usr"):
                (self.root(machine) / place).mkdir(parents=True)
            self._play_programs(machine)
        self.certificates()

    def root(self, machine: str) -> Path:
        """Return the directory that is a machine's own /."""
        return self.base / machine

    def address(self, machine: str) -> str:
        """Return a machine's address in the network of all."""
        return f"127.0.0.{NUMBERS[machine]}"

    def own_address(self, machine: str) -> str:
        """Return a machine's loopback address."""
        return f"127.0.1.{NUMBERS.get(machine, 1)}"

    # --- files

    def adjusted(self, text: str, machine: str) -> str:
        """Return what stands on the page as it is right for this machine of the test."""
        for old, new in (
            ("127.0.0.1", self.own_address(machine)),
            ("localhost", self.own_address(machine)),
            ("10.0.0.0/16", "127.0.0.0/16"),
            ("10.0.0.", "127.0.0."),
            ("8443", str(self.gateway_port)),
            ("8000", str(self.inner_port)),
            ("5432", str(self.postgres)),
            (_INSTALLED, str(Path(sys.executable).with_name("penstock"))),
            ("shared_buffers = 4GB", "shared_buffers = 32MB"),
        ):
            text = text.replace(old, new)
        text = re.sub(r"\bpeer$", "trust", text, flags=re.MULTILINE)
        if not self.has_tls:
            text = text.replace("sslmode=verify-full", "sslmode=disable")
            text = text.replace("hostssl", "host   ").replace("ssl = on", "ssl = off")
        text = _PLACES.sub(rf"{self.root(machine)}/\1/", text)
        return _SHARED.sub(f"{self.base}/srv/", text)

    def body(self, name: str, machine: str) -> str:
        """Return the page's file of that name for a machine, adjusted."""
        named = [each for each in self.files if each.name == name]
        own = [each for each in named if each.machine == machine]
        (found,) = own or [each for each in named if not each.machine]
        return self.adjusted(self._as_of(found.body, machine), machine)

    def place(self, name: str, machine: str) -> Path:
        """Put the page's file of that name where it belongs on a machine; return where."""
        path = self.root(machine) / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.body(name, machine), "utf-8")
        return path

    @staticmethod
    def _as_of(body: str, machine: str) -> str:
        """Return a file that the page shows for the first of its kind as it is on another."""
        kind = machine.rstrip("123")
        if kind in {"db", "node"} and machine != f"{kind}1":
            first, own = NUMBERS[f"{kind}1"], NUMBERS[machine]
            body = re.sub(rf"(bind |'localhost, )10\.0\.0\.{first}\b", rf"\g<1>10.0.0.{own}", body)
            body = re.sub(
                rf"(cluster_name = '|application_name=){kind}1\b", rf"\g<1>{machine}", body
            )
        return body

    def certificates(self) -> None:
        """Make the certificates by the page's script, and bring each to its machine."""
        here = self.root(OPERATOR)
        self.place("certificates.sh", OPERATOR)
        self.run_section("Certificates")
        for machine in NUMBERS:
            there = self.root(machine) / "etc/penstock"
            there.mkdir(parents=True)
            shutil.copy(here / "ca.pem", there / "ca.pem")
            for kind in ("pem", "crt", "key"):
                copied = Path(shutil.copy(here / f"{machine}.{kind}", there / f"machine.{kind}"))
                copied.chmod(0o600)
                if machine in DATABASES:
                    self._give_to_postgres(copied)

    # --- commands

    def run_section(self, title: str, machine: str = "", instead_of: str = "") -> list[str]:
        """Run the commands of a section, or those of one machine; return what each said.

        With `instead_of` those of that machine are run on `machine`.
        """
        chosen = [
            command
            for command in page.commands(self.text)
            if command.section == title
            and (not machine or command.machine == (instead_of or machine))
        ]
        assert chosen, f"no commands: {title} {machine}"
        return [self.run(command, machine or command.machine) for command in chosen]

    def run(self, command: page.Command, machine: str) -> str:
        """Run a command of the page; return what it said."""
        return self.shell(self.adjusted(command.text, machine), machine)

    def shell(self, command: str, machine: str) -> str:
        """Run a command line on a machine; return what it said on stdout."""
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.root(machine),
            env=self._environment(machine),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS_MAX,
            check=False,
        )
        self._note_databases()
        assert done.returncode == 0, (
            f"{machine}$ {command}\n{done.stdout}{done.stderr}{self.logs()}"
        )
        return done.stdout

    def _environment(self, machine: str) -> dict[str, str]:
        root = self.root(machine)
        user = self._identity
        kept = dict(binaries.clean_environment())
        return kept | {
            "PATH": f"{root}/bin:{self.programs}:{kept['PATH']}:/usr/sbin:/sbin",
            "HOME": str(root),
            "MACHINE": str(root),
            "MACHINE_USER": f"{user['user']}:{user['group']}" if user else "",
            "MACHINE_TESTS": str(os.getpid()),
            "PGPORT": str(self.postgres),
            "PGHOST": str(root / "run"),
        }

    def _play_programs(self, machine: str) -> None:
        folder = self.root(machine) / "bin"
        folder.mkdir()
        for name in ("sudo", "systemctl", "socat"):
            played = folder / name
            played.write_text(f'#!/bin/sh\nexec {sys.executable} {programs.__file__} {name} "$@"\n')
            played.chmod(0o755)

    def logs(self) -> str:
        """Return the ends of all logs."""
        return "".join(
            f"\n--- {log.relative_to(self.base)}\n{log.read_text('utf-8', 'replace')[-1500:]}"
            for log in sorted(self.base.glob("*/*.log"))
        )

    # --- databases

    def make_database(self, machine: str) -> None:
        """Have a PostgreSQL as Debian installs it, with the page's files, that does not run."""
        root = self.root(machine)
        data = root / _DATA
        data.parent.mkdir(parents=True)
        configuration = root / _POSTGRES
        (configuration / "conf.d").mkdir(parents=True)
        for name in ("conf.d/penstock.conf", "conf.d/machine.conf", "pg_hba.conf", "archive.sh"):
            self.place(f"/{_POSTGRES}/{name}", machine)
        secret = self.place(f"/{_POSTGRES}/pgpass", machine)
        secret.chmod(0o600)
        filled = _DEBIAN.format(root=root, port=self.postgres)
        (configuration / "postgresql.conf").write_text(filled)
        for each in (root, root / "run", data.parent, secret):
            self._give_to_postgres(each)
        make = ["-U", "postgres", "--auth=trust", "--locale=C", "--encoding=UTF8", "--no-sync"]
        binaries.run([str(self.programs / "initdb"), "-D", str(data), *make], root)

    def sql(self, name: str, machine: str, database: str = "postgres") -> str:
        """Run the page's SQL file of that name; return what it shows."""
        path = self.place(name, machine)
        show = f"sudo -u postgres psql -v ON_ERROR_STOP=1 -Atq -d {database} -f {path.name}"
        return self.shell(show, machine)

    def query(self, statement: str, machine: str, database: str = "postgres") -> str:
        """Run one statement on a machine's database; return what it shows."""
        return self.shell(
            f'sudo -u postgres psql -v ON_ERROR_STOP=1 -Atq -d {database} -c "{statement}"', machine
        ).strip()

    def _give_to_postgres(self, path: Path) -> None:
        if self._identity:
            os.chown(path, self._identity["user"], self._identity["group"])

    def _note_databases(self) -> None:
        """Tell the kit's keeper which servers run, so that none outlives the tests."""
        for machine in DATABASES:
            told, now = self._told.get(machine), self._process_id(machine)
            if told != now:
                if told is not None:
                    _keeper.tell(f"-{told}")
                if now is not None:
                    _keeper.tell(f"+{now} {self.root(machine)}")
                self._told[machine] = now

    def _process_id(self, machine: str) -> int | None:
        path = self.root(machine) / f"{_DATA}/postmaster.pid"
        return int(path.read_text().split()[0]) if path.exists() else None

    def kill_database(self, machine: str) -> None:
        """End a database as the loss of its machine would."""
        process_id = self._process_id(machine)
        assert process_id is not None, f"{machine} does not run"
        keeper.kill_all(process_id)

    # --- nodes

    def make_node(self, machine: str) -> None:
        """Bring the page's files to a node."""
        self.place("/etc/systemd/system/penstock.service", machine)
        self.place("/etc/penstock/penstock.env", machine)
        self.place("/etc/penstock/pgpass", machine)

    def stop_nodes(self) -> None:
        """Stop all nodes that run, at the same time."""
        running = [each for each in NODES if (self.root(each) / "penstock.pid").exists()]
        with ThreadPoolExecutor() as stopping:
            list(stopping.map(partial(self.shell, "systemctl stop penstock"), running))

    def health(self, machine: str) -> str:
        """Return a node's address for its health, past all balancers."""
        return f"http://{self.own_address(machine)}:{self.inner_port}/_penstock/health"

    def await_that(self, is_so: Callable[[], bool], what: str) -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not is_so():
            assert time.monotonic() < deadline, f"{what}{self.logs()}"
            time.sleep(POLL_SECONDS)

    # --- the end

    def close(self) -> None:
        """End all that still runs, and remove all directories."""
        self.stop_nodes()
        for machine in DATABASES:
            process_id = self._process_id(machine)
            if process_id is not None:
                keeper.kill_all(process_id)
            if self._told.get(machine) is not None:
                _keeper.tell(f"-{self._told[machine]}")
        for machine in DATABASES:
            keeper.remove(self.root(machine))
        shutil.rmtree(self.base, ignore_errors=True)


Made = TypeVar("Made", bound=Machines)


@contextmanager
def machines(kind: type[Made]) -> Iterator[Made]:
    """Give machines of that kind, and leave nothing of them behind."""
    base = Path(tempfile.mkdtemp(prefix="pc-", dir="/tmp"))  # short: the path of a socket is
    try:
        made = kind(base)
        try:
            yield made
        finally:
            made.close()
    finally:
        shutil.rmtree(base, ignore_errors=True)


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on at any address."""
    found: list[int] = []
    for port in random.SystemRandom().sample(PORTS, PORTS_TRIED_MAX * count):
        with socket.socket() as probe:
            try:
                probe.bind(("", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise AssertionError("no port is free")
