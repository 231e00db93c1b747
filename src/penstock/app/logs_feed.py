"""Reading the log of a function as it grows: polls that are sooner while there is something.

Lines are stored a moment after they were printed, those of one worker sooner than those of another.
So each poll looks back a little from the latest line, and knows by their ids what was given before.
"""

import threading
from collections.abc import Callable, Iterator
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from penstock.app.failures import Failure, error_code, failure_text, may_pass
from penstock.base import limits
from penstock.base.clock import Clock

Line = dict[str, Any]
"""A line as FilterLogEvents gives it."""

Trouble = Literal["missing", "silent"]
"""What keeps lines from coming: there is no such group, or no answer."""


class LogsFeed:
    """The lines of one log group from a time on.

    `asked` are members of FilterLogEvents beside the group and its times. `on_notice` is told in
    one line when the server is not there, and when the group is not.
    """

    def __init__(
        self,
        client: Any,
        group: str,
        since_ms: int,
        clock: Clock,
        asked: dict[str, Any],
        on_notice: Callable[[str], None],
    ) -> None:
        self._client, self._group, self._clock = client, group, clock
        self._asked = asked
        self._on_notice = on_notice
        self._since_ms = since_ms
        self._latest_ms = since_ms
        self._given: dict[str, int] = {}
        """The ids of lines that another poll may meet again, with their times."""
        self._trouble: Trouble | None = None
        self._silent_since_ms = 0.0

    def lines(self) -> Iterator[Line]:
        """Yield what is there now and was not given before; ClientError or BotoCoreError."""
        since_ms = max(self._since_ms, self._latest_ms - limits.logs_overlap_ms)
        self._given = {each: at_ms for each, at_ms in self._given.items() if at_ms >= since_ms}
        asked: dict[str, Any] = {
            **self._asked,
            "logGroupName": self._group,
            "startTime": since_ms,
        }
        while True:
            page = self._client.filter_log_events(**asked)
            for line in page["events"]:
                if line["eventId"] not in self._given:
                    self._given[line["eventId"]] = line["timestamp"]
                    self._latest_ms = max(self._latest_ms, line["timestamp"])
                    yield line
            if "nextToken" not in page:
                return
            asked["nextToken"] = page["nextToken"]

    def follow(self) -> Iterator[Line]:
        """Yield lines as they come, for ever, also while the server starts anew.

        Raises ClientError or BotoCoreError for what does not pass, or not within a minute.
        """
        wait_ms = limits.logs_poll_ms_min
        pause = threading.Event()
        while True:
            try:
                for line in self.lines():
                    wait_ms = limits.logs_poll_ms_min
                    yield line
                self._trouble = None
            except (ClientError, BotoCoreError) as failure:
                self._bear(failure)
            pause.wait(wait_ms / 1000)
            wait_ms = min(wait_ms * limits.logs_poll_growth, limits.logs_poll_ms_max)

    def _bear(self, failure: Failure) -> None:
        """Tell of a failure that may pass, once; raise any other."""
        if error_code(failure) == "ResourceNotFoundException":
            self._tell_of("missing", "it has no log yet")
            return
        if not may_pass(failure):
            raise failure
        now_ms = self._clock.elapsed_ms()
        if self._trouble != "silent":
            self._silent_since_ms = now_ms
        self._tell_of("silent", f"{failure_text(failure)}; trying again")
        if now_ms - self._silent_since_ms > limits.feed_trouble_ms_max:
            raise failure

    def _tell_of(self, trouble: Trouble, text: str) -> None:
        """Tell of what keeps lines from coming, unless it was told last."""
        if trouble != self._trouble:
            self._trouble = trouble
            self._on_notice(text)
