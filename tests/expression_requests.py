"""Requests with one expression, and what comes of them."""

import re
from typing import Any

import pytest

from penstock.base.errors.api import ApiError
from penstock.items.expressions import (
    Condition,
    KeyCondition,
    Prepared,
    Projection,
    Update,
    prepare,
)

VALUES: dict[str, Any] = {
    ":s": {"S": "b"},
    ":n": {"N": "5"},
    ":b": {"B": "YmI="},
    ":t": {"BOOL": True},
    ":null": {"NULL": True},
    ":ss": {"SS": ["a", "b"]},
    ":ns": {"NS": ["1", "5"]},
    ":bs": {"BS": ["YmI="]},
    ":l": {"L": [{"S": "b"}, {"N": "5"}]},
    ":m": {"M": {"x": {"N": "5"}}},
    ":one": {"N": "1"},
    ":ten": {"N": "10"},
    ":a": {"S": "a"},
    ":c": {"S": "c"},
}


def given(
    kind: str,
    text: str,
    names: dict[str, str] | None = None,
    values: dict[str, Any] | None = None,
) -> Prepared:
    """Prepare a request with one expression; values that it names come from `VALUES`."""
    if values is None:
        used = re.findall(r":[a-z]+", text)
        values = {placeholder: VALUES[placeholder] for placeholder in used if placeholder in VALUES}
    request: dict[str, Any] = {kind: text}
    if names:
        request["ExpressionAttributeNames"] = names
    if values:
        request["ExpressionAttributeValues"] = values
    return prepare(request, (kind,))


def refusal_of(kind: str, text: str, **placeholders: Any) -> str:
    """Return the text of the ValidationException that an expression meets, without its opening."""
    with pytest.raises(ApiError) as refused:
        given(kind, text, **placeholders)
    assert refused.value.code == "ValidationException"
    assert refused.value.message is not None
    opening = f"Invalid {kind}: "
    assert refused.value.message.startswith(opening)
    return refused.value.message.removeprefix(opening)


def condition(text: str, **placeholders: Any) -> Condition:
    """Return the condition that `text` is."""
    prepared = given("ConditionExpression", text, **placeholders).condition
    assert prepared is not None
    return prepared


def update(text: str, **placeholders: Any) -> Update:
    """Return the update that `text` is."""
    prepared = given("UpdateExpression", text, **placeholders).update
    assert prepared is not None
    return prepared


def projection(text: str, **placeholders: Any) -> Projection:
    """Return the projection that `text` is."""
    prepared = given("ProjectionExpression", text, **placeholders).projection
    assert prepared is not None
    return prepared


def key_condition(text: str, **placeholders: Any) -> KeyCondition:
    """Return the key condition that `text` is."""
    prepared = given("KeyConditionExpression", text, **placeholders).key_condition
    assert prepared is not None
    return prepared
