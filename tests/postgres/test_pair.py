"""The pair of PostgreSQL servers: what is acknowledged is on both, and outlives the primary."""

import threading
import time
from collections.abc import Iterator

import psycopg
import pytest

from postgres.pair import PostgresPair

WAIT_SECONDS_MAX = 60.0
WAITS = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


@pytest.fixture
def pair() -> Iterator[PostgresPair]:
    """A running pair with an empty table."""
    with PostgresPair() as made:
        made.primary.sql("CREATE TABLE kept (n int)")
        yield made


def test_a_committed_row_is_there_after_a_fail_over(pair: PostgresPair) -> None:
    """The pair's URL leads to the primary, then to the replica, which takes writes."""
    with psycopg.connect(pair.url) as connection:
        assert connection.info.port == pair.primary.port
        connection.execute("INSERT INTO kept VALUES (7)")
    pair.fail_over()
    assert pair.replica is not None
    with psycopg.connect(pair.url, autocommit=True) as connection:
        assert connection.info.port == pair.replica.port
        assert connection.execute("SELECT n FROM kept").fetchall() == [(7,)]
        connection.execute("INSERT INTO kept VALUES (8)")
    assert pair.primary.process is None


def test_a_commit_waits_for_the_replica(pair: PostgresPair) -> None:
    """While the replica is paused nothing is acknowledged."""
    assert pair.replica is not None
    pair.replica.pause()
    committing = threading.Thread(
        target=lambda: pair.primary.sql("INSERT INTO kept VALUES (7)"), daemon=True
    )
    committing.start()
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while pair.primary.sql(WAITS) != [(1,)]:
        assert committing.is_alive(), "it was acknowledged"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert committing.is_alive()
    pair.replica.resume()
    committing.join(WAIT_SECONDS_MAX)
    assert not committing.is_alive()
    assert pair.replica.sql("SELECT pg_is_in_recovery()") == [(True,)]
