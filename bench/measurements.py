"""What a measurement is.

One of a server is a function of a running server that returns one number for each quantity that it
gives. It says on which servers it makes sense, and what has to be there before the first round.
Measurements belong to acts: each act starts servers of its own, so that what one leaves behind is
no burden to another. A lone measurement starts what it needs itself. `bench.register` lists all.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from bench.installs import need_program
from bench.plan import Plan
from bench.servers import LOCAL_DISK, LOCAL_MEMORY, PENSTOCK, Running
from bench.trouble import Trouble

SECONDS_MIN = 1
LONG_SECONDS = frozenset({PENSTOCK, LOCAL_DISK, LOCAL_MEMORY})


class CannotMeasure(Trouble):
    """This server cannot do what is measured; the text says why."""


class Act(StrEnum):
    """A part of a run, with servers of its own."""

    REQUESTS = "requests"
    STREAMS = "streams"
    FUNCTIONS = "functions"
    SCALE = "scale"


@dataclass(frozen=True)
class Quantity:
    """One number that a measurement gives."""

    name: str
    title: str
    unit: str
    digits: int = 0
    less_is_better: bool = False
    is_durable: bool = False
    """Whether Penstock's waits for the disk."""
    is_remark: bool = False
    """Whether it is no result of its own: it is told in a sentence, and compared with nothing."""


@dataclass
class Course:
    """What measurements need to know of the run, and a value that was never written before."""

    plan: Plan
    threads: int = 1
    tell: Callable[[str], None] = lambda text: None
    is_late: bool = False
    """Whether what is left has to be as short as can be."""
    _next_value: int = field(default=1)

    def values(self, count: int) -> int:
        """Return the first of `count` values that nothing else has written."""
        first = self._next_value
        self._next_value += count
        return first

    def seconds_of(self, server: str) -> int:
        """Return how long a server is driven for one number."""
        if self.is_late:
            return SECONDS_MIN
        is_long = server in LONG_SECONDS or server.startswith(PENSTOCK)
        return self.plan.seconds if is_long else self.plan.other_seconds


@dataclass(frozen=True)
class Measurement:
    """One of a running server."""

    name: str
    gives: tuple[Quantity, ...]
    run: Callable[[Running, Course], tuple[float, ...]]
    prepare: Callable[[Running, Course], None]
    """Called once, after the server has started. Raises CannotMeasure."""
    group: str
    """Measurements of one group follow each other on a server, because they are compared."""
    servers: frozenset[str]
    """The names of the servers that it is for."""
    act: Act = Act.REQUESTS
    items: int = 0
    """How many items it needs a table of."""
    is_quick: bool = False
    quick_servers: frozenset[str] = frozenset()
    """Where it is part of a quick run, besides Penstock."""
    need: Callable[[], object] = lambda: None
    """Raises Missing where the machine lacks something that it needs."""


@dataclass(frozen=True)
class Lone:
    """One that starts what it needs itself, and is noted as of `server`."""

    name: str
    server: str
    gives: tuple[Quantity, ...]
    run: Callable[[Plan], tuple[float, ...]]
    """Raises Missing, CannotMeasure."""


def need_wrk() -> None:
    """Raise Missing where there is no wrk."""
    need_program("wrk", "install it (`apt-get install wrk`, `brew install wrk`)")
