"""A token bucket: what is left of a limit that is given as units a second."""

_SECOND_MS = 1000.0


class Bucket:
    """What is left of one limit; time comes in as milliseconds that never step back.

    It gains `rate` units a second and keeps those of `seconds` at most. It begins with `begin`
    units, one second of them where that is not told.
    """

    __slots__ = ("_at_ms", "_level", "_rate", "_seconds")

    def __init__(
        self, rate: float, seconds: float, now_ms: float, begin: float | None = None
    ) -> None:
        self._rate, self._seconds = rate, seconds
        self._level, self._at_ms = float(rate if begin is None else begin), now_ms

    def set_rate(self, rate: float, seconds: float) -> None:
        """Gain `rate` units a second from now on, and keep those of `seconds`."""
        self._rate, self._seconds = rate, seconds

    def level(self, now_ms: float) -> float:
        """Return how many units are left; below zero where more were taken than there were."""
        gained = (now_ms - self._at_ms) / _SECOND_MS * self._rate
        self._level = min(self._level + gained, float(self._rate * self._seconds))
        self._at_ms = now_ms
        return self._level

    def take(self, units: float, now_ms: float) -> None:
        """Take `units`, more than are left if need be."""
        self._level = self.level(now_ms) - units
