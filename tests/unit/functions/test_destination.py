"""Destinations: each kind with its parts, and what is none."""

import pytest

from penstock.functions.destination import BadDestination, Destination, parse_destination

QUEUE = "arn:aws:sqs:us-east-2:123456789012:failed-batches"
TOPIC = "arn:aws-us-gov:sns:us-gov-west-1:123456789012:failed_batches"


@pytest.mark.parametrize(
    ("text", "kind", "name", "region", "account"),
    [
        (QUEUE, "sqs", "failed-batches", "us-east-2", "123456789012"),
        (TOPIC, "sns", "failed_batches", "us-gov-west-1", "123456789012"),
        ("arn:aws:s3:::my.bucket-1", "s3", "my.bucket-1", "", ""),
        ("kafka://failed.batches_1-a", "kafka", "failed.batches_1-a", "", ""),
        ("file://orders.jsonl", "file", "orders.jsonl", "", ""),
        ("file:///var/lib/orders.jsonl", "file", "/var/lib/orders.jsonl", "", ""),
    ],
)
def test_each_kind_has_its_parts(
    text: str, kind: str, name: str, region: str, account: str
) -> None:
    assert parse_destination(text) == Destination(kind, text, name, region, account)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "neither an ARN"),
        ("orders", "neither an ARN"),
        ("arn:aws:sqs:us-east-2:1:q", "neither an ARN"),
        ("arn:aws:sqs:us-east-2::q", "names a region and an account"),
        ("arn:aws:sqs::123456789012:q", "names a region and an account"),
        ("arn:aws:s3:us-east-2::bucket", "neither region nor account"),
        ("arn:aws:s3:::Bucket", "not a name that s3 knows"),
        ("arn:aws:s3:::bucket/key", "not a name that s3 knows"),
        ("arn:aws:lambda:us-east-2:123456789012:function:f", "none of sqs, sns and s3"),
        ("arn:aws:events:us-east-2:123456789012:event-bus/b", "none of sqs, sns and s3"),
        (QUEUE + ".fifo", "FIFO"),
        (QUEUE + "!", "not a name that sqs knows"),
        (QUEUE + "\n", "neither an ARN"),
        ("kafka://", "not the name of a topic"),
        ("kafka://.hidden", "not the name of a topic"),
        ("kafka://a/b", "not the name of a topic"),
        ("kafka://" + "a" * 250, "not the name of a topic"),
        ("file://", "not the name of a file"),
        ("file://orders.json", "not the name of a file"),
        ("file://.jsonl", "not the name of a file"),
        ("file://../orders.jsonl", "neither one name nor an absolute path"),
        ("file://a/orders.jsonl", "neither one name nor an absolute path"),
        ("file:///var/../etc/orders.jsonl", "neither one name nor an absolute path"),
        ("file:///var/\0/orders.jsonl", "neither one name nor an absolute path"),
        ("file:///" + "a/" * 170 + "orders.jsonl", "more than 350 characters"),
    ],
)
def test_what_is_none_is_told_why(text: str, told: str) -> None:
    with pytest.raises(BadDestination, match=told):
        parse_destination(text)
