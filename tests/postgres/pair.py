"""Two PostgreSQL servers, a primary and its replica: a commit is acknowledged when both have it."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from postgres.server import HOST, USER, PostgresServer

REPLICA = "replica"
STREAMS_SECONDS_MAX = 60.0
PROMOTION_SECONDS_MAX = 60
POLL_SECONDS = 0.01


class PostgresPair:
    """A primary and a synchronous replica, both running; a context that leaves nothing behind.

    `settings` are those of both. When the primary is gone, the replica goes on alone.
    """

    def __init__(
        self,
        settings: Mapping[str, str] | None = None,
        *,
        version: int | None = None,
        place: Path | None = None,
    ) -> None:
        self.primary = PostgresServer(settings, version=version, place=place)
        self.replica: PostgresServer | None = None
        try:
            self.primary.start()
            self.replica = PostgresServer(
                {"hot_standby": "on"} | dict(settings or {}) | self._followed(),
                version=version,
                place=place,
                made_by=self._copied_data,
            )
            (self.replica.data / "standby.signal").touch()
            self.replica.start()
            self._await_streaming()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _followed(self) -> dict[str, str]:
        who = f"application_name={REPLICA} user={USER}"
        return {"primary_conninfo": f"host={HOST} port={self.primary.port} {who}"}

    def _copied_data(self, folder: Path, data: Path) -> Sequence[str]:
        where = ["-h", HOST, "-p", str(self.primary.port), "-U", USER]
        how = ["--checkpoint=fast", "--wal-method=stream", "--no-sync"]
        return [str(folder / "pg_basebackup"), "-D", str(data), *where, *how]

    def _await_streaming(self) -> None:
        """Make commits wait for the replica, which by now follows or is about to."""
        self.primary.settings["synchronous_standby_names"] = REPLICA
        self.primary.sql(f"ALTER SYSTEM SET synchronous_standby_names = '{REPLICA}'")
        self.primary.sql("SELECT pg_reload_conf()")
        deadline = time.monotonic() + STREAMS_SECONDS_MAX
        while self.primary.sql("SELECT sync_state FROM pg_stat_replication") != [("sync",)]:
            assert time.monotonic() < deadline, "the replica does not follow"
            time.sleep(POLL_SECONDS)

    @property
    def url(self) -> str:
        """The URL of whichever of the two takes writes."""
        assert self.replica is not None
        hosts = f"{HOST}:{self.primary.port},{HOST}:{self.replica.port}"
        return f"postgresql://{USER}@{hosts}/postgres?target_session_attrs=read-write"

    def fail_over(self) -> None:
        """Kill the primary for good, and make the replica what takes writes."""
        self.primary.kill()
        self.promote()

    def promote(self) -> None:
        """Make the replica take writes: it has read all that it has received before."""
        assert self.replica is not None
        done = self.replica.sql("SELECT pg_promote(true, %s)", PROMOTION_SECONDS_MAX)
        assert done == [(True,)], "the replica is not promoted"

    def close(self) -> None:
        """End both for good, in whatever state they are."""
        if self.replica is not None:
            self.replica.close()
        self.primary.close()
