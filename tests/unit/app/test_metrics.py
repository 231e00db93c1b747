"""The page of metrics, as a monitoring system reads it."""

import asyncio
import subprocess
import sys
import urllib.request
from collections.abc import Iterable

import pytest
from prometheus_client.parser import text_string_to_metric_families

import penstock
from penstock.app.metrics import NAMES, Metrics
from penstock.base.clock import SystemClock
from penstock.base.health import Health
from penstock.consumers.engine import MappingShown
from penstock.edge.messages import TextPage
from penstock.streams.readers import Readers
from penstock.testing.clock import FakeClock
from penstock.testing.local_server import LocalServer
from unit.app.shown_mappings import FUNCTION, NOW_MS, STREAM, busy, idle

LABELS = (("function", FUNCTION), ("source", STREAM), ("uuid", "u-1"))


def page_of(*shown: MappingShown, health: Health | None = None) -> TextPage:
    clock = FakeClock(NOW_MS)
    metrics = Metrics(
        engine="memory",
        health=health or Health(clock),
        readers=Readers(),
        clock=clock,
        mappings=lambda: shown,
    )
    return asyncio.run(metrics.page())


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Return what a page tells, by name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def told(*shown: MappingShown) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return samples(page_of(*shown).body.decode())


ALWAYS = {
    "invocations_total": 11,
    "errors_total": 2,
    "throttles_total": 3,
    "retries_total": 4,
    "duration_seconds_total": 12.5,
    "destination_delivery_failures_total": 1,
    "in_flight": 13,
    "iterator_age_seconds": 14.25,
    "shards": 3,
    "records_at_hand": 1234,
    "last_error_timestamp_seconds": 1_790_000_004.5,
    "lag_seconds": 15.25,
}
EVENT_COUNTS = {
    "polled_records_total": 50,
    "filtered_records_total": 6,
    "invoked_records_total": 70,
    "failed_records_total": 8,
    "dropped_records_total": 9,
    "on_failure_delivered_records_total": 10,
}


def _full(names: Iterable[str]) -> set[str]:
    return {f"penstock_mapping_{name}" for name in names}


@pytest.mark.parametrize("counts_events", [False, True])
def test_every_count_of_a_mapping_has_its_metric(counts_events: bool) -> None:
    """Those of EventCount only where the mapping asks for them."""
    found = told(busy(counts_events=counts_events))
    of_mapping = {
        name.removeprefix("penstock_mapping_"): value
        for (name, labels), value in found.items()
        if labels == LABELS
    }
    assert of_mapping == ALWAYS | (EVENT_COUNTS if counts_events else {})
    own = {name for name, _ in found if name.startswith("penstock_mapping_")}
    listed = {name for name in NAMES if name.startswith("penstock_mapping_")}
    assert own == (listed if counts_events else listed - _full(EVENT_COUNTS))
    assert found["penstock_mapping_state", tuple(sorted((*LABELS, ("state", "Enabled"))))] == 1


def test_mappings_are_told_apart_and_a_lag_that_nobody_knows_is_left_out() -> None:
    found = told(busy(), idle(uuid="u-2"))
    lags = [dict(labels)["uuid"] for name, labels in found if name.endswith("_lag_seconds")]
    ages = [dict(labels)["uuid"] for name, labels in found if name.endswith("_age_seconds")]
    assert (lags, ages) == (["u-1"], ["u-1", "u-2"])


def test_a_server_without_mappings_tells_of_itself() -> None:
    found = told()
    build = (("engine", "memory"), ("version", penstock.__version__))
    assert found["penstock_build_info", build] == 1
    assert found["penstock_healthy", ()] == 1
    assert not any(name.startswith("penstock_mapping") for name, _ in found)


def test_an_ill_server_says_so() -> None:
    health = Health(SystemClock())
    health.store_fails()
    assert samples(page_of(health=health).body.decode())["penstock_healthy", ()] == 0


@pytest.mark.parametrize("name", ['quo"te', "new\nline", "back\\slash", "é"])
def test_a_name_of_any_characters_comes_through(name: str) -> None:
    found = told(busy(function_arn=name))
    assert any(dict(labels).get("function") == name for _, labels in found)


def test_a_running_server_tells_who_reads_its_streams_and_what_it_uses() -> None:
    with LocalServer(shards=1) as server:
        made = server.client().create_table(
            TableName="read",
            KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
        )
        arn = made["TableDescription"]["LatestStreamArn"]
        server.client().put_item(TableName="read", Item={"k": {"S": "1"}})
        streams = server.client("dynamodbstreams")
        (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        iterator = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )
        streams.get_records(ShardIterator=iterator["ShardIterator"])
        for _ in range(2):
            with urllib.request.urlopen(server.url + "/_penstock/metrics", timeout=30) as answer:
                assert answer.headers["content-type"].startswith("text/plain; version=")
                found = samples(answer.read().decode())
    labels = (("stream", arn),)
    assert found["penstock_stream_reads_total", labels] == 1
    assert found["penstock_stream_read_records_total", labels] == 1
    assert found["penstock_stream_read_bytes_total", labels] > 100
    assert found["penstock_stream_reads_throttled_total", labels] == 0
    if sys.platform == "linux":
        assert found["process_resident_memory_bytes", ()] > 1_000_000


def test_who_asks_for_no_metrics_loads_nothing_for_them() -> None:
    code = (
        "import sys, penstock.app.serve, penstock.app.metrics;"
        "sys.exit('prometheus_client' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
