"""What a setting says of functions that live elsewhere."""

import pytest

from penstock.functions.remote_function import (
    BadRemoteFunction,
    HttpFunction,
    LambdaFunction,
    parse_remote_function,
    parse_remote_functions,
)


def test_a_plain_url_is_called_by_post() -> None:
    assert parse_remote_function("http://h:9000/in?a=1") == HttpFunction("http://h:9000/in?a=1")


def test_a_function_of_lambda_may_say_where_it_is() -> None:
    url = "lambda://Resize?endpoint=http%3A%2F%2F127.0.0.1%3A3001&region=eu-west-1&qualifier=live"
    assert parse_remote_function(url) == LambdaFunction(
        "Resize", "http://127.0.0.1:3001", "eu-west-1", "live"
    )
    assert parse_remote_function("lambda://Resize") == LambdaFunction("Resize", None, None, None)


def test_a_function_of_lambda_may_be_an_arn() -> None:
    arn = "arn:aws:lambda:us-east-1:123456789012:function:f:live"
    assert parse_remote_function(f"lambda://{arn}") == LambdaFunction(arn, None, None, None)


def test_several_are_told_apart_by_their_names() -> None:
    functions = parse_remote_functions("a=http://h/x?q=1,2,b=lambda://f,c=https://h/")
    assert {name: str(function) for name, function in functions.items()} == {
        "a": "http://h/x?q=1,2",
        "b": "f at AWS",
        "c": "https://h/",
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "'' is not NAME=URL"),
        ("a", "'a' is not NAME=URL"),
        ("a b=http://h", "'a b=http://h' is not NAME=URL"),
        (f"{'n' * 65}=http://h", "is not NAME=URL"),
        ("a=", "'' is not the URL of a function"),
        ("a=ftp://h/x", "'ftp://h/x' is not the URL of a function"),
        ("a=http://h:0/", "is not the URL of a function"),
        ("a=http://h:99999/", "is not the URL of a function"),
        ("a=http:///x", "is not the URL of a function"),
        ("a=http://h/#f", "is not the URL of a function"),
        ("a=http://h/a\r\nb", "is not the URL of a function"),
        ("a=http://me:secret@h/", "with a user or a password is not taken"),
        ("a=http://h,a=http://i", "a is given twice"),
        ("a=lambda://", "is not the URL of a function"),
        ("a=lambda://f?url=http://h", "may say endpoint, region and qualifier"),
        ("a=lambda://f?region=eu-west-1&region=eu-west-2", "once each"),
        ("a=lambda://f?region=Europe", "'Europe' is not the name of a region"),
        ("a=lambda://f?endpoint=lambda://g", "is not the URL of a function"),
    ],
)
def test_what_names_no_function_is_told(text: str, told: str) -> None:
    with pytest.raises(BadRemoteFunction) as caught:
        parse_remote_functions(text)
    assert told in str(caught.value)
    assert "secret" not in str(caught.value)
