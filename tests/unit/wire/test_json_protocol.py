"""The JSON protocol: any bytes in, a JSON object or DynamoDB's refusal out."""

import json
import zlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.base.errors.api import ApiError
from penstock.wire.json_protocol import (
    answer_headers,
    decode_body,
    encode_result,
    is_content_type,
)

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), _JSON, max_size=4))
def test_objects_come_through_both_ways(value: dict[str, object]) -> None:
    assert decode_body(json.dumps(value, ensure_ascii=False).encode()) == value
    assert json.loads(encode_result(value)) == value


@given(st.binary(max_size=50))
def test_any_bytes_are_an_object_or_a_serialization_exception(body: bytes) -> None:
    try:
        assert isinstance(decode_body(body), dict)
    except ApiError as error:
        assert error.body() == {"__type": "com.amazon.coral.service#SerializationException"}


def test_raw_fragments_go_into_a_result_as_they_are() -> None:
    fragment = msgspec.Raw(b'{"id":{"N":"1.10"}}')
    assert encode_result({"Item": fragment}) == b'{"Item":{"id":{"N":"1.10"}}}'


def test_crc_is_unsigned_and_of_the_bytes_sent() -> None:
    body = b'{"a":"\xc3\xa9"}'
    lines = answer_headers(body, "ID").split(b"\r\n")
    assert lines.pop() == b""  # each line has its end
    headers = dict(line.split(b": ") for line in lines)
    assert headers == {
        b"Content-Type": b"application/x-amz-json-1.0",
        b"x-amzn-RequestId": b"ID",
        b"x-amz-crc32": str(zlib.crc32(body) & 0xFFFFFFFF).encode(),
    }


@pytest.mark.parametrize(
    ("value", "known"),
    [
        (b"application/x-amz-json-1.0", True),
        (b"Application/X-Amz-Json-1.0 ; charset=utf-8", True),
        (b"application/x-amz-json-1.1", False),
        (b"application/json", False),
        (b"", False),
    ],
)
def test_content_type_is_that_of_the_protocol(value: bytes, known: bool) -> None:
    assert is_content_type(value) is known
