"""Requests against the model of AWS's own SDK: no parameter that it has is dropped in silence.

A parameter is read and honoured, or read and refused by name. When an SDK with new parameters comes
into the lock, this says which.
"""

from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest

from penstock.operations import dynamodb, dynamodb_streams
from penstock.operations.registry import ACTIONS
from penstock.wire.shapes import ListOf, MapOf, Shape, Structure

SERVICES = {dynamodb.TARGET: "dynamodb", dynamodb_streams.TARGET: "dynamodbstreams"}


def model_of(target: str) -> Any:
    return botocore.session.get_session().get_service_model(SERVICES[target])


def dropped(model: Any, ours: Shape, path: str) -> Iterator[str]:
    """Find what the model has and our shape does not, at `path` and below."""
    if isinstance(ours, Structure):
        members = {name: member for name, _, member in ours._members}
        for name, below in model.members.items():
            if name not in members:
                yield f"{path}.{name}"
            elif members[name].later is None:
                yield from dropped(below, members[name].shape, f"{path}.{name}")
    elif isinstance(ours, ListOf):
        yield from dropped(model.member, ours._member, f"{path}[]")
    elif isinstance(ours, MapOf):
        yield from dropped(model.value, ours._member, f"{path}{{}}")


@pytest.mark.parametrize(
    ("target", "action"), [(target, name) for target in ACTIONS for name in ACTIONS[target]]
)
def test_no_parameter_of_the_model_is_dropped(target: str, action: str) -> None:
    """Every member of every request of the model is a member of ours."""
    model = model_of(target).operation_model(action).input_shape
    assert list(dropped(model, ACTIONS[target][action].SHAPE, action)) == []
