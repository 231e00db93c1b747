"""Load on nodes of one store, from clients that move between them, and what is held against it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from fault.load import StreamReader, Worker, Writer, running
from fault.nodes import Moving, Nodes, Witness, await_true, let_write
from fault.observer import create_table
from fault.promises import check_promises, writes_of
from fault.raw_client import RawClient
from penstock.testing.checkers import Write

KEYS = [f"item-{number}" for number in range(10)]
TABLE = "fault"
IN_A_ROW = 10
SERVES_SECONDS_MAX = 20.0


class ClusterLoad:
    """Writers of the same items, readers of their stream, and witnesses, over the faults of a test.

    They begin at one node each, in turn, and move when they lose it. A node must be there already:
    the table is created by it.
    """

    def __init__(
        self, nodes: Nodes, *, writers: int = 16, seed: str = "", pad_chars_max: int = 400
    ) -> None:
        self.nodes = nodes
        self.writers = [
            Writer(f"w{n}", TABLE, KEYS, f"{seed}.{n}", tolerant=True, pad_chars_max=pad_chars_max)
            for n in range(writers)
        ]
        self.readers = [StreamReader(TABLE), StreamReader(TABLE)]
        self.witnesses = [Witness(f"{n}", TABLE, nodes) for n in range(2)]
        with RawClient(nodes.ports[0]) as client:
            create_table(client, TABLE)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let all of them work meanwhile."""
        moving: list[Worker] = [*self.writers, *self.readers]
        workers = [Moving(worker, self.nodes, n) for n, worker in enumerate(moving)]
        with running(0, *workers, *self.witnesses):
            yield

    def let_write(self, count: int, seconds_max: float = 30.0) -> float:
        """Wait until so many more writes are acknowledged; return how many seconds that took."""
        return let_write(self.writers, count, seconds_max)

    def begun_at(self, at: int) -> Sequence[Writer]:
        """Return the writers that began at one of two nodes."""
        return self.writers[at::2]

    @property
    def doubtful(self) -> int:
        """How many writes were not acknowledged."""
        return sum(not write.acknowledged for writer in self.writers for write in writer.writes)

    @property
    def writes(self) -> list[Write]:
        """Everything that clients wrote; none had an answer that it should not have had."""
        for witness in self.witnesses:
            assert witness.wrong == []
        return writes_of(self.writers) + [
            write for witness in self.witnesses for write in witness.writes
        ]

    @property
    def slowest_seconds(self) -> float:
        """How long the slowest answer to a write took, or was waited for in vain."""
        return max(write.ended - write.began for writer in self.writers for write in writer.writes)

    def check(self) -> list[Write]:
        """Check that all nodes serve and every promise by each; nobody is at work any more."""
        with running(0, *self.witnesses):
            await_true(
                lambda: all(map(_serves, self.witnesses)), SERVES_SECONDS_MAX, "all nodes serve"
            )
        assert all(witness.seen >= IN_A_ROW for witness in self.witnesses)
        return self.check_now()

    def check_now(self) -> list[Write]:
        """Check every promise by each node, of nodes that need not take writes."""
        writes = self.writes
        for port in self.nodes.ports:
            check_promises(port, TABLE, writes, *self.readers)
        return writes


def _serves(witness: Witness) -> bool:
    """Say whether its latest writes were acknowledged, by one node after the other."""
    latest = witness.writes[-IN_A_ROW:]
    return len(latest) == IN_A_ROW and all(write.acknowledged for write in latest)
