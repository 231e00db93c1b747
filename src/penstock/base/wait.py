"""The wait that one request asks for, between the work that waits and the connection it came on.

The work awaits what `woken_by` returns; the connection ends that with `end`, where the client has
gone or the server stops. Ended is not cancelled: the work goes on, and answers without having
waited longer.
"""

import asyncio


class Wait:
    """The wait of one request; `asked` is how long, as the client wrote it."""

    __slots__ = ("_woken", "asked", "is_over")

    def __init__(self, asked: bytes, *, is_over: bool = False) -> None:
        self.asked = asked
        self.is_over = is_over
        self._woken: asyncio.Future[None] | None = None

    def woken_by(self, woken: asyncio.Future[None]) -> asyncio.Future[None]:
        """Return `woken`, to be awaited: it is made done where this wait is woken or ended.

        From now on, so that what the work does before it waits hides nothing from it.
        """
        self._woken = woken
        if self.is_over:
            self.wake()
        return woken

    def wake(self) -> None:
        """Let the work look again whether it has to wait on."""
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    def end(self) -> None:
        """Let the work wait no longer, now or later; safe at any time. On the loop's thread."""
        self.is_over = True
        self.wake()
