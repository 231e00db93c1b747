"""The jobs that a server runs beside its requests: one table of them."""

import asyncio

from penstock.app.settings import Settings
from penstock.base import limits
from penstock.base.background import Job
from penstock.functions.log_trimming import Keeping, LogTrimming
from penstock.operations.operation import Services
from penstock.streams.trimming import Trimming
from penstock.tables.backfill import Backfill
from penstock.tables.expiration import Expiration
from penstock.tables.shard_life import Pace, ShardLife
from penstock.tables.shared_load import SharedLoad
from penstock.tables.tables import Tables
from penstock.tables.tokens import sweep_tokens


def jobs(
    services: Services, settings: Settings, shared_load: SharedLoad | None = None
) -> list[Job]:
    """Return every job of one store, in the order in which they catch up with a moved clock.

    Shards that are due are rolled before items expire, so that what expires late is in a new shard,
    and what is then too old is trimmed.
    """
    tables = services.tables
    backfill = Backfill(tables)
    expiration = Expiration(tables)
    shard_life = ShardLife(
        tables,
        Pace(
            settings.shard_roll_minutes * 60_000,
            settings.shard_split_writes_per_second,
            settings.shard_split_seconds * 1000,
        ),
        shared_load,
    )
    trimming = Trimming(tables.engine, tables.clock, settings.stream_keep_hours * 3600_000)
    log_trimming = LogTrimming(tables.engine, tables.clock, log_keeping(settings))
    events = [] if services.functions is None else [services.functions.events.job]
    return [
        Job("backfill", backfill.run, limits.backfill_interval_ms, services.work),
        Job("shard life", shard_life.run, limits.shard_life_interval_ms),
        Job("expiration", expiration.run, settings.ttl_interval_seconds * 1000),
        Job("trimming", trimming.run, limits.trim_interval_ms),
        Job("token sweep", lambda: _sweep_tokens(tables), limits.token_sweep_interval_ms),
        Job("log trimming", log_trimming.run, limits.log_trim_interval_ms),
        *events,
    ]


def log_keeping(settings: Settings) -> Keeping:
    """Return how much is kept of the logs of functions."""
    return Keeping(settings.logs_keep_days, settings.logs_keep_megabytes * 1024 * 1024)


async def _sweep_tokens(tables: Tables) -> float | None:
    """Clear the tokens of transactions that nobody may repeat any more."""
    now_ms, after = tables.clock.now_ms(), None
    while True:
        after = (await sweep_tokens(tables.engine, now_ms, after)).after
        if after is None:
            return None
        await asyncio.sleep(0)
