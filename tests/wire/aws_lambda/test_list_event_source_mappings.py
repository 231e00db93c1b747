"""ListEventSourceMappings: those of a source or a function, page by page."""

from collections.abc import Callable
from typing import Any

import pytest

from wire.aws_lambda.conftest import Ground
from wire.aws_lambda.mapping_requests import function_arn

PATH = "/2015-03-31/event-source-mappings"
ITEMS = "1 validation error detected: Value '{}' at 'maxItems' failed to satisfy constraint: Member"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "must have value greater than or equal to 1"),
        (10_001, "must have value less than or equal to 10000"),
    ],
)
def test_pages_of_no_size(
    functions: Any, refused: Callable[..., str], count: int, text: str
) -> None:
    """MaxItems is from 1 to 10,000."""
    given = refused("ValidationException", functions.list_event_source_mappings, MaxItems=count)
    assert given == f"{ITEMS.format(count)} {text}"


def test_a_size_that_is_no_number(rest: Callable[..., Any]) -> None:
    answer = rest("GET", f"{PATH}?MaxItems=many")
    assert answer.status == 400
    assert answer.headers["x-amzn-errortype"] == "SerializationException"


def test_names_that_are_none(functions: Any, refused: Callable[..., str]) -> None:
    """The patterns of sources, functions and markers."""
    call = functions.list_event_source_mappings
    assert "'eventSourceArn'" in refused("ValidationException", call, EventSourceArn="orders")
    assert "'functionName'" in refused("ValidationException", call, FunctionName="a b")
    text = refused("InvalidParameterValueException", call, Marker="?")
    assert text == "Invalid value for parameter Marker"


def test_lists_by_source_and_function(
    functions: Any,
    ddb: Any,
    ground: Ground,
    new_function: Callable[[], str],
    new_mapping: Callable[..., dict[str, Any]],
) -> None:
    """By either or both; a function without a version does not mean its versions."""
    version = functions.publish_version(FunctionName=ground.function)["Version"]
    name, arn = ground.function, function_arn(ground.function)
    plain = new_mapping()["UUID"]
    versioned = new_mapping(FunctionName=f"{name}:{version}")["UUID"]
    other_name = new_function()
    other = new_mapping(FunctionName=other_name)["UUID"]

    def listed(**request: Any) -> set[str]:
        answer = functions.list_event_source_mappings(**request)
        return {each["UUID"] for each in answer["EventSourceMappings"]}

    assert listed(EventSourceArn=ground.stream) == {plain, versioned, other}
    assert listed(FunctionName=name) == listed(FunctionName=arn) == {plain}
    assert listed(FunctionName=f"{name}:{version}") == {versioned}
    assert listed(FunctionName=f"{arn}:{version}") == {versioned}
    assert listed(FunctionName=other_name, EventSourceArn=ground.stream) == {other}
    assert listed(FunctionName=name, EventSourceArn=f"{ground.stream}0") == set()
    assert listed(FunctionName="none-of-this-name") == set()


def test_pages(
    functions: Any,
    ground: Ground,
    new_function: Callable[[], str],
    new_mapping: Callable[..., dict[str, Any]],
) -> None:
    """Every mapping comes once, and the SDK's paginator finds all of them."""
    made = [new_mapping()["UUID"]]
    made += [new_mapping(FunctionName=new_function())["UUID"] for _ in range(4)]
    pages = functions.get_paginator("list_event_source_mappings").paginate(
        EventSourceArn=ground.stream, PaginationConfig={"PageSize": 2}
    )
    sizes, found = [], []
    for page in pages:
        sizes.append(len(page["EventSourceMappings"]))
        found += [each["UUID"] for each in page["EventSourceMappings"]]
        assert ("NextMarker" in page) == (len(found) < len(made))
    assert sizes == [2, 2, 1]
    assert found == sorted(made)
