"""Which servers and measurements belong to a run."""

from collections.abc import Iterable

from bench.installs import Missing
from bench.measurements import Act, Lone, Measurement
from bench.outcome import NOT_ASKED_FOR, Outcome
from bench.plan import Plan, check_names
from bench.register import ALL_SERVERS, LONE, MEASUREMENTS
from bench.servers import ENGINE, FLOOR, LOCAL_DISK, LOCAL_MEMORY, PENSTOCK, SERVERS, Server

STAND_INS = frozenset({"dynalite-memory", "ministack"})
"""Who is measured in a quick run where DynamoDB Local is missing, so that it has peers."""
BY_NAME_ONLY = frozenset({"penstock-memory"})
"""Servers that are measured only where they are asked for."""


class Selection:
    """What a plan asks for, of what this machine has the tools for. Raises PlanError."""

    def __init__(self, plan: Plan, outcome: Outcome) -> None:
        check_names("server", plan.servers, [*SERVERS, FLOOR, ENGINE])
        check_names("measurement", plan.only, [*MEASUREMENTS, *LONE])
        self._plan = plan
        self._outcome = outcome
        asked = [each for each in MEASUREMENTS.values() if self._asks_for(each)]
        self._measurements = [each for each in asked if self._has_tools(each)]

    def acts(self) -> list[Act]:
        """Return the acts that have anything to measure."""
        return [act for act in Act if any(each.act is act for each in self._measurements)]

    def servers(self, act: Act) -> list[Server]:
        """Return the servers that an act may start."""
        return [
            server
            for server in ALL_SERVERS.values()
            if self._wants(server.family or server.name) and self.of(server.name, act)
        ]

    def of(self, server: str, act: Act) -> list[Measurement]:
        """Return what is measured of a server in an act."""
        chooses = self._plan.kind == "quick" and server != PENSTOCK
        return [
            each
            for each in self._measurements
            if each.act is act
            and server in each.servers
            and (not chooses or server in each.quick_servers)
        ]

    def groups(self, act: Act) -> list[str]:
        """Return the groups of an act's measurements, in order."""
        return list(dict.fromkeys(each.group for each in self._measurements if each.act is act))

    def lone(self) -> list[Lone]:
        """Return the lone measurements."""
        return [each for each in LONE.values() if self._asks_for(each) and self._wants(each.server)]

    def wants_floor(self) -> bool:
        """Say whether the bare HTTP server is part of this run."""
        return self._wants(FLOOR)

    def stands_in(self, server: str, started: Iterable[str]) -> bool:
        """Say whether a server is left out because those that it stands in for are there."""
        there = {LOCAL_DISK, LOCAL_MEMORY} & set(started)
        unasked = self._plan.servers is None and self._plan.kind == "quick"
        return unasked and server in STAND_INS and bool(there)

    def note_what_is_left_out(self) -> None:
        """Note of each server that is in no act why it has no values."""
        started = {server.name for act in self.acts() for server in self.servers(act)}
        for name in ALL_SERVERS:
            if name not in started:
                self._outcome.absent.setdefault(name, NOT_ASKED_FOR)

    def _wants(self, server: str) -> bool:
        if self._plan.servers is None:
            return server not in BY_NAME_ONLY
        return server in self._plan.servers

    def _asks_for(self, each: Measurement | Lone) -> bool:
        if isinstance(each, Measurement) and each.items > self._plan.items:
            return False
        if self._plan.only is not None:
            return each.name in self._plan.only
        return self._plan.kind != "quick" or (isinstance(each, Measurement) and each.is_quick)

    def _has_tools(self, each: Measurement) -> bool:
        try:
            each.need()
        except Missing as missing:
            for server in (*ALL_SERVERS, FLOOR):
                for quantity in each.gives:
                    self._outcome.lack(server, quantity.name, str(missing))
            return False
        return True
