"""Destinations at SQS, SNS and S3, or what speaks their protocols, by boto3.

Credentials come from the usual chain of boto3; where it has none, requests are signed with ones
that mean nothing.
"""

import threading
from typing import Any, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from penstock.base import limits
from penstock.consumers.deliverer import DeliveryFailed
from penstock.consumers.destinations import Delivery
from penstock.consumers.documents import encode_document
from penstock.functions.destination import Endpoints


class AwsSender:
    """Delivers to queues, topics and buckets, each at the endpoint of its service."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str], Any] = {}
        self._queues: dict[str, str] = {}

    def send(self, delivery: Delivery) -> None:
        destination = delivery.destination
        try:
            match destination.kind:
                case "sqs":
                    self._send_message(delivery)
                case "sns":
                    self._client("sns", destination.region).publish(
                        TopicArn=destination.text,
                        Message=encode_document(delivery.document).decode(),
                    )
                case "s3":
                    self._client("s3", delivery.region).put_object(
                        Bucket=destination.name,
                        Key=delivery.key,
                        Body=encode_document(delivery.document, delivery.payload),
                        ContentType="application/json",
                    )
        except (BotoCoreError, ClientError) as error:
            raise DeliveryFailed(f"{destination.text} did not take it: {error}") from error

    def close(self) -> None:
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()

    def _send_message(self, delivery: Delivery) -> None:
        """Send to a queue, whose URL only its service can tell; it is asked once."""
        destination = delivery.destination
        client = self._client("sqs", destination.region)
        url = self._queues.get(destination.text)
        if url is None:
            url = client.get_queue_url(
                QueueName=destination.name, QueueOwnerAWSAccountId=destination.account
            )["QueueUrl"]
            if len(self._queues) >= limits.destination_queues_known_max:
                self._queues.clear()
            self._queues[destination.text] = url
        client.send_message(QueueUrl=url, MessageBody=encode_document(delivery.document).decode())

    def _client(self, service: str, region: str) -> Any:
        """Return the client of a service in a region. Making one is not safe in several threads."""
        with self._lock:
            client = self._clients.get((service, region))
            if client is None:
                client = self._made_client(service, region)
                if len(self._clients) < limits.destination_clients_max:
                    self._clients[service, region] = client
            return client

    def _made_client(self, service: str, region: str) -> Any:
        session = boto3.session.Session(region_name=region)
        keys: dict[str, str] = {}
        if session.get_credentials() is None:
            keys = {"aws_access_key_id": "penstock", "aws_secret_access_key": "penstock"}
        make = cast("Any", session).client
        url = getattr(self._endpoints, service)
        return make(service, endpoint_url=url, config=_config(), **keys)


def _config() -> Config:
    return Config(
        connect_timeout=limits.destination_connect_seconds_max,
        read_timeout=limits.destination_read_seconds_max,
        retries={"mode": "standard", "total_max_attempts": limits.destination_calls_max},
        max_pool_connections=limits.destination_threads_max,
        s3={"addressing_style": "path"},
        # Only AWS itself is sure to know the checksums that boto3 adds by default.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
