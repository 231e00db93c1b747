"""Health: whether requests should be sent to this server, for whoever spreads them over several.

It is asked for by every load balancer all the time, so it is told from memory and never waits: what
tells of the store is when it last answered.
"""

from typing import NamedTuple

from penstock.base.clock import Clock


class Trouble(NamedTuple):
    """Why requests should go elsewhere: the server's status, and the reason in words."""

    status: str
    reason: str


class Health:
    """The health of one server.

    Where its store may be out of reach, `store_silent_ms_max` says how long it may be since it last
    answered `store_answers`; whoever makes this object has just seen it. Without that nobody asks.
    """

    def __init__(self, clock: Clock, store_silent_ms_max: float | None = None) -> None:
        self._clock = clock
        self._silent_ms_max = store_silent_ms_max
        self._answered_ms = clock.elapsed_ms()
        self._is_lost = False
        self._is_stopping = False

    def store_answers(self) -> None:
        """Note that the store has answered."""
        self._answered_ms = self._clock.elapsed_ms()
        self._is_lost = False

    def store_fails(self) -> None:
        """Note that the store cannot answer, until it does again."""
        self._is_lost = True

    def stop(self) -> None:
        """Say from now on that the server stops, while it still serves."""
        self._is_stopping = True

    def trouble(self) -> Trouble | None:
        """Return why requests should go elsewhere, None where they are welcome."""
        if self._is_stopping:
            return Trouble("stopping", "the server is about to stop")
        silent_ms = self._clock.elapsed_ms() - self._answered_ms
        if self._is_lost or (self._silent_ms_max is not None and silent_ms > self._silent_ms_max):
            seconds = silent_ms / 1000
            return Trouble("unavailable", f"the store has not answered for {seconds:.1f} s")
        return None
