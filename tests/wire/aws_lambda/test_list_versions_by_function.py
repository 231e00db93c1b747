"""ListVersionsByFunction: $LATEST first, then the versions in the order of their numbers."""

from typing import Any


def test_versions_are_in_the_order_of_their_numbers(functions: Any, new_function: Any) -> None:
    name = new_function()
    for timeout in range(1, 12):
        functions.update_function_configuration(FunctionName=name, Timeout=timeout)
        functions.publish_version(FunctionName=name)
    pages = list(
        functions.get_paginator("list_versions_by_function").paginate(
            FunctionName=name, PaginationConfig={"PageSize": 5}
        )
    )
    assert [len(page["Versions"]) for page in pages] == [5, 5, 2]
    listed = [each["Version"] for page in pages for each in page["Versions"]]
    assert listed == ["$LATEST", *map(str, range(1, 12))]
    arns = {each["FunctionArn"].rpartition(":")[2] for page in pages for each in page["Versions"]}
    assert arns == set(listed)


def test_a_function_that_is_not_there(functions: Any, function_name: str, refused: Any) -> None:
    refused(
        "ResourceNotFoundException",
        functions.list_versions_by_function,
        FunctionName=function_name,
    )
