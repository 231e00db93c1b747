"""A bell: an alarm that is heard on the node that has the job, wherever its cause is.

To ring it is to write the tip of a log that nothing is ever appended to; who watches that log hears
it. A hint, which may be lost: the job's interval is what brings it there.
"""

import asyncio
from collections.abc import Callable

from penstock.base import limits
from penstock.base.background import Alarm
from penstock.storage.prefixes import Prefix
from penstock.storage.waist import Engine, Lock, log_span, touch


class Bell:
    """The bell of the job that `alarm` wakes and that `is_ours` tells the place of."""

    def __init__(
        self, engine: Engine, name: str, alarm: Alarm, is_ours: Callable[[], bool]
    ) -> None:
        self._engine = engine
        self._alarm = alarm
        self._is_ours = is_ours
        self._log = Prefix.LEASE.key + b"bell/" + name.encode()
        self._lock = Lock(b"bell/" + name.encode(), (log_span(self._log),))
        self._listening: asyncio.Task[None] | None = None

    async def ring(self) -> None:
        """Let the alarm ring where the job is. Raises EngineError."""
        await self._engine.transact(lambda txn: touch(txn, self._log), locks=(self._lock,))

    def start(self) -> None:
        """Hear the bell from now on, until `stop`."""
        self._listening = asyncio.create_task(self._listen(), name="bell")

    def stop(self) -> None:
        """Hear it no longer; safe twice."""
        if self._listening is not None:
            self._listening.cancel()

    async def _listen(self) -> None:
        while True:
            await self._engine.watch(self._log, 0, limits.bell_watch_seconds_max)
            if self._is_ours():
                self._alarm.ring()
