"""A clock that stands still until a test moves it; both of its times move together."""


class FakeClock:
    """A `Clock` for tests, at `now_ms` epoch milliseconds."""

    def __init__(self, now_ms: int = 1_790_000_000_000) -> None:
        self._now_ms = now_ms
        self._elapsed_ms = 0.0

    def now_ms(self) -> int:
        return self._now_ms

    def elapsed_ms(self) -> float:
        return self._elapsed_ms

    def advance(self, ms: int) -> None:
        """Let `ms` milliseconds pass."""
        if ms < 0:
            raise ValueError("time does not pass backwards; use `set` to step the wall clock")
        self._now_ms += ms
        self._elapsed_ms += ms

    def set(self, ms: int) -> None:
        """Step the wall clock to `ms` epoch milliseconds, back or forward; no time passes."""
        self._now_ms = ms
