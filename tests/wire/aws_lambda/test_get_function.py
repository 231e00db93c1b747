"""GetFunction: the settings, the code to download, the tags; by every form of name."""

import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

import pytest

from wire.aws_lambda.code import zip_of

ACCOUNT = "000000000000"
ARN = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:"


def test_the_code_can_be_downloaded(functions: Any, new_function: Any) -> None:
    data = zip_of({"app.py": "x = 1", "data/more.txt": "y"})
    name = new_function(Code={"ZipFile": data})
    code = functions.get_function(FunctionName=name)["Code"]
    assert code["RepositoryType"] == "S3"
    with urllib.request.urlopen(code["Location"], timeout=60) as answer:
        assert answer.read() == data
        assert answer.headers["Content-Type"] == "application/zip"


def test_code_that_is_gone_cannot_be_downloaded(functions: Any, new_function: Any) -> None:
    name = new_function()
    location = functions.get_function(FunctionName=name)["Code"]["Location"]
    functions.update_function_code(FunctionName=name, ZipFile=zip_of({"app.py": "other"}))
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(location, timeout=60)
    with caught.value as error:
        assert error.code == 404


@pytest.mark.parametrize(
    "place", ["/_penstock/functions/x/y/z.zip", f"/_penstock/functions/x/y/{'0' * 64}.zip"]
)
def test_other_places_of_code_are_answered_clearly(endpoint: str, place: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(endpoint + place, timeout=60)
    with caught.value as error:
        assert error.code in (400, 404)


@pytest.mark.parametrize(
    "form", ["{}", "function:{}", ACCOUNT + ":{}", ACCOUNT + ":function:{}", ARN + "{}"]
)
def test_every_form_of_a_name_finds_it(functions: Any, new_function: Any, form: str) -> None:
    name = new_function()
    shown = functions.get_function(FunctionName=form.format(name))["Configuration"]
    assert shown["FunctionName"] == name
    latest = functions.get_function(FunctionName=form.format(name) + ":$LATEST")["Configuration"]
    assert latest["FunctionArn"] == f"{ARN}{name}:$LATEST"


def test_tags_and_concurrency_are_shown(functions: Any, new_function: Any) -> None:
    name = new_function(Tags={"team": "blue"})
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=3)
    answer = functions.get_function(FunctionName=name)
    assert answer["Tags"] == {"team": "blue"}
    assert answer["Concurrency"] == {"ReservedConcurrentExecutions": 3}


@pytest.mark.parametrize(
    ("name", "qualifier", "text"),
    [
        ("none", None, f"Function not found: {ARN}none"),
        ("none", "1", f"Function not found: {ARN}none:1"),
        ("none:live", None, f"Function not found: {ARN}none:live"),
        (
            "arn:aws:lambda:eu-west-1:000000000000:function:none",
            None,
            "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
        ),
        ("111111111111:none", None, "Function not found: 111111111111:none"),
    ],
)
def test_what_is_not_there(
    functions: Any, refused: Any, name: str, qualifier: str | None, text: str
) -> None:
    more = {} if qualifier is None else {"Qualifier": qualifier}
    code = "ResourceNotFoundException"
    assert refused(code, functions.get_function, FunctionName=name, **more) == text


def test_two_qualifiers_have_to_agree(functions: Any, new_function: Any, refused: Any) -> None:
    name = new_function(Publish=True)
    assert functions.get_function(FunctionName=f"{name}:1", Qualifier="1")
    text = refused(
        "InvalidParameterValueException",
        functions.get_function,
        FunctionName=f"{name}:1",
        Qualifier="2",
    )
    assert text == (
        "The derived qualifier from the function name does not match the specified qualifier."
    )


def test_a_function_is_of_its_region(make_client: Any, new_function: Any, refused: Any) -> None:
    elsewhere = make_client("lambda", "eu-west-1")
    refused("ResourceNotFoundException", elsewhere.get_function, FunctionName=new_function())


def test_an_unsigned_request_is_refused(endpoint: str) -> None:
    url = f"http://{urlsplit(endpoint).netloc}/2015-03-31/functions"
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(url, timeout=60)
    with caught.value as error:
        assert error.code == 403
        assert error.headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"
