"""The reader by itself: the same requests come out however the bytes are cut."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.edge.limits import EdgeLimits
from penstock.edge.messages import HttpRequest
from penstock.edge.reader import RequestReader, Stage

POST = (
    b"POST /?q=1 HTTP/1.1\r\nHost: a\r\nX-Two: 1\r\nx-two: 2\r\nX-Empty:\r\n"
    b"Content-Length: 5\r\n\r\nhello"
)
CHUNKED = (
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\nX-Trailer: authorization\r\n\r\n"
)
UPGRADE = (
    b"POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"
    b"Content-Length: 5\r\n\r\nhello"
)
GET = b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
STREAM = POST + GET + CHUNKED + UPGRADE + UPGRADE + POST


def read(*pieces: bytes) -> list[HttpRequest]:
    reader = RequestReader(EdgeLimits())
    requests = [request for piece in pieces for request in reader.feed(piece)]
    assert reader.refusal is None
    assert reader.stage is Stage.IDLE
    return requests


def test_requests_have_their_parts() -> None:
    post, get, chunked, upgrade, _, _ = read(STREAM)
    assert (post.method, post.target, post.body) == (b"POST", b"/?q=1", b"hello")
    assert post.headers[b"x-two"] == b"1,2"
    assert post.headers[b"x-empty"] == b""
    assert (get.method, get.version, get.keep_alive, get.body) == (b"GET", "1.0", True, b"")
    assert chunked.body == b"abcde"
    assert b"x-trailer" not in chunked.headers
    assert (upgrade.body, upgrade.headers[b"upgrade"], upgrade.keep_alive) == (
        b"hello",
        b"h2c",
        True,
    )


def test_cut_at_every_byte_changes_nothing() -> None:
    whole = read(STREAM)
    assert len(whole) == 6
    for at in range(1, len(STREAM)):
        assert read(STREAM[:at], STREAM[at:]) == whole
    assert read(*(STREAM[at : at + 1] for at in range(len(STREAM)))) == whole


def test_many_offered_upgrades_in_one_piece_are_all_read() -> None:
    assert len(read(UPGRADE * 2000)) == 2000


def test_nothing_is_read_after_the_last_request() -> None:
    reader = RequestReader(EdgeLimits())
    closing = POST.replace(b"Host: a", b"Host: a\r\nConnection: close")
    assert len(reader.feed(closing + POST)) == 1
    assert reader.finished
    assert reader.feed(POST) == []
    assert reader.refusal is None


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_partial_body_is_counted(size: int) -> None:
    reader = RequestReader(EdgeLimits())
    reader.feed(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n")
    for _ in range(1000 // size):
        reader.feed(b"x" * size)
    assert reader.buffered_bytes == 1000 // size * size
    assert reader.stage is Stage.BODY
    reader.abandon()
    assert reader.buffered_bytes == 0


@given(st.lists(st.binary(max_size=200), max_size=8), st.sampled_from([b"", STREAM, GET, CHUNKED]))
@settings(max_examples=300, deadline=None)
def test_any_bytes_give_requests_or_a_refusal(pieces: list[bytes], before: bytes) -> None:
    reader = RequestReader(EdgeLimits(body_bytes_max=1000, header_bytes_max=500))
    for piece in (before, *pieces):
        reader.feed(piece)
    if reader.refusal is not None:
        assert 400 <= reader.refusal.status <= 505
    assert reader.buffered_bytes <= 1000


@pytest.mark.parametrize(
    ("method", "target", "is_upload"),
    [
        ("POST", "/2015-03-31/functions", True),
        ("POST", "/2015-03-31/functions/", True),
        ("PUT", "/2015-03-31/functions/f/code?x=y", True),
        ("GET", "/2015-03-31/functions", False),
        ("POST", "/2015-03-31/functions/f/invocations", False),
        ("POST", "/", False),
    ],
)
def test_code_of_functions_may_be_larger_than_other_bodies(
    method: str, target: str, is_upload: bool
) -> None:
    reader = RequestReader(EdgeLimits(body_bytes_max=10, upload_bytes_max=100))
    head = f"{method} {target} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    requests = reader.feed(head + b"32\r\n" + bytes(50) + b"\r\n0\r\n\r\n" + POST)
    assert [len(request.body) for request in requests] == ([50, 5] if is_upload else [])
    assert (reader.refusal is None) == is_upload


def test_the_larger_limit_is_for_one_request_alone() -> None:
    reader = RequestReader(EdgeLimits(body_bytes_max=10, upload_bytes_max=100))
    upload = b"PUT /2015-03-31/functions/f/code HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n"
    assert len(reader.feed(upload + bytes(50))) == 1
    reader.feed(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n")
    assert reader.refusal is not None
    assert reader.refusal.status == 413


def test_code_above_its_limit_is_refused_as_lambda_does() -> None:
    reader = RequestReader(EdgeLimits(upload_bytes_max=100))
    reader.feed(b"POST /2015-03-31/functions HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n")
    assert reader.refusal is not None
    answer = reader.refusal.response("id")
    assert answer.status == 413
    assert b"x-amzn-ErrorType: RequestEntityTooLargeException\r\n" in answer.headers
