"""The client's reading of answers, from a server that says what the test wants."""

import pytest

from bench.raw_client import BUFFER_BYTES, RequestHead, ServerError
from unit.bench_readers.answering import OK, answering, with_length


def test_answers_come_whole_one_after_the_other_on_one_connection() -> None:
    first, second = with_length(b'{"a":1}'), with_length(b"{}")
    with answering([first[:5], first[5:40], first[40:]], [second]) as client:
        assert client.call("GetItem", b"{}").body == b'{"a":1}'
        assert client.call("GetItem", b"{}").body == b"{}"


def test_an_answer_larger_than_the_buffer_comes_whole() -> None:
    large = bytes(range(256)) * 10_000
    assert len(large) > BUFFER_BYTES
    with answering([with_length(large)], [with_length(b"small")]) as client:
        assert client.call("GetRecords", b"{}").body == large
        assert client.call("GetRecords", b"{}").body == b"small"


def test_the_chunks_of_an_answer_are_put_together() -> None:
    chunks = [b"4\r\nabcd\r", b"\n3;x=", b"y\r\nefg\r\n0\r\n", b"\r\n"]
    head = OK + b"Transfer-Encoding: chunked\r\n\r\n"
    with answering([head, *chunks], [with_length(b"next")]) as client:
        assert client.call("GetItem", b"{}").body == b"abcdefg"
        assert client.call("GetItem", b"{}").body == b"next"


def test_chunks_larger_than_the_buffer_are_put_together() -> None:
    piece = b"0123456789abcdef" * 100_000
    chunk = b"%x\r\n%b\r\n" % (len(piece), piece)
    head = OK + b"Transfer-Encoding: chunked\r\n\r\n"
    with answering([head, chunk, chunk, b"0\r\n\r\n"]) as client:
        assert client.call("GetItem", b"{}").body == piece * 2


def test_what_is_not_200_is_told_with_its_text() -> None:
    answer = b'HTTP/1.1 400 Bad Request\r\nContent-Length: 9\r\n\r\n{"no":""}'
    with answering([answer]) as client, pytest.raises(ServerError) as raised:
        client.call("GetItem", b"{}")
    assert str(raised.value) == 'the server answered 400: {"no":""}'


def test_a_connection_closed_in_an_answer_is_told() -> None:
    with answering([with_length(b"whole")[:-1]]) as client, pytest.raises(ServerError) as raised:
        client.call("GetItem", b"{}")
    assert str(raised.value) == "the server closed the connection"


def test_what_is_not_http_is_told() -> None:
    with answering([b"SSH-2.0\r\n\r\n"]) as client, pytest.raises(ServerError, match="speak HTTP"):
        client.call("GetItem", b"{}")


def test_a_mark_is_counted_and_found_only_in_the_newest_body() -> None:
    long = b"x" * 50 + b"mark" + b"x" * 50
    with answering([with_length(b"mark" * 50)], [with_length(long)]) as client:
        assert client.call("GetItem", b"{}").count(b"mark") == 50
        answer = client.call("GetItem", b"{}")
        assert answer.count(b"mark") == 1
        for margin in (5, 60, 1000):
            assert answer.find(b"mark", margin) == answer.start + 50
            assert answer.find(b"none", margin) == -1


def test_a_request_names_its_service_by_its_action() -> None:
    records = RequestHead("127.0.0.1", 8000, "GetRecords", "X-More: 1\r\n").with_body(b"{}")
    assert b"\r\nX-Amz-Target: DynamoDBStreams_20120810.GetRecords\r\nX-More: 1\r\n" in records
    assert b"\r\nHost: 127.0.0.1:8000\r\n" in records
    assert records.endswith(b"\r\nContent-Length: 2\r\n\r\n{}")
    put = RequestHead("::1", 8000, "PutItem").with_body(b"")
    assert b"\r\nX-Amz-Target: DynamoDB_20120810.PutItem\r\n" in put
    assert b"\r\nHost: [::1]:8000\r\n" in put
