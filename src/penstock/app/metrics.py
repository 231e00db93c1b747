"""The page of metrics in the text form of Prometheus: made anew for each who asks, kept for nobody.

What is counted is counted anyway; prometheus-client, which is loaded by the first who asks, only
writes it. Names follow Prometheus' rules: a unit at the end, `_total` for what only grows.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import penstock
from penstock.base.clock import Clock
from penstock.base.health import Health
from penstock.consumers.counts import MappingCounts
from penstock.consumers.engine import MappingShown
from penstock.edge.messages import TextPage
from penstock.streams.readers import Readers

if TYPE_CHECKING:
    from prometheus_client.core import Metric

METRICS_PATH = "/_penstock/metrics"

_MAPPING_LABELS = ("uuid", "function", "source")


class _Told(NamedTuple):
    """One metric of a mapping: its name, its help, what it is of the counts."""

    name: str
    help: str
    of: Callable[[MappingCounts], float]


COUNTERS = (
    _Told("invocations", "Calls of the function that ran", lambda c: c.invocations),
    _Told("errors", "Calls that ended with an error of the function", lambda c: c.errors),
    _Told("throttles", "Calls that did not run for want of concurrency", lambda c: c.throttles),
    _Told("retries", "Batches that were sent again", lambda c: c.retries),
    _Told("duration_seconds", "Time of all calls that ran", lambda c: c.duration_ms / 1000),
    _Told(
        "destination_delivery_failures",
        "Documents that the destination for failures did not take",
        lambda c: c.delivery_failures,
    ),
)
"""What AWS counts of every mapping, and retries."""

EVENT_COUNTERS = (
    _Told("polled_records", "Records read", lambda c: c.polled),
    _Told("filtered_records", "Records that no filter let through", lambda c: c.filtered),
    _Told("invoked_records", "Records handed to the function", lambda c: c.invoked),
    _Told("failed_records", "Records whose invocation failed", lambda c: c.failed),
    _Told("dropped_records", "Records given up without a destination", lambda c: c.dropped),
    _Told(
        "on_failure_delivered_records",
        "Records told to the destination for failures",
        lambda c: c.delivered_on_failure,
    ),
)
"""What is counted of a mapping whose MetricsConfig asks for EventCount, as on AWS."""

GAUGES = (
    _Told("in_flight", "Calls of the function under way", lambda c: c.in_flight),
    _Told(
        "iterator_age_seconds",
        "Age of the last record of the last batch when it was finished",
        lambda c: c.iterator_age_ms / 1000,
    ),
    _Told("shards", "Shards that are read", lambda c: len(c.shards)),
    _Told(
        "records_at_hand",
        "Records read and not finished, of all shards",
        lambda c: c.lag_records,
    ),
    _Told(
        "last_error_timestamp_seconds",
        "When a call failed last, in epoch seconds; 0 if none has",
        lambda c: c.last_error_ms / 1000,
    ),
)

_READ_COUNTERS = (
    ("penstock_stream_reads", "Calls of GetRecords", "Calls"),
    ("penstock_stream_read_records", "Records given to readers", "Records"),
    ("penstock_stream_read_bytes", "Bytes of the records given to readers", "Bytes"),
    ("penstock_stream_reads_throttled", "Calls that were refused", "CallsThrottled"),
)


NAMES = (
    "penstock_build_info",
    "penstock_healthy",
    "penstock_mapping_state",
    "penstock_mapping_lag_seconds",
    *(f"{name}_total" for name, _, _ in _READ_COUNTERS),
    *(f"penstock_mapping_{name}_total" for name, _, _ in (*COUNTERS, *EVENT_COUNTERS)),
    *(f"penstock_mapping_{name}" for name, _, _ in GAUGES),
)
"""All metrics of our own, as the page has them."""


class Metrics:
    """The metrics of one server; `mappings` says what there is to show of mappings."""

    def __init__(
        self,
        *,
        engine: str,
        health: Health,
        readers: Readers,
        clock: Clock,
        mappings: Callable[[], Iterable[MappingShown]],
    ) -> None:
        self._engine = engine
        self._health = health
        self._readers = readers
        self._clock = clock
        self._mappings = mappings
        self._process: Any = None
        """What tells of the process: its memory, its processor time, its open files."""

    async def page(self) -> TextPage:
        """Return the page; the first time what writes it is loaded, on a thread."""
        if self._process is None:
            await asyncio.get_running_loop().run_in_executor(None, self._load)
        exposition = import_module("prometheus_client.exposition")
        text = exposition.generate_latest(self)
        return TextPage(exposition.CONTENT_TYPE_LATEST.encode(), text)

    def collect(self) -> "Iterator[Metric]":
        """Yield every metric: prometheus-client asks for them."""
        yield from self._server_metrics()
        yield from self._read_metrics()
        yield from mapping_metrics(list(self._mappings()), self._clock.now_ms())
        yield from self._process.collect()

    def _load(self) -> None:
        from prometheus_client import ProcessCollector  # noqa: PLC0415 - see above

        self._process = ProcessCollector(registry=None)

    def _server_metrics(self) -> "Iterator[Metric]":
        from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415 - see above

        build = GaugeMetricFamily("penstock_build_info", "Always 1", labels=("version", "engine"))
        build.add_metric((penstock.__version__, self._engine), 1)
        yield build
        yield GaugeMetricFamily(
            "penstock_healthy",
            "Whether requests should come here, as the health page says",
            value=int(self._health.trouble() is None),
        )

    def _read_metrics(self) -> "Iterator[Metric]":
        """Yield what was read of each table's streams; shards would be too many."""
        from prometheus_client.core import CounterMetricFamily  # noqa: PLC0415 - see above

        shown = self._readers.shown(self._clock.elapsed_ms())
        for name, told, member in _READ_COUNTERS:
            totals: dict[str, int] = {}
            for row in shown:
                totals[row["StreamArn"]] = totals.get(row["StreamArn"], 0) + row[member]
            family = CounterMetricFamily(name, told, labels=("stream",))
            for arn, total in totals.items():
                family.add_metric((arn,), total)
            yield family


