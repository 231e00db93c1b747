"""Arbitrary bytes and arbitrary calls: the server lives, and nothing ends in a 500."""

import asyncio
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unit.edge.serving import connected, dispatch_of, request, run, serving

FUZZ = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
_WHOLE = request(b'{"a": [1, 2.5, "x", null]}')
_TOKENS = st.sampled_from(
    [
        *(line + b"\r\n" for line in _WHOLE.split(b"\r\n")),
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Encoding: gzip\r\n",
        b"Expect: 100-continue\r\n",
        b"Connection: close\r\n",
        b"Connection: Upgrade\r\nUpgrade: h2c\r\n",
        b"HEAD / HTTP/1.1\r\n",
        b"0\r\n\r\n",
        b"5\r\nhello\r\n",
        b"\r\n",
        _WHOLE,
    ]
)


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    """Draw a good request with some bytes changed, dropped or put in."""
    data = bytearray(_WHOLE)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data) - 1))
        data[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(data)


async def answers_to(data: bytes) -> bytes:
    """Return all that a server sends until it closes; checks that it still serves others."""
    async with serving(dispatch_of()) as server:
        async with connected(server) as client:
            client.send(data)
            client.writer.write_eof()
            try:
                received = await client.reader.read()
            except ConnectionError:
                received = b""
        async with connected(server) as other:
            assert (await other.ask(request())).status == 200
    return received


def check(data: bytes) -> None:
    failures: list[dict[str, Any]] = []

    async def work() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: failures.append(context))
        received = await answers_to(data)
        assert b"HTTP/1.1 500" not in received

    run(work())
    assert failures == []


@given(st.lists(st.one_of(_TOKENS, st.binary(max_size=60)), max_size=20).map(b"".join))
@FUZZ
def test_arbitrary_bytes(data: bytes) -> None:
    check(data)


@given(mutations())
@FUZZ
def test_damaged_requests(data: bytes) -> None:
    check(data)


@given(st.binary(max_size=100), st.sampled_from(["", "gzip"]))
@FUZZ
def test_arbitrary_bodies(body: bytes, coding: str) -> None:
    check(request(body, Content_Encoding=coding))


_LINE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=80)


@given(_LINE, _LINE, _LINE)
@FUZZ
def test_arbitrary_signatures(authorization: str, stamp: str, query: str) -> None:
    check(
        request(
            target=f"/?X-Amz-Algorithm={query}".replace(" ", "+"),
            Authorization=f"AWS4-HMAC-SHA256 {authorization}",
            X_Amz_Date=stamp,
        )
    )
