"""The application id in a User-Agent header, as the SDKs write it."""

import pytest

from penstock.wire.user_agent import application_id


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (
            "aws-sdk-js/3.700.0 ua/2.1 os/linux lang/js md/nodejs#22 api/dynamodb app/orders",
            "orders",
        ),
        ("app/first app/second", "first"),
        ("aws-sdk-java/2.30 app/a#b.c m/D", "a#b.c"),
        ("Boto3/1.40 md/app/x my-app/3 ua/2.1", None),
        ("app/", None),
        ("curl/8.5", None),
        ("", None),
    ],
)
def test_the_word_app_is_read_and_no_other(agent: str, name: str | None) -> None:
    assert application_id(agent) == name