def mapping_metrics(shown: Sequence[MappingShown], now_ms: int) -> "Iterator[Metric]":
    """Yield the metrics of mappings at `now_ms`."""
    from prometheus_client.core import (  # noqa: PLC0415 - see above
        CounterMetricFamily,
        GaugeMetricFamily,
    )

    states = GaugeMetricFamily(
        "penstock_mapping_state", "1 for the state it is in", labels=(*_MAPPING_LABELS, "state")
    )
    for each in shown:
        states.add_metric((*_labels(each), each.mapping.state), 1)
    yield states
    counting = [each for each in shown if each.mapping.counts_events]
    for counters, mappings in ((COUNTERS, shown), (EVENT_COUNTERS, counting)):
        for name, told, of in counters:
            family = CounterMetricFamily(f"penstock_mapping_{name}", told, labels=_MAPPING_LABELS)
            for each in mappings:
                family.add_metric(_labels(each), of(each.counts))
            yield family
    for name, told, of in GAUGES:
        gauge = GaugeMetricFamily(f"penstock_mapping_{name}", told, labels=_MAPPING_LABELS)
        for each in shown:
            gauge.add_metric(_labels(each), of(each.counts))
        yield gauge
    lag = GaugeMetricFamily(
        "penstock_mapping_lag_seconds",
        "How old the oldest record is that is not finished",
        labels=_MAPPING_LABELS,
    )
    for each in shown:
        seconds = each.counts.lag_seconds(now_ms)
        if seconds is not None:
            lag.add_metric(_labels(each), seconds)
    yield lag


def _labels(each: MappingShown) -> tuple[str, str, str]:
    return (each.mapping.uuid, each.mapping.function_arn, each.mapping.source_arn)
