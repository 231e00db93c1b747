"""Requests of event source mappings, and waiting until a mapping has settled."""

import time
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from wire.clients import REGION

SETTLED = ("Enabled", "Disabled")
CHANGING = ("Creating", "Updating", "Enabling", "Disabling", "Deleting")
_SETTLE_SECONDS_MAX = 60.0
_LOOK_SECONDS = 0.05
UNKNOWN_ID = str(uuid.UUID(int=0, version=4))


def settled(functions: Any, mapping: str) -> dict[str, Any]:
    """Return a mapping once it is Enabled or Disabled, which the engine of mappings sees to."""
    ends = time.monotonic() + _SETTLE_SECONDS_MAX
    while True:
        answer: dict[str, Any] = functions.get_event_source_mapping(UUID=mapping)
        if answer["State"] in SETTLED:
            return answer
        assert answer["State"] in CHANGING
        if time.monotonic() > ends:
            pytest.fail(f"the mapping is still {answer['State']}")
        time.sleep(_LOOK_SECONDS)


def gone(functions: Any, mapping: str) -> None:
    """Return once a mapping that is Deleting is no longer there."""
    ends = time.monotonic() + _SETTLE_SECONDS_MAX
    while True:
        try:
            answer = functions.get_event_source_mapping(UUID=mapping)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ResourceNotFoundException"
            return
        assert answer["State"] == "Deleting"
        if time.monotonic() > ends:
            pytest.fail("the mapping is still Deleting")
        time.sleep(_LOOK_SECONDS)


def function_arn(name: str) -> str:
    """Return the ARN of a function."""
    return f"arn:aws:lambda:{REGION}:000000000000:function:{name}"


def answer_without_metadata(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the members that the service answered with."""
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}
