"""Requests against the model of AWS's own SDK: no parameter that it has is dropped in silence.

A parameter is read and honoured, or read and refused by name. When an SDK with new parameters comes
into the lock, this says which.
"""

from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest

from penstock.operations import cloudwatch_logs, dynamodb, dynamodb_streams
from penstock.operations.registry import ACTIONS, LOG_ACTIONS, REST_ACTIONS
from penstock.wire.shapes import Integer, ListOf, MapOf, Shape, String, Structure

SERVICES = {
    dynamodb.TARGET: "dynamodb",
    dynamodb_streams.TARGET: "dynamodbstreams",
    cloudwatch_logs.TARGET: "logs",
}
ALL = {**ACTIONS, cloudwatch_logs.TARGET: LOG_ACTIONS}

ANYTHING = r"[\s\S]*"


def model_of(target: str) -> Any:
    return botocore.session.get_session().get_service_model(SERVICES[target])


def dropped(model: Any, ours: Shape, path: str) -> Iterator[str]:
    """Find what the model has and our shape does not, at `path` and below."""
    if isinstance(ours, Structure):
        members = {name: member for name, _, member in ours._members}
        for in_sdk, below in model.members.items():
            name = in_sdk if in_sdk in members else below.serialization.get("name", in_sdk)
        for member, below in model.members.items():
            in_query = below.serialization.get("location") == "querystring"
            name = below.serialization["name"] if in_query else member  # as it is sent
            if name not in members:
                yield f"{path}.{name}"
            elif members[name].later is None:
                yield from dropped(below, members[name].shape, f"{path}.{name}")
    elif isinstance(ours, ListOf):
        yield from dropped(model.member, ours._member, f"{path}[]")
    elif isinstance(ours, MapOf):
        yield from dropped(model.value, ours._member, f"{path}{{}}")


@pytest.mark.parametrize(
    ("target", "action"), [(target, name) for target in ALL for name in ALL[target]]
)
def test_no_parameter_of_the_model_is_dropped(target: str, action: str) -> None:
    """Every member of every request of the model is a member of ours."""
    model = model_of(target).operation_model(action).input_shape
    assert list(dropped(model, ALL[target][action].SHAPE, action)) == []


@pytest.mark.parametrize("action", REST_ACTIONS)
def test_no_parameter_of_the_model_of_lambda_is_dropped(action: str) -> None:
    """The same of Lambda."""
    model = botocore.session.get_session().get_service_model("lambda")
    shape = model.operation_model(action).input_shape
    assert list(dropped(shape, REST_ACTIONS[action].SHAPE, action)) == []


def judged_otherwise(model: Any, ours: Shape, path: str) -> Iterator[str]:
    """Find what the model allows and our shape does not, or the converse, at `path` and below."""
    bounds = (model.metadata.get("min"), model.metadata.get("max"))
    if isinstance(ours, Structure):
        for name, _, member in ours._members:
            yield from judged_otherwise(model.members[name], member.shape, f"{path}.{name}")
    elif isinstance(ours, ListOf):
        if (ours._length.low, ours._length.high) != bounds:
            yield f"{path}: {bounds}"
        yield from judged_otherwise(model.member, ours._member, f"{path}[]")
    elif isinstance(ours, Integer):
        if (ours._low, ours._high) != bounds:
            yield f"{path}: {bounds}"
    elif isinstance(ours, String):
        if (ours._length.low, ours._length.high) != bounds:
            yield f"{path}: {bounds}"
        if list(ours._values or ()) != list(model.metadata.get("enum", ())):
            yield f"{path}: {model.metadata['enum']}"
        pattern = model.metadata.get("pattern")
        if pattern != ours._pattern and pattern != ANYTHING:
            yield f"{path}: {pattern}"


@pytest.mark.parametrize("action", [name for name in REST_ACTIONS if "EventSource" in name])
def test_mappings_are_judged_as_the_model_says(action: str) -> None:
    """Lengths, bounds, patterns and values of event source mappings are the model's own."""
    model = botocore.session.get_session().get_service_model("lambda")
    shape = model.operation_model(action).input_shape
    assert list(judged_otherwise(shape, REST_ACTIONS[action].SHAPE, action)) == []
