"""Destinations in Kafka: one message for each document, with its shard as the key."""

import contextlib
import gc
import logging
import threading
from collections.abc import Iterator

from kafka import KafkaProducer
from kafka.errors import KafkaError, MessageSizeTooLargeError

from penstock.base import limits
from penstock.consumers.deliverer import DeliveryFailed
from penstock.consumers.destinations import Delivery
from penstock.consumers.documents import encode_document
from penstock.functions.destination import Endpoints

_VERSION = (2, 1)
"""Of the protocol: the oldest that Kafka 4 speaks. Were it found out, by asking a broker, then a
producer could not be made, and connections would be left behind, while none answers."""

logging.getLogger("kafka").setLevel(logging.CRITICAL)  # what fails is told by `DeliveryFailed`


class KafkaSender:
    """Delivers to topics of one cluster, through a producer for each document.

    A producer that is kept tries to reconnect all the time while its brokers are down, and leaves
    the socket of each try to the garbage collector, which is slow to come.
    """

    def __init__(self, endpoints: Endpoints) -> None:
        self._brokers = list(endpoints.kafka)
        self._lock = threading.Lock()
        self._producers: set[KafkaProducer] = set()
        self._is_closed = False

    def send(self, delivery: Delivery) -> None:
        """Deliver with the batch's event, or without it where the cluster finds that too large."""
        whole = encode_document(delivery.document, delivery.payload)
        try:
            with self._producer() as producer:
                try:
                    _send(producer, delivery, whole)
                except MessageSizeTooLargeError:
                    _send(producer, delivery, encode_document(delivery.document))
        except KafkaError as error:
            gc.collect()
            text = f"{delivery.destination.text} did not take it: {error}"
            raise DeliveryFailed(" ".join(text.split())) from error

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            producers = tuple(self._producers)
        for producer in producers:
            producer.close(timeout=0)

    @contextlib.contextmanager
    def _producer(self) -> Iterator[KafkaProducer]:
        wait_ms = int(limits.kafka_wait_seconds_max * 1000)
        producer = KafkaProducer(
            bootstrap_servers=self._brokers,
            client_id="penstock",
            acks="all",
            enable_idempotence=False,  # with it one message too large ends the producer
            allow_auto_create_topics=False,
            api_version=_VERSION,
            max_block_ms=wait_ms,
            reconnect_backoff_max_ms=int(limits.kafka_backoff_seconds_max * 1000),
            request_timeout_ms=wait_ms,
            delivery_timeout_ms=wait_ms + 1,
            max_request_size=limits.kafka_message_bytes_max,
        )
        try:
            with self._lock:
                if self._is_closed:
                    raise DeliveryFailed("the server is stopping")
                self._producers.add(producer)
            yield producer
        finally:
            with self._lock:
                self._producers.discard(producer)
            producer.close(timeout=0)


def _send(producer: KafkaProducer, delivery: Delivery, value: bytes) -> None:
    shard_id = str(delivery.document["DDBStreamBatchInfo"]["shardId"])
    sent = producer.send(delivery.destination.name, value, key=shard_id.encode())
    sent.get(timeout=limits.kafka_wait_seconds_max)
