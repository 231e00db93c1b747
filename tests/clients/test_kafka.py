"""Failures told to topics of a real Kafka: what arrives, and what a broker that is down loses."""

import asyncio
import gc
import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clients.java_project import BUILD_SECONDS_MAX
from clients.kafka_broker import KafkaBroker, built_broker
from penstock.base import limits
from penstock.consumers.deliverer import DeliveryFailed
from penstock.consumers.destinations import Destinations
from penstock.functions.destination import Endpoints
from unit.consumers.delivering import DOCUMENT, KEY, PAYLOAD, WHOLE

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(BUILD_SECONDS_MAX + 200),
    # The client uses what Python 3.11 wants replaced, and leaves connections to the collector.
    pytest.mark.filterwarnings("ignore:.*_text is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SECONDS_MAX = 60.0
TOPIC = "failed"


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Collect what the client has left, here, where that is expected."""
    yield
    gc.collect()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[KafkaBroker]:
    """A broker with one topic."""
    with KafkaBroker(built_broker(), tmp_path) as running:
        _create_topic(running)
        yield running


def _create_topic(broker: KafkaBroker) -> None:
    from kafka.admin import KafkaAdminClient, NewTopic  # noqa: PLC0415 - warns while it is loaded

    admin = KafkaAdminClient(bootstrap_servers=broker.address)
    admin.create_topics([NewTopic(TOPIC, 1, 1)])
    admin.close()


def _messages(broker: KafkaBroker, count: int) -> list[tuple[bytes, Any]]:
    """Return the first messages of the topic: keys, and values decoded."""
    from kafka import KafkaConsumer  # noqa: PLC0415 - warns while it is loaded

    consumer = KafkaConsumer(
        TOPIC,
        bootstrap_servers=broker.address,
        auto_offset_reset="earliest",
        consumer_timeout_ms=int(SECONDS_MAX * 1000),
    )
    first = itertools.islice(consumer, count)
    found = [(message.key, json.loads(message.value)) for message in first]
    consumer.close()
    return found


async def _fails(destinations: Destinations, topic: str) -> str:
    with pytest.raises(DeliveryFailed) as failed:
        await destinations.deliver(f"kafka://{topic}", DOCUMENT, PAYLOAD, KEY)
    return str(failed.value)


def test_a_topic_gets_documents_with_their_events_as_far_as_it_takes_them(
    broker: KafkaBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message that is too large spoils none of the next; a topic that is not there is told."""
    large = json.dumps({"Records": ["x" * 3_000_000]}).encode()
    monkeypatch.setattr(limits, "kafka_wait_seconds_max", 5.0)
    destinations = Destinations(Endpoints(kafka=(broker.address,)))

    async def run() -> str:
        for payload in (PAYLOAD, large, PAYLOAD):
            await destinations.deliver(f"kafka://{TOPIC}", DOCUMENT, payload, KEY)
        return await _fails(destinations, "not-there")

    told = asyncio.run(run())
    destinations.close()
    assert told.startswith("kafka://not-there did not take it: ")
    shard = b"shardId-1"
    assert _messages(broker, 3) == [(shard, WHOLE), (shard, DOCUMENT), (shard, WHOLE)]


def test_a_broker_that_comes_back_is_told_again(
    broker: KafkaBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "kafka_wait_seconds_max", 2.0)
    destinations = Destinations(Endpoints(kafka=(broker.address,)))

    async def run() -> None:
        await destinations.deliver(f"kafka://{TOPIC}", DOCUMENT, PAYLOAD, KEY)
        broker.kill()
        assert "did not take it" in await _fails(destinations, TOPIC)
        broker.start()
        deadline = time.monotonic() + SECONDS_MAX
        while True:
            try:
                await destinations.deliver(f"kafka://{TOPIC}", DOCUMENT, PAYLOAD, KEY)
            except DeliveryFailed:
                assert time.monotonic() < deadline
            else:
                return

    asyncio.run(run())
    destinations.close()
    assert _messages(broker, 2)[0] == (b"shardId-1", WHOLE)
