"""The changes of a table as its stream tells them, for a test to look at and to assert.

A `Capture` is one more ordinary reader of the stream: it asks only when the test asks it, reads
every shard, parents before children, and keeps what it has read, also when that is trimmed later.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from penstock.app.feed import Feed, Pace
from penstock.base.clock import SystemClock
from penstock.testing.changes import ItemChange
from penstock.testing.matching import CapturedChange, captured, mismatch

_READ_SECONDS_MAX = 30.0
_PACE = Pace(rest_share=0.0)  # the test waits for it, and does nothing meanwhile


class Capture:
    """Everything that the stream of one table holds from now on, and what it holds already.

    `tables` and `streams` are boto3 clients. Where the stream is switched off and on again, it goes
    on with the new one. Raises ValueError for a table without a stream, and `FeedError` where a
    stream cannot be read to its end within 30 s.
    """

    def __init__(self, tables: Any, streams: Any, table_name: str) -> None:
        described = tables.describe_table(TableName=table_name)["Table"]
        if "StreamSpecification" not in described:
            raise ValueError(
                f"the table {table_name} has no stream to capture: make it with a view, as"
                " penstock_table_factory(view='NEW_AND_OLD_IMAGES') does"
            )
        self._tables = tables
        self._streams = streams
        self._table_name = table_name
        self._key_names = [part["AttributeName"] for part in described["KeySchema"]]
        self._notices: list[str] = []
        self._feeds: dict[str, Feed] = {}
        self._changes: list[CapturedChange] = []
        self._cleared = 0
        latest = described["LatestStreamArn"]
        # The streams before the latest, and later those that are over.
        self._passed_by = set(self._listed()) - {latest}
        self._follow(latest)

    def changes(self) -> list[CapturedChange]:
        """Read on to the stream's end; return all changes since the beginning, or `clear`.

        An item's changes stand in their order, those of different items in any. Of several streams
        that were enabled since the last look, the table's latest is read last and the others by
        their labels, which are times: nothing tells in which order those came where the clock was
        stepped back between them. Look before each disabling then.
        """
        self._read()
        return self._changes[self._cleared :]

    def clear(self) -> None:
        """Read on to the stream's end, and leave out of later answers all that came so far."""
        self._read()
        self._cleared = len(self._changes)

    def assert_changes(self, expected: Sequence[ItemChange]) -> None:
        """Assert that `changes()` are those, each once and per item in this order.

        The order between items is free. What the stream's view leaves out is not compared.
        """
        __tracebackhide__ = True
        records = [change.record for change in self.changes()]
        text = mismatch(expected, records, self._key_names)
        if text is not None:
            raise AssertionError("\n".join([text, *self._notes()]))

    def _read(self) -> None:
        listed = self._listed()
        new = [arn for arn in listed if arn not in self._feeds and arn not in self._passed_by]
        if len(new) > 1:
            latest = self._latest()
            new.sort(key=lambda arn: arn == latest)  # the labels' order, but for the latest
        for arn in new:
            self._follow(arn)
        for arn, feed in list(self._feeds.items()):
            if arn in listed:
                for change in feed.present(_READ_SECONDS_MAX):
                    self._changes.append(captured(change.record, change.shard_id))
            else:
                self._notices.append(f"{arn} was disabled, and is gone after its 24 hours")
            if feed.ended or arn not in listed:
                self._passed_by.add(arn)
                del self._feeds[arn]

    def _follow(self, arn: str) -> None:
        feed = Feed(
            self._streams,
            arn,
            clock=SystemClock(),
            start="TRIM_HORIZON",
            pace=_PACE,
            on_notice=self._notices.append,
        )
        feed.open()
        self._feeds[arn] = feed

    def _latest(self) -> str | None:
        """Return the stream that the table had last; None where the table is gone."""
        try:
            described = self._tables.describe_table(TableName=self._table_name)["Table"]
        except self._tables.exceptions.ResourceNotFoundException:
            return None
        latest: str | None = described.get("LatestStreamArn")
        return latest

    def _listed(self) -> list[str]:
        """Return all streams that there are of the table's name, by their labels."""
        page: Mapping[str, str] = {}
        arns: list[str] = []
        while True:
            answer = self._streams.list_streams(TableName=self._table_name, **page)
            arns += [stream["StreamArn"] for stream in answer["Streams"]]
            last = answer.get("LastEvaluatedStreamArn")
            if last is None:
                return arns
            page = {"ExclusiveStartStreamArn": last}

    def _notes(self) -> list[str]:
        notes = dict.fromkeys(self._notices)
        return ["", *(f"while reading the stream: {note}" for note in notes)] if notes else []
