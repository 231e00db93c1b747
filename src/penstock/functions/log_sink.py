"""Where the lines go that functions print, and those that are told of their invocations."""

from typing import Protocol


class LogSink(Protocol):
    """What keeps the logs of functions."""

    def write(self, region: str, group: str, stream: str, at_ms: int, line: str) -> None:
        """Take one line, without its end, that came at `at_ms` epoch milliseconds.

        Never waits and never fails: what is more than can be kept is dropped, and counted.
        """
        ...
