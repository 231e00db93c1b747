"""The demo's consumer: a thread that reads the stream from its start and keeps each receipt."""

import threading

from penstock.app.demo_plan import LATEST
from penstock.app.demo_promises import Receipt, receipt
from penstock.app.endpoint import Endpoint
from penstock.app.feed import Feed, FeedError, Pace
from penstock.app.held_reads import HeldReads
from penstock.base.clock import Clock

_PACE = Pace(idle_ms_min=8.0, idle_ms_max=32.0, rest_share=1.0)
_JOIN_SECONDS_MAX = 30.0


class Consumer:
    """Reads until told to stop; `receipts` grows in order of receipt, by its thread alone."""

    def __init__(self, endpoint: Endpoint, stream_arn: str, clock: Clock) -> None:
        self.receipts: list[Receipt] = []
        self.failure = ""
        self.latest = ""
        self.last_received_ms = clock.elapsed_ms()
        self._stop = threading.Event()
        client = endpoint.streams()
        self._feed = Feed(
            client,
            stream_arn,
            clock=clock,
            start="TRIM_HORIZON",
            pace=_PACE,
            stop=self._stop,
            held_reads=HeldReads(client, clock),
        )
        self._thread = threading.Thread(target=self._read, name="demo-consumer", daemon=True)

    @property
    def shards(self) -> int:
        """How many shards were read so far."""
        return len(self._feed.shards_read)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """Read no more; returns when the thread has ended, or after a limit."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(_JOIN_SECONDS_MAX)

    def _read(self) -> None:
        try:
            for batch in self._feed.batches():
                received = [receipt(change.record, change.received_ms) for change in batch]
                self.receipts += received
                self.last_received_ms = batch[-1].received_ms
                self._show(received)
        except FeedError as failure:
            self.failure = str(failure)

    def _show(self, received: list[Receipt]) -> None:
        for each in reversed(received):
            if each.key[1] == LATEST and each.new is not None:
                degrees = float(each.new["temperature"]["N"])
                self.latest = f"{each.key[0]}, {each.new['read_at']['S']}: {degrees:.1f} °F"
                return
