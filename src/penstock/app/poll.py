"""`penstock poll`: run one event source mapping alone, beside any endpoint of DynamoDB Streams.

Reads a stream of DynamoDB Local, AWS or another Penstock, and calls a function at a URL or by
Lambda's API, with every option that a mapping has. boto3, rich and the engine of the checkpoints
are imported by `run` only, so that the other commands start quickly. Exit codes: 0 told to stop and
stopped, 1 an error, 2 not understood; either is told in one line on stderr.
"""

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from penstock.app.settings import SETTINGS
from penstock.base import limits
from penstock.functions.remote_function import BadRemoteFunction, parse_remote_function

DESTINATION_SETTINGS = tuple(
    setting
    for setting in SETTINGS
    if setting.name in {"sqs_endpoint", "sns_endpoint", "s3_endpoint", "kafka_brokers"}
)
"""What a server is told of destinations is told here in the same way."""

DEFAULT_CHECKPOINTS = Path("penstock-poll")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `penstock poll` to `parser`."""
    _add_places(parser)
    _add_batches(parser)
    _add_failures(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the mapping until told to stop; return the exit code."""
    from penstock.app.poll_run import poll  # noqa: PLC0415 - loads boto3 and rich

    return poll(arguments)


def _add_places(parser: argparse.ArgumentParser) -> None:
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument(
        "--stream-endpoint", metavar="URL", help="any endpoint that speaks DynamoDB Streams"
    )
    place.add_argument(
        "--aws",
        action="store_const",
        dest="stream_endpoint",
        const=None,
        help="read at Amazon's own endpoint of the region, with your AWS credentials",
    )
    stream = parser.add_mutually_exclusive_group(required=True)
    stream.add_argument("--stream-arn", metavar="ARN", type=_stream_arn, help="the stream to read")
    stream.add_argument("--table", metavar="NAME", help="the table whose stream is to be read")
    parser.add_argument(
        "--function",
        metavar="URL",
        required=True,
        type=_function,
        help="what to call: http(s)://… by POST, or lambda://NAME?endpoint=URL&region=R by Invoke",
    )
    parser.add_argument(
        "--function-name",
        metavar="NAME",
        type=_function_name,
        help="the function's name in its ARN and beside the checkpoints (default: made of its URL)",
    )
    _add_number(
        parser, "--function-seconds", 1, limits.function_seconds_max, "that a call may take", "900"
    )
    parser.add_argument(
        "--region",
        metavar="REGION",
        help="region of the stream (default: that of its ARN or of your AWS configuration, "
        "else us-east-1 for a server on this machine)",
    )
    parser.add_argument(
        "--checkpoints",
        metavar="DIRECTORY",
        type=_directory,
        default=DEFAULT_CHECKPOINTS,
        help="where it is kept how far it has come, in clear text (default: ./%(default)s)",
    )


def _add_batches(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--starting-position",
        choices=("TRIM_HORIZON", "LATEST"),
        default="TRIM_HORIZON",
        help="where to begin without a checkpoint: with the oldest record that is kept, or with "
        "the next one (default: %(default)s)",
    )
    _add_number(
        parser, "--batch-size", 1, limits.mapping_batch_records_max, "records of a call", "100"
    )
    _add_number(
        parser,
        "--maximum-batching-window-in-seconds",
        0,
        limits.mapping_batch_window_seconds_max,
        "seconds to gather a batch",
        "0",
    )
    _add_number(
        parser,
        "--parallelization-factor",
        1,
        limits.mapping_lanes_max,
        "batches of a shard at once, in order for each partition key",
        "1",
    )
    _add_number(
        parser,
        "--tumbling-window-in-seconds",
        0,
        limits.mapping_tumbling_window_seconds_max,
        "length of the windows over which the function keeps a state; 0 for none",
        "0",
    )
    parser.add_argument(
        "--filter",
        metavar="PATTERN",
        action="append",
        default=[],
        help="only records that match this pattern, or another one that is given; may be given "
        f"{limits.mapping_filters_max} times",
    )


def _add_failures(parser: argparse.ArgumentParser) -> None:
    _add_number(
        parser,
        "--maximum-retry-attempts",
        -1,
        limits.mapping_retries_max,
        "how often a failed batch is sent again; -1 for as long as its records are kept",
        "-1",
    )
    parser.add_argument(
        "--maximum-record-age-in-seconds",
        metavar="N",
        type=_record_age,
        default=-1,
        help="how old a record may become; -1 for any age (default: -1)",
    )
    parser.add_argument(
        "--bisect-batch-on-function-error",
        action="store_true",
        help="split a batch in two when it fails",
    )
    parser.add_argument(
        "--report-batch-item-failures",
        action="store_true",
        help="let the function say which records of a batch have failed",
    )
    parser.add_argument(
        "--on-failure",
        metavar="DESTINATION",
        help="where batches are told that are given up: the ARN of a queue, topic or bucket, "
        "kafka://TOPIC, or file://NAME.jsonl in the directory of the checkpoints",
    )
    for setting in DESTINATION_SETTINGS:
        parser.add_argument(
            setting.flag, metavar=setting.unit, help=f"{setting.help}; or {setting.variable}"
        )


def _add_number(
    parser: argparse.ArgumentParser, flag: str, low: int, high: int, told: str, default: str
) -> None:
    parser.add_argument(
        flag,
        metavar="N",
        type=_whole(low, high),
        default=default,
        help=f"{told}, from {low} to {high} (default: %(default)s)",
    )


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,9}", text) or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {low} to {high}")
        return int(text)

    return read


def _record_age(text: str) -> int:
    low, high = limits.mapping_record_age_seconds_min, limits.mapping_record_age_seconds_max
    if text == "-1":
        return -1
    try:
        return _whole(low, high)(text)
    except argparse.ArgumentTypeError:
        told = f"{text!r} is neither -1 nor a whole number from {low} to {high}"
        raise argparse.ArgumentTypeError(told) from None


def _stream_arn(text: str) -> str:
    if not re.fullmatch(r"arn:[\w-]+:dynamodb:[\w-]+:[0-9]{12}:table/[\w.-]+/stream/\S+", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not the ARN of a stream of DynamoDB")
    return text


def _function(text: str) -> Any:
    try:
        return parse_remote_function(text)
    except BadRemoteFunction as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _function_name(text: str) -> str:
    if not re.fullmatch(rf"[A-Za-z0-9_-]{{1,{limits.function_name_chars_max}}}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of a function")
    return text


def _directory(text: str) -> Path:
    if not text or "\0" in text:
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of a directory")
    return Path(text)
