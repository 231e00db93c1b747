"""The wait that one request asks for, between the work that waits and the connection it came on.

The work waits by `until`; the connection ends that with `end`, where the client has gone or the
server stops. Ended is not cancelled: the work goes on, and answers without having waited longer.
"""

import asyncio


class Wait:
    """The wait of one request; `asked` is how long, as the client wrote it."""

    __slots__ = ("_woken", "asked", "is_over")

    def __init__(self, asked: bytes, *, is_over: bool = False) -> None:
        self.asked = asked
        self.is_over = is_over
        self._woken: asyncio.Future[None] | None = None

    async def until(self, woken: asyncio.Future[None]) -> None:
        """Return once `woken` is done, or this wait is woken or ended: then it is made done."""
        self._woken = woken
        if self.is_over:
            self.wake()
        await woken

    def wake(self) -> None:
        """Let the work look again whether it has to wait on."""
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    def end(self) -> None:
        """Let the work wait no longer, now or later; safe at any time. On the loop's thread."""
        self.is_over = True
        self.wake()
