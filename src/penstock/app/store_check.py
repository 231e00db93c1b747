"""The check of the store: a job that asks it for a row all the time, so that the health page knows.

Only for a store that may be out of reach while the server is there. The page itself asks nothing:
whatever happens to a check under way, it tells how long ago the last one was answered.
"""

from penstock.base import limits
from penstock.base.background import Job
from penstock.base.errors.engine import EngineError
from penstock.base.health import Health
from penstock.storage.prefixes import Prefix
from penstock.storage.waist import Engine, Transaction

_KEY = Prefix.STORE.key


class StoreCheck:
    """Tells `health` whether the store answers."""

    def __init__(self, engine: Engine, health: Health) -> None:
        self._engine = engine
        self._health = health
        self.job = Job("store check", self.run, limits.store_check_interval_ms)

    async def run(self) -> None:
        """Ask the store once, by the way that writes take: a transaction."""

        def look(txn: Transaction) -> None:
            txn.get(_KEY)

        try:
            await self._engine.transact(look, reads=(_KEY,))
        except EngineError:
            self._health.store_fails()
            raise
        self._health.store_answers()
