"""GetAlias: an alias as it was made."""

from typing import Any


def test_it_is_shown_as_it_was_made(functions: Any, new_function: Any) -> None:
    name = new_function()
    made = functions.create_alias(FunctionName=name, Name="live", FunctionVersion="$LATEST")
    shown = functions.get_alias(FunctionName=name, Name="live")
    for answer in (made, shown):
        del answer["ResponseMetadata"]
    assert shown == made


def test_what_is_not_there(functions: Any, new_function: Any, refused: Any) -> None:
    text = refused(
        "ResourceNotFoundException", functions.get_alias, FunctionName=new_function(), Name="x"
    )
    assert text.startswith("Cannot find alias arn: ")
