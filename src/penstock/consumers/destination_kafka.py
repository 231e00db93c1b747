"""Destinations in Kafka: one message for each document, with its shard as the key."""

import logging
import threading

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
    """Delivers to topics of one cluster, through a producer that is made when it is needed."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._brokers = list(endpoints.kafka)
        self._lock = threading.Lock()
        self._producer: KafkaProducer | None = None

    def send(self, delivery: Delivery) -> None:
        """Deliver with the batch's event, or without it where the cluster finds that too large."""
        whole = encode_document(delivery.document, delivery.payload)
        try:
            try:
                self._send(delivery, whole)
            except MessageSizeTooLargeError:
                self._send(delivery, encode_document(delivery.document))
        except KafkaError as error:
            text = f"{delivery.destination.text} did not take it: {error}"
            raise DeliveryFailed(" ".join(text.split())) from error

    def close(self) -> None:
        with self._lock:
            if self._producer is not None:
                self._producer.close(timeout=0)
            self._producer = None

    def _send(self, delivery: Delivery, value: bytes) -> None:
        shard_id = str(delivery.document["DDBStreamBatchInfo"]["shardId"])
        sent = self._connected().send(delivery.destination.name, value, key=shard_id.encode())
        sent.get(timeout=limits.kafka_wait_seconds_max)

    def _connected(self) -> KafkaProducer:
        with self._lock:
            if self._producer is None:
                wait_ms = int(limits.kafka_wait_seconds_max * 1000)
                self._producer = KafkaProducer(
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
            return self._producer
