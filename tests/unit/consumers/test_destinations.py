"""Destinations by boto3 and Kafka: what arrives, what is refused, and what is down."""

import asyncio
import gc
import http.server
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import boto3
import pytest

from moto_services import moto_services
from penstock.base import limits
from penstock.consumers.deliverer import DeliveryFailed
from penstock.consumers.destinations import Destinations
from penstock.functions.destination import Endpoints
from unit.consumers.delivering import (
    DOCUMENT,
    KEY,
    PAYLOAD,
    WHOLE,
    deliver,
    refused_port,
    silent_port,
)

ACCOUNT = "123456789012"  # moto's
QUEUE = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:failed"
TOPIC = f"arn:aws:sns:eu-west-1:{ACCOUNT}:failed"
BUCKET = "arn:aws:s3:::failed"


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Leave boto3 none to find, as on a machine that knows nothing of AWS."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with moto_services(tmp_path_factory.mktemp("moto") / "log") as url:
        yield url


def client(service: str, url: str) -> Any:
    session = boto3.Session("test", "test", region_name="eu-west-1")
    return cast("Any", session).client(service, endpoint_url=url)


def all_at(url: str) -> Destinations:
    return Destinations(Endpoints(sqs=url, sns=url, s3=url))


def messages(queues: Any, url: str) -> list[Any]:
    received = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for message in received:
        queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [json.loads(message["Body"]) for message in received]


def test_a_queue_gets_the_document_as_the_body_of_a_message(services: str) -> None:
    queues = client("sqs", services)
    url = queues.create_queue(QueueName="failed")["QueueUrl"]
    assert deliver(all_at(services), QUEUE, QUEUE) == [None, None]
    assert messages(queues, url) == [DOCUMENT, DOCUMENT]
    queues.close()


def test_a_topic_gets_the_document_as_a_message(services: str) -> None:
    queues, topics = client("sqs", services), client("sns", services)
    url = queues.create_queue(QueueName="subscriber")["QueueUrl"]
    assert topics.create_topic(Name="failed")["TopicArn"] == TOPIC
    queue = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:subscriber"
    topics.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=queue)
    assert deliver(all_at(services), TOPIC) == [None]
    assert [json.loads(message["Message"]) for message in messages(queues, url)] == [DOCUMENT]
    queues.close()
    topics.close()


