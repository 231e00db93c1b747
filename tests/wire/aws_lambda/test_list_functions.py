"""ListFunctions: all functions of a region, in pages."""

import uuid
from typing import Any

import pytest

from wire.aws_lambda.code import parameters


@pytest.fixture
def region(make_client: Any) -> Any:
    """A client of a region that no other test uses."""
    return make_client("lambda", f"test-{uuid.uuid4().hex[:8]}")


def test_a_region_without_functions_has_none(region: Any) -> None:
    answer = region.list_functions()
    assert answer["Functions"] == []
    assert "NextMarker" not in answer


def test_pages_hold_every_function_once(region: Any) -> None:
    names = [f"f{number}" for number in range(7)]
    for name in reversed(names):
        region.create_function(**parameters(name))
    pages = list(region.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 3}))
    assert [len(page["Functions"]) for page in pages] == [3, 3, 1]
    listed = [each["FunctionName"] for page in pages for each in page["Functions"]]
    assert listed == names


def test_all_versions_are_listed_where_asked_for(region: Any) -> None:
    for name in ("a", "b"):
        region.create_function(**parameters(name, Publish=True))
    region.update_function_configuration(FunctionName="a", Timeout=9)
    region.publish_version(FunctionName="a")
    for size in (1, 2, 5, 50):
        marker, listed = None, []
        while True:
            more: dict[str, Any] = {"Marker": marker} if marker else {}
            page = region.list_functions(FunctionVersion="ALL", MaxItems=size, **more)
            listed += [(each["FunctionName"], each["Version"]) for each in page["Functions"]]
            marker = page.get("NextMarker")
            if marker is None:
                break
        assert listed == [("a", "$LATEST"), ("a", "1"), ("a", "2"), ("b", "$LATEST"), ("b", "1")]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"MaxItems": 0}, "ValidationException"),
        ({"MaxItems": 10_001}, "ValidationException"),
        ({"FunctionVersion": "SOME"}, "ValidationException"),
        ({"Marker": "\u00ff"}, "InvalidParameterValueException"),
        ({"MasterRegion": "ALL"}, "InvalidParameterValueException"),
    ],
)
def test_bad_parameters(region: Any, refused: Any, given: dict[str, Any], code: str) -> None:
    refused(code, region.list_functions, **given)
