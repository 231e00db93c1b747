"""GetEventSourceMapping: a mapping as it is, and ids that are none."""

from collections.abc import Callable
from typing import Any

from wire.aws_lambda.mapping_requests import UNKNOWN_ID, answer_without_metadata

PATH = "/2015-03-31/event-source-mappings"


def test_an_id_that_cannot_be_one(functions: Any, refused: Callable[..., str]) -> None:
    """An id has 36 characters."""
    text = refused("ValidationException", functions.get_event_source_mapping, UUID="abc")
    assert text.startswith("1 validation error detected: Value 'abc' at 'uUID' failed to satisfy")


def test_an_id_that_nothing_has(rest: Callable[..., Any]) -> None:
    """Not found, with the text in the member that AWS uses for it."""
    answer = rest("GET", f"{PATH}/{UNKNOWN_ID}")
    assert answer.status == 404
    assert answer.headers["x-amzn-errortype"] == "ResourceNotFoundException"
    assert answer.json == {
        "Type": "User",
        "Message": "The resource you requested does not exist.",
    }


def test_it_shows_what_was_made(functions: Any, new_mapping: Callable[..., dict[str, Any]]) -> None:
    """All that Create answered with; only the state may have gone on."""
    made = answer_without_metadata(new_mapping(BatchSize=7))
    answer = functions.get_event_source_mapping(UUID=made["UUID"])
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    found = answer_without_metadata(answer)
    assert found.keys() == made.keys()
    moving = ("State", "StateTransitionReason", "LastModified")
    assert {**found, **dict.fromkeys(moving)} == {**made, **dict.fromkeys(moving)}


def test_a_mapping_is_of_its_region(
    make_client: Callable[..., Any],
    new_mapping: Callable[..., dict[str, Any]],
    refused: Callable[..., str],
) -> None:
    """Another region does not have it."""
    elsewhere = make_client("lambda", "eu-west-1")
    uuid = new_mapping()["UUID"]
    refused("ResourceNotFoundException", elsewhere.get_event_source_mapping, UUID=uuid)
