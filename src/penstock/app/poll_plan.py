"""What `penstock poll` is to do, out of its arguments: the mapping, and what else it needs."""

import argparse
import hashlib
import re
from typing import Any, NamedTuple

import msgspec

from penstock.base import limits
from penstock.functions.destination import BadDestination, Endpoints, parse_destination
from penstock.functions.filters import BadPattern, compile_filters
from penstock.functions.mapping import Mapping, StartingPosition
from penstock.functions.remote_function import LambdaFunction, RemoteFunction

_DIGEST_CHARS = 8
_SETTINGS = {
    "batch_size": "batch_size",
    "maximum_batching_window_in_seconds": "batching_window_seconds",
    "parallelization_factor": "parallelization_factor",
    "maximum_record_age_in_seconds": "record_age_seconds_max",
    "maximum_retry_attempts": "retry_attempts_max",
    "bisect_batch_on_function_error": "bisects",
    "tumbling_window_in_seconds": "tumbling_window_seconds",
    "report_batch_item_failures": "reports_item_failures",
    "on_failure": "failure_destination",
}
"""The mapping's fields by the arguments that give them as they are."""


class BadPlan(Exception):
    """Arguments that make no sense; the text says which and why, in one line."""


class Plan(NamedTuple):
    """What a mapping is to be like, whatever stream it reads."""

    function_name: str
    function: RemoteFunction
    settings: dict[str, Any]
    starting_position: StartingPosition


def plan_of(arguments: argparse.Namespace, endpoints: Endpoints) -> Plan:
    """Return what `arguments` of `penstock poll` ask for; BadPlan where that cannot be."""
    settings = {field: getattr(arguments, name) for name, field in _SETTINGS.items()}
    if settings["tumbling_window_seconds"] and settings["parallelization_factor"] > 1:
        raise BadPlan(
            "--tumbling-window-in-seconds and a --parallelization-factor above 1 exclude each other"
        )
    settings["patterns"] = _patterns(arguments.filter)
    if arguments.on_failure is not None:
        try:
            refusal = endpoints.refusal(parse_destination(arguments.on_failure))
        except BadDestination as error:
            refusal = str(error)
        if refusal is not None:
            raise BadPlan(f"--on-failure {arguments.on_failure!r}: {refusal}")
    name = arguments.function_name or name_of(arguments.function)
    return Plan(name, arguments.function, settings, arguments.starting_position)


def mapping_as_planned(plan: Plan, known: Mapping, now_ms: int) -> Mapping:
    """Return the mapping, enabled, with the settings of the plan; where it begins stays."""
    changed = {"enabled": True, "state": "Enabling", "modified_ms": now_ms}
    generation = known.generation + 1
    return msgspec.structs.replace(known, **plan.settings, **changed, generation=generation)


def function_arn(plan: Plan, stream_arn: str) -> str:
    """Return the ARN of the plan's function, made of the stream's."""
    _, partition, _, region, account, _ = stream_arn.split(":", 5)
    return f"arn:{partition}:lambda:{region}:{account}:function:{plan.function_name}"


def region_of(stream_arn: str) -> str:
    """Return the region that an ARN names."""
    return stream_arn.split(":")[3]


def table_of(stream_arn: str) -> str:
    """Return the name of the table that a stream is of."""
    return stream_arn.split("/")[1]


def name_of(function: RemoteFunction) -> str:
    """Return the name of a function: its own, or one made of its URL, always the same."""
    if isinstance(function, LambdaFunction):
        parts = function.name.split(":")
        return parts[6] if len(parts) > 6 else parts[0]
    text = function.url.partition("://")[2]
    name = re.sub(r"[^A-Za-z0-9_]+", "-", text).strip("-") or "function"
    if len(name) > limits.function_name_chars_max:
        digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_CHARS]
        name = f"{name[: limits.function_name_chars_max - len(digest) - 1]}-{digest}"
    return name


def _patterns(given: list[str]) -> tuple[str, ...]:
    if len(given) > limits.mapping_filters_max:
        raise BadPlan(f"--filter may be given {limits.mapping_filters_max} times at most")
    for pattern in given:
        if len(pattern) > limits.filter_pattern_chars_max:
            raise BadPlan(
                f"--filter: a pattern has {limits.filter_pattern_chars_max} characters at most"
            )
        try:
            compile_filters([pattern])
        except BadPattern as error:
            raise BadPlan(f"--filter {pattern!r}: {error}") from None
    return tuple(given)
