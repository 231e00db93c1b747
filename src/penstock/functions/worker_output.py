"""What one worker prints: read, cut into lines, and given to the log within limits.

Reading always goes on, so that a worker never waits for us. What comes faster than the log takes
it is dropped as it comes, and one line tells how much it was.
"""

import asyncio
import os
from collections import deque
from collections.abc import Callable

from penstock.base import limits
from penstock.base.bucket import Bucket

_DRAINED_READS_MAX = 32


class WorkerOutput:
    """The output of one worker, of its process and of what is told of its invocations.

    `write` is given each line. `elapsed_ms` is a clock that never steps back.
    """

    def __init__(self, write: Callable[[str], None], elapsed_ms: Callable[[], float]) -> None:
        self._write = write
        self._elapsed_ms = elapsed_ms
        self._allowed = Bucket(
            limits.log_bytes_per_second_max,
            limits.log_burst_seconds,
            elapsed_ms(),
            limits.log_bytes_per_second_max * limits.log_burst_seconds,
        )
        self._file: int | None = None
        self._partial = b""
        self._dropped_bytes = 0
        self._tail: deque[bytes] = deque()
        self._tail_bytes = 0

    def open(self, readable: int) -> None:
        """Read from a pipe, which is closed in the end."""
        self._file = readable
        asyncio.get_running_loop().add_reader(readable, self._read)

    def close(self) -> None:
        """Read what there is, and nothing more; safe twice."""
        self.drain()
        if self._file is not None:
            asyncio.get_running_loop().remove_reader(self._file)
            os.close(self._file)
            self._file = None

    def drain(self) -> None:
        """Read what was printed until now, the beginning of a line too."""
        for _ in range(_DRAINED_READS_MAX):
            if not self._read():
                break
        if self._partial:
            partial, self._partial = self._partial, b""
            self._line(partial)
        self._tell_dropped()

    def tell(self, line: str) -> None:
        """Write a line of our own."""
        self._keep(line.encode())
        self._write(line)

    def begin_tail(self) -> None:
        """Let the tail begin anew, here."""
        self._tail.clear()
        self._tail_bytes = 0

    def tail(self) -> bytes:
        """Return the last 4 KB since it began."""
        return b"".join(self._tail)[-limits.log_tail_bytes_max :]

    def _read(self) -> bool:
        """Read once; say whether there may be more."""
        if self._file is None:
            return False
        try:
            data = os.read(self._file, limits.log_read_bytes_max)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:  # all who could write have gone
            asyncio.get_running_loop().remove_reader(self._file)
            os.close(self._file)
            self._file = None
            return False
        self._take(data)
        return True

    def _take(self, data: bytes) -> None:
        now_ms = self._elapsed_ms()
        cost = len(data) + data.count(b"\n") * limits.log_line_cost_bytes
        # Once something is dropped all is, for a second: so the notices are few, too.
        needed = max(cost, limits.log_bytes_per_second_max if self._dropped_bytes else 0)
        if self._allowed.level(now_ms) < needed:
            self._dropped_bytes += len(self._partial) + len(data)
            self._partial = b""
            return
        self._allowed.take(cost, now_ms)
        self._tell_dropped()
        *lines, self._partial = (self._partial + data).split(b"\n")
        for line in lines:
            self._line(line)
        while len(self._partial) >= limits.log_line_bytes_max:
            begin, self._partial = (
                self._partial[: limits.log_line_bytes_max],
                self._partial[limits.log_line_bytes_max :],
            )
            self._line(begin)

    def _line(self, line: bytes) -> None:
        """Write one line, in pieces where it is too long; its carriage returns are line ends."""
        line = line.rstrip(b"\r").replace(b"\r", b"\n")
        for start in range(0, max(1, len(line)), limits.log_line_bytes_max):
            piece = line[start : start + limits.log_line_bytes_max]
            self._keep(piece)
            self._write(piece.decode("utf-8", "replace"))

    def _keep(self, line: bytes) -> None:
        self._tail.append(line[-limits.log_tail_bytes_max :] + b"\n")
        self._tail_bytes += len(self._tail[-1])
        while self._tail_bytes - len(self._tail[0]) >= limits.log_tail_bytes_max:
            self._tail_bytes -= len(self._tail.popleft())

    def _tell_dropped(self) -> None:
        if self._dropped_bytes:
            dropped, self._dropped_bytes = self._dropped_bytes, 0
            rate = limits.log_bytes_per_second_max
            self.tell(f"[penstock] {dropped} bytes of output dropped: more than {rate} a second")