def test_a_bucket_gets_an_object_with_document_and_event(services: str) -> None:
    buckets = client("s3", services)
    buckets.create_bucket(
        Bucket="failed", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    assert deliver(all_at(services), BUCKET) == [None]
    found = buckets.get_object(Bucket="failed", Key=KEY)
    assert json.loads(found["Body"].read()) == WHOLE
    assert found["ContentType"] == "application/json"
    buckets.close()


@pytest.mark.parametrize(
    ("destination", "told"),
    [
        (QUEUE + "-not-there", "queue does not exist"),
        (TOPIC + "-not-there", "(NotFound)"),
        (BUCKET + "-not-there", "bucket does not exist"),
    ],
)
def test_what_is_not_there_is_told(services: str, destination: str, told: str) -> None:
    (failure,) = deliver(all_at(services), destination)
    assert isinstance(failure, DeliveryFailed)
    assert str(failure).startswith(f"{destination} did not take it: ")
    assert told in str(failure)
    assert "\n" not in str(failure)


@pytest.mark.parametrize(
    ("destination", "told"),
    [
        (QUEUE, "runs without --sqs-endpoint"),
        (TOPIC, "runs without --sns-endpoint"),
        (BUCKET, "runs without --s3-endpoint"),
        ("kafka://failed", "runs without --kafka-brokers"),
        ("file://failed.jsonl", "no directory of data"),
        ("nonsense", "is no destination"),
    ],
)
def test_what_the_server_cannot_reach_is_told(destination: str, told: str) -> None:
    (failure,) = deliver(Destinations(Endpoints()), destination)
    assert isinstance(failure, DeliveryFailed)
    assert told in str(failure)


@pytest.mark.parametrize("destination", [QUEUE, TOPIC, BUCKET])
def test_an_endpoint_where_nobody_listens_is_told(destination: str) -> None:
    (failure,) = deliver(all_at(f"http://127.0.0.1:{refused_port()}"), destination)
    assert isinstance(failure, DeliveryFailed)
    assert "Could not connect to the endpoint URL" in str(failure)


@pytest.mark.parametrize("destination", [QUEUE, TOPIC, BUCKET])
def test_an_endpoint_that_never_answers_is_given_up(
    destination: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "destination_read_seconds_max", 0.1)
    with silent_port() as port:
        (failure,) = deliver(all_at(f"http://127.0.0.1:{port}"), destination)
    assert isinstance(failure, DeliveryFailed)
    assert "Read timeout" in str(failure)


def test_no_delivery_is_waited_for_longer_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """More hang than there are threads: those that wait for one are given up as well."""
    monkeypatch.setattr(limits, "destination_seconds_max", 1.0)
    monkeypatch.setattr(limits, "destination_read_seconds_max", 2.0)
    monkeypatch.setattr(limits, "destination_calls_max", 1)
    hanging = [QUEUE] * (limits.destination_threads_max + 2)
    with silent_port() as port:
        failures = deliver(all_at(f"http://127.0.0.1:{port}"), *hanging)
    assert all(isinstance(failure, DeliveryFailed) for failure in failures)
    assert {str(failure) for failure in failures} == {f"{QUEUE} did not take it within 1 s"}


def test_what_hangs_in_one_kind_delays_no_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(limits, "destination_read_seconds_max", 1.0)
    threads = limits.destination_threads_max

    async def run() -> list[bool]:
        with silent_port() as port:
            endpoints = Endpoints(sqs=f"http://127.0.0.1:{port}", failures=tmp_path)
            destinations = Destinations(endpoints)
            hanging = [
                asyncio.create_task(destinations.deliver(QUEUE, DOCUMENT, PAYLOAD, KEY))
                for _ in range(threads * 8)  # each thread has eight seconds of them
            ]
            await asyncio.sleep(0)  # they have begun
            await destinations.deliver("file://failed.jsonl", DOCUMENT, PAYLOAD, KEY)
            unfinished = [not task.done() for task in hanging]
            destinations.close()
            await asyncio.gather(*hanging, return_exceptions=True)
            return unfinished

    assert any(asyncio.run(run()))
    assert len((tmp_path / "failed.jsonl").read_text().splitlines()) == 1


class _Noting(http.server.BaseHTTPRequestHandler):
    """Notes how a request was signed, and refuses it."""

    signed: list[str]

    def do_PUT(self) -> None:
        self.signed.append(self.headers["Authorization"])
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_error(403)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


@pytest.mark.parametrize("key", ["", "AKIAMINE"])
def test_requests_are_signed_with_what_the_environment_has(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if key:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    signed: list[str] = []
    handler = type("Handler", (_Noting,), {"signed": signed})
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        (failure,) = deliver(all_at(f"http://127.0.0.1:{server.server_port}"), BUCKET)
        server.shutdown()
        thread.join()
    assert isinstance(failure, DeliveryFailed)
    assert "403" in str(failure)
    assert f"Credential={key or 'penstock'}/" in signed[0]
    assert "/eu-west-1/s3/" in signed[0], "the region of the function"


# The client of Kafka uses what Python 3.11 wants replaced, and leaves connections to the collector.
@pytest.mark.filterwarnings("ignore:.*_text is deprecated:DeprecationWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("listens", [False, True])
def test_brokers_that_are_down_are_given_up(listens: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "kafka_wait_seconds_max", 0.3)
    with silent_port() as silent:
        broker = f"127.0.0.1:{silent if listens else refused_port()}"
        destinations = Destinations(Endpoints(kafka=(broker,)))
        (failure,) = deliver(destinations, "kafka://failed")
        open_files = len(list(Path("/dev/fd").iterdir()))
        for _ in range(3):
            deliver(destinations, "kafka://failed")
        gc.collect()
        assert len(list(Path("/dev/fd").iterdir())) <= open_files
        assert not [each.name for each in threading.enumerate() if "kafka-python" in each.name]
        destinations.close()
    assert isinstance(failure, DeliveryFailed)
    assert str(failure).startswith("kafka://failed did not take it: KafkaTimeoutError")


def test_closing_gives_up_what_waits_for_a_thread_and_is_safe_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "destination_threads_max", 1)
    monkeypatch.setattr(limits, "destination_read_seconds_max", 0.5)

    async def run() -> list[BaseException | None]:
        with silent_port() as port:
            destinations = all_at(f"http://127.0.0.1:{port}")
            sent = [
                asyncio.create_task(destinations.deliver(QUEUE, DOCUMENT, PAYLOAD, KEY))
                for _ in range(3)
            ]
            await asyncio.sleep(0)  # they have begun
            destinations.close()
            destinations.close()
            sent.append(asyncio.create_task(destinations.deliver(QUEUE, DOCUMENT, PAYLOAD, KEY)))
            return await asyncio.gather(*sent, return_exceptions=True)

    first, *others = asyncio.run(run())
    assert isinstance(first, DeliveryFailed), "it was under way"
    assert [str(failure) for failure in others] == [
        f"{QUEUE} did not take it: the server stops"
    ] * 3
    assert all(isinstance(failure, DeliveryFailed) for failure in others)


def test_who_waits_for_a_delivery_can_be_cancelled() -> None:
    async def run() -> BaseException | None:
        with silent_port() as port:
            destinations = all_at(f"http://127.0.0.1:{port}")
            sent = asyncio.create_task(destinations.deliver(QUEUE, DOCUMENT, PAYLOAD, KEY))
            await asyncio.sleep(0)
            sent.cancel()
            destinations.close()
            (failure,) = await asyncio.gather(sent, return_exceptions=True)
            return failure

    assert isinstance(asyncio.run(run()), asyncio.CancelledError)


def test_no_client_is_loaded_before_it_is_needed() -> None:
    """A server whose mappings have no destination pays for none."""
    code = (
        "import sys, penstock.consumers.destinations as it\n"
        "it.Destinations(it.Endpoints()).close()\n"
        "assert not {'boto3', 'botocore', 'kafka'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
