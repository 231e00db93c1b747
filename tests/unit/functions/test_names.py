"""The forms in which a function may be named."""

import pytest

from penstock.functions.names import FunctionName, function_arn, parse_function_name

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("f", FunctionName(None, None, "f", None)),
        ("f:live", FunctionName(None, None, "f", "live")),
        ("f:$LATEST", FunctionName(None, None, "f", "$LATEST")),
        ("function:f", FunctionName(None, None, "f", None)),
        ("function:f:1", FunctionName(None, None, "f", "1")),
        ("function", FunctionName(None, None, "function", None)),
        ("123456789012:f", FunctionName(None, "123456789012", "f", None)),
        ("123456789012:function:f:1", FunctionName(None, "123456789012", "f", "1")),
        (ARN + "f", FunctionName("eu-west-1", "123456789012", "f", None)),
        (ARN + "f:live", FunctionName("eu-west-1", "123456789012", "f", "live")),
        (ARN.replace("eu-west-1", "local") + "f", FunctionName("local", "123456789012", "f", None)),
        ("x" * 64, FunctionName(None, None, "x" * 64, None)),
    ],
)
def test_a_name_says(text: str, expected: FunctionName) -> None:
    assert parse_function_name(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x" * 65,
        "a b",
        "f:",
        "f:a:b",
        "f:live!",
        "f\n",
        "arn:aws:sqs:eu-west-1:123456789012:f",
        "arn:aws:lambda:eu-west-1:12:function:f",
        "123:function:f",
        "naïve",
    ],
)
def test_other_texts_are_no_names(text: str) -> None:
    assert parse_function_name(text) is None


@pytest.mark.parametrize(
    ("region", "partition"),
    [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")],
)
def test_an_arn_names_the_partition_of_its_region(region: str, partition: str) -> None:
    arn = function_arn(region, "123456789012", "f", "live")
    assert arn == f"arn:{partition}:lambda:{region}:123456789012:function:f:live"
