"""Who a request says it is from, and AWS's words for what is wrong with that."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.base import limits
from penstock.base.errors.api import ApiError
from penstock.wire import sigv4
from penstock.wire.sigv4 import Caller, read_caller

STAMP = "20261001T120000Z"
CREDENTIAL = "AKID/20261001/us-east-1/dynamodb/aws4_request"
WHOLE = f"AWS4-HMAC-SHA256 Credential={CREDENTIAL}, SignedHeaders=host;x-amz-date, Signature=0a"
QUERY = {
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": CREDENTIAL.replace("/", "%2F"),
    "X-Amz-Signature": "0a",
    "X-Amz-SignedHeaders": "host",
    "X-Amz-Date": STAMP,
}
INCOMPLETE = "IncompleteSignatureException"
INVALID = "InvalidSignatureException"


def caller_of(authorization: str, stamp: str | None = STAMP, name: str = "x-amz-date") -> Caller:
    headers = {b"authorization": authorization.encode("latin-1")}
    if stamp is not None:
        headers[name.encode()] = stamp.encode("latin-1")
    return read_caller(headers, b"")


def refusal(authorization: str, stamp: str | None = STAMP) -> tuple[str, str]:
    """Return code and text, the same at the first time and once it could be remembered."""
    seen = set()
    for _ in range(2):
        with pytest.raises(ApiError) as caught:
            caller_of(authorization, stamp)
        assert caught.value.status == 400
        assert caught.value.prefix == "com.amazon.coral.service#"
        seen.add((caught.value.code, str(caught.value.message)))
    (only,) = seen
    return only


def query_of(**changed: str | None) -> bytes:
    parts = QUERY | {name.replace("_", "-"): value for name, value in changed.items()}
    return "&".join(
        f"{name}={value}" for name, value in parts.items() if value is not None
    ).encode()


def query_refusal(query: bytes, headers: dict[bytes, bytes] | None = None) -> tuple[str, str]:
    with pytest.raises(ApiError) as caught:
        read_caller(headers or {}, query)
    return caught.value.code, str(caught.value.message)


@pytest.mark.parametrize(
    "authorization",
    [
        WHOLE,
        WHOLE.replace(", ", ","),
        WHOLE.replace(", ", " ,  "),
        f"AWS4-HMAC-SHA256 Signature=0a,SignedHeaders=host,Credential={CREDENTIAL}",
        f"AWS4-HMAC-SHA256 SignedHeaders=a;Host;z, Signature=0a, Credential={CREDENTIAL}",
        f" {WHOLE} ",
        WHOLE.replace("SignedHeaders=", "SignedHeaders=" + "a;" * 2000),
    ],
)
def test_parts_may_stand_in_any_order_with_or_without_blanks(authorization: str) -> None:
    assert caller_of(authorization) == Caller("us-east-1", "AKID")


def test_signatures_differ_and_callers_do_not_mix() -> None:
    assert caller_of(WHOLE.replace("=0a", "=0b")) == Caller("us-east-1", "AKID")
    assert caller_of(WHOLE.replace("AKID", "OTHER")) == Caller("us-east-1", "OTHER")
    assert caller_of(WHOLE.replace("us-east-1", "eu-west-1")) == Caller("eu-west-1", "AKID")


def test_date_header_stands_in_for_x_amz_date_in_both_forms() -> None:
    assert caller_of(WHOLE, STAMP, "date").access_key == "AKID"
    assert caller_of(WHOLE, "Thu, 01 Oct 2026 12:00:00 GMT", "date").access_key == "AKID"


@pytest.mark.parametrize("region", ["local", "us-gov-west-1", "ap-southeast-5", "ddblocal"])
def test_regions_of_aws_and_of_stand_ins_are_taken(region: str) -> None:
    assert caller_of(WHOLE.replace("us-east-1", region)).region == region


def test_no_credentials_at_all() -> None:
    missing = ("MissingAuthenticationTokenException", "Request is missing Authentication Token")
    assert query_refusal(b"") == missing
    assert query_refusal(b"a=X-Amz-Algorithm") == missing
    assert refusal("Basic dXNlcjpwYXNz") == missing
    assert refusal("") == missing


CREDENTIAL_MISSING = "Authorization header requires 'Credential' parameter. "
SIGNATURE_MISSING = "Authorization header requires 'Signature' parameter. "
SIGNED_MISSING = "Authorization header requires 'SignedHeaders' parameter. "
DATE_MISSING = (
    "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
)


@pytest.mark.parametrize(
    ("authorization", "stamp", "sentences"),
    [
        ("AWS4-", None, CREDENTIAL_MISSING + SIGNATURE_MISSING + SIGNED_MISSING + DATE_MISSING),
        ("AWS4-HMAC-SHA256 Credential=x", STAMP, SIGNATURE_MISSING + SIGNED_MISSING),
        ("AWS4-HMAC-SHA256 Credential=,Signature=0,SignedHeaders=h", STAMP, CREDENTIAL_MISSING),
        ("AWS4-HMAC-SHA256 SignedHeaders=h, Signature=0a", STAMP, CREDENTIAL_MISSING),
        (WHOLE, None, DATE_MISSING),
        (WHOLE.replace("Signature=0a", "Signature="), STAMP, SIGNATURE_MISSING),
    ],
)
def test_each_missing_part_has_its_sentence(
    authorization: str, stamp: str | None, sentences: str
) -> None:
    text = f"{sentences}Authorization={authorization}"
    assert refusal(authorization, stamp) == (INCOMPLETE, text)


@pytest.mark.parametrize(
    "stamp", ["yesterday", "2026-10-01T12:00:00Z", "20261001", "20261001T1200"]
)
def test_date_of_another_form(stamp: str) -> None:
    assert refusal(WHOLE, stamp) == (
        INCOMPLETE,
        (
            f"Date must be in ISO-8601 'basic format'. Got '{stamp}'. "
            "See http://en.wikipedia.org/wiki/ISO_8601"
        ),
    )


HOST_UNSIGNED = (INVALID, "'Host' must be a 'SignedHeader' in the AWS Authorization.")


def test_host_has_to_be_signed() -> None:
    assert refusal(WHOLE.replace("host;", "")) == HOST_UNSIGNED


def test_other_algorithm() -> None:
    assert refusal(WHOLE.replace("SHA256", "SHA512")) == (
        INCOMPLETE,
        "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA512' (only AWS4-HMAC-SHA256 for now). ",
    )


@pytest.mark.parametrize("credential", ["AKID", "a/b/c/d", "a/b/c/d/e/f"])
def test_scope_has_five_elements(credential: str) -> None:
    assert refusal(WHOLE.replace(CREDENTIAL, credential)) == (
        INCOMPLETE,
        (
            "Credential must have exactly 5 slash-delimited elements, "
            f"e.g. keyid/date/region/service/term, got '{credential}'"
        ),
    )


REGION = "Credential should be scoped to a valid region, not '{}'. "
SERVICE = "Credential should be scoped to correct service: 'dynamodb'. "
TERMINATOR = "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws3'. "
DATE = (
    "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
    f"'20260930' != '20261001', from '{STAMP}'."
)


@pytest.mark.parametrize(
    ("scope", "sentences"),
    [
        ("20261001//dynamodb/aws4_request", REGION.format("")),
        ("20261001/US-EAST-1/dynamodb/aws4_request", REGION.format("US-EAST-1")),
        ("20261001/us east/dynamodb/aws4_request", REGION.format("us east")),
        ("20261001/us-east-1/s3/aws4_request", SERVICE),
        ("20261001/us-east-1/dynamodb/aws3", TERMINATOR),
        ("20260930/us-east-1/dynamodb/aws4_request", DATE),
        ("20260930/-/s3/aws3", REGION.format("-") + SERVICE + TERMINATOR + DATE),
    ],
)
def test_wrong_scope_values_are_listed_together(scope: str, sentences: str) -> None:
    authorization = WHOLE.replace(CREDENTIAL, f"AKID/{scope}")
    assert refusal(authorization) == (INVALID, sentences)


def test_checks_come_in_the_order_of_aws() -> None:
    everything = "AWS4-X Credential=a/b, SignedHeaders=x, Signature=0"
    assert refusal(everything, None)[1].startswith(DATE_MISSING)
    assert refusal(everything, "now")[1].startswith("Date must be")
    assert refusal(everything) == HOST_UNSIGNED
    assert refusal(everything.replace("=x", "=host"))[1].startswith("Unsupported AWS 'algorithm'")
    known = everything.replace("=x", "=host").replace("AWS4-X", "AWS4-HMAC-SHA256")
    assert refusal(known)[1].startswith("Credential must have")


def test_presigned_form_is_read_and_checked_alike() -> None:
    assert read_caller({}, query_of()) == Caller("us-east-1", "AKID")
    assert query_refusal(query_of(X_Amz_SignedHeaders="x")) == HOST_UNSIGNED
    assert query_refusal(query_of(X_Amz_Date="now"))[1].startswith("Date must be")
    assert query_refusal(query_of(X_Amz_Signature=None, X_Amz_Date="")) == (
        INCOMPLETE,
        (
            "AWS query-string parameters must include 'X-Amz-Signature'. "
            "AWS query-string parameters must include 'X-Amz-Date'. "
            "Re-examine the query-string parameters."
        ),
    )


def test_both_forms_at_once() -> None:
    assert query_refusal(query_of(), {b"authorization": WHOLE.encode()}) == (
        INVALID,
        "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
    )


@given(st.binary(max_size=80), st.binary(max_size=40), st.binary(max_size=80))
def test_any_bytes_name_a_caller_or_are_refused(rest: bytes, date: bytes, query: bytes) -> None:
    for headers in (
        {b"authorization": b"AWS4-HMAC-SHA256 " + rest, b"x-amz-date": date},
        {b"authorization": WHOLE.encode(), b"date": date},
    ):
        for asked in (b"", b"X-Amz-Algorithm=" + query):
            try:
                assert read_caller(headers, asked)
            except ApiError as error:
                assert error.status == 400


def test_large_headers_are_not_remembered() -> None:
    """What a client sends may not fill the memory, in either header."""
    long = limits.cached_authorization_bytes_max
    before = sigv4._remembered_caller.cache_info()
    refusal(WHOLE, STAMP + "0" * long)
    caller_of(WHOLE.replace("AKID", "A" * long))
    assert sigv4._remembered_caller.cache_info() == before
    sigv4._remembered_caller.cache_clear()
    caller_of(WHOLE)
    assert sigv4._remembered_caller.cache_info().currsize == 1
