"""DeleteEventSourceMapping: a mapping goes, and its source and function are free again."""

from collections.abc import Callable
from typing import Any

from wire.aws_lambda.mapping_requests import (
    UNKNOWN_ID,
    answer_without_metadata,
    gone,
    settled,
)


def test_ids_that_are_none(functions: Any, refused: Callable[..., str]) -> None:
    """An id that nothing has is not found."""
    call = functions.delete_event_source_mapping
    text = refused("ResourceNotFoundException", call, UUID=UNKNOWN_ID)
    assert text == "The resource you requested does not exist."
    assert "'uUID'" in refused("ValidationException", call, UUID="abc")


def test_a_mapping_goes(
    functions: Any, new_mapping: Callable[..., dict[str, Any]], refused: Callable[..., str]
) -> None:
    """The answer is the mapping, Deleting; then it is gone, and another can be made."""
    uuid = new_mapping()["UUID"]
    before = answer_without_metadata(settled(functions, uuid))
    answer = functions.delete_event_source_mapping(UUID=uuid)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    changed = {
        "State": "Deleting",
        "StateTransitionReason": "User action",
        "LastModified": answer["LastModified"],
    }
    assert answer_without_metadata(answer) == before | changed
    gone(functions, uuid)
    refused("ResourceNotFoundException", functions.delete_event_source_mapping, UUID=uuid)
    assert new_mapping()["UUID"] != uuid
