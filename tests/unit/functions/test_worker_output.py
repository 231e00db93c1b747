"""What a worker prints becomes lines, within limits, whatever it prints and however fast."""

import asyncio
import os
from collections.abc import Callable

import pytest

from penstock.base import limits
from penstock.functions.worker_output import WorkerOutput
from penstock.functions.worker_process import exit_text
from penstock.testing.clock import FakeClock


class Printing:
    """The output of a worker that prints what a test says."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.lines: list[str] = []
        self.output = WorkerOutput(self.lines.append, self.clock.elapsed_ms)
        readable, self._writable = os.pipe()
        os.set_blocking(readable, False)
        self.output.open(readable)

    def prints(self, data: bytes) -> None:
        """Print `data` and let it be read at once."""
        for start in range(0, len(data), 32 * 1024):  # less than a pipe holds
            os.write(self._writable, data[start : start + 32 * 1024])
            self.output._read()

    def close(self) -> None:
        os.close(self._writable)
        self.output.close()


def run(check: Callable[[Printing], None]) -> None:
    async def main() -> None:
        printing = Printing()
        check(printing)
        printing.close()

    asyncio.run(main())


def test_lines_come_whole_however_they_are_written() -> None:
    def check(it: Printing) -> None:
        for piece in (b"on", b"e\ntw", b"o\n", b"\n", b"thr"):
            it.prints(piece)
        assert it.lines == ["one", "two", ""]
        it.output.drain()
        assert it.lines == ["one", "two", "", "thr"]

    run(check)


def test_a_carriage_return_is_a_line_end_within_a_line_and_nothing_at_its_end() -> None:
    def check(it: Printing) -> None:
        it.prints(b"[ERROR] no\r\xc2\xa0\xc2\xa0File\r\n")
        assert it.lines == ["[ERROR] no\n\xa0\xa0File"]

    run(check)


def test_what_is_no_utf_8_is_kept_as_far_as_it_is() -> None:
    def check(it: Printing) -> None:
        it.prints(b"a\xff\x00b\n")
        assert it.lines == ["a\ufffd\x00b"]

    run(check)


@pytest.mark.parametrize("length", [limits.log_line_bytes_max, limits.log_line_bytes_max + 1])
def test_a_long_line_is_cut_into_pieces(length: int) -> None:
    def check(it: Printing) -> None:
        it.prints(b"x" * length + b"\n")
        assert "".join(it.lines) == "x" * length
        assert max(map(len, it.lines)) == limits.log_line_bytes_max

    run(check)


def test_what_comes_too_fast_is_dropped_until_there_is_room_and_told_once() -> None:

    def check(it: Printing) -> None:
        line = b"x" * 1023 + b"\n"
        it.prints(line * 6 * 1024)
        kept = len(it.lines)
        burst = limits.log_bytes_per_second_max * limits.log_burst_seconds
        cost = 1024 + limits.log_line_cost_bytes
        assert burst - 32 * 1024 * 2 < kept * cost <= burst
        it.clock.advance(900)
        it.prints(line * 32)
        assert len(it.lines) == kept
        it.clock.advance(100)
        it.prints(b"again\n")
        dropped = (6 * 1024 - kept + 32) * 1024
        told = f"[penstock] {dropped} bytes of output dropped: more than 1048576 a second"
        assert it.lines[kept:] == [told, "again"]

    run(check)


def test_very_many_lines_are_dropped_too_though_they_are_short() -> None:
    def check(it: Printing) -> None:
        it.prints(b"\n" * 1024 * 1024)
        burst = limits.log_bytes_per_second_max * limits.log_burst_seconds
        assert 0 < len(it.lines) < burst / limits.log_line_cost_bytes

    run(check)


def test_what_was_dropped_last_is_told_at_the_end_of_the_invocation() -> None:
    def check(it: Printing) -> None:
        it.prints((b"x" * 1023 + b"\n") * 5 * 1024)
        it.output.drain()
        assert it.lines[-1].endswith("bytes of output dropped: more than 1048576 a second")

    run(check)


def test_a_worker_that_prints_on_does_not_hold_up_the_end_of_an_invocation() -> None:
    """Draining has a limit: here there is always more to read."""

    def check(it: Printing) -> None:
        reads = 0

        def endless(file: int, count: int) -> bytes:
            nonlocal reads
            reads += 1
            return b"x\n" * 10

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "read", endless)
            it.output.drain()
        assert 1 < reads < 1000

    run(check)


def test_the_tail_begins_anew_and_holds_the_last_4_kb() -> None:
    def check(it: Printing) -> None:
        it.prints(b"before\n")
        it.output.begin_tail()
        assert it.output.tail() == b""
        it.output.tell("START")
        it.prints(b"a\n")
        assert it.output.tail() == b"START\na\n"
        it.prints(b"y" * 10_000 + b"\n")
        assert it.output.tail() == b"y" * (limits.log_tail_bytes_max - 1) + b"\n"
        for number in range(3000):
            it.prints(b"%d\n" % number)
        assert len(it.output.tail()) == limits.log_tail_bytes_max
        assert it.output.tail().endswith(b"2998\n2999\n")

    run(check)


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (0, "Runtime exited without providing a reason"),
        (1, "Runtime exited with error: exit status 1"),
        (-9, "Runtime exited with error: signal: killed"),
        (-11, "Runtime exited with error: signal: segmentation fault"),
        (-64, "Runtime exited with error: signal: signal 64"),
    ],
)
def test_an_exit_is_told_as_aws_tells_it(status: int, text: str) -> None:
    assert exit_text(status) == text
