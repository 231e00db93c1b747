"""The content coding of a body: what is too large is never inflated whole."""

import gzip
import tracemalloc

import pytest

from penstock.edge.content import plain_body
from penstock.edge.messages import Refusal


def test_bomb_is_not_inflated_beyond_the_limit() -> None:
    bomb = gzip.compress(bytes(64 * 1024 * 1024))
    tracemalloc.start()
    try:
        with pytest.raises(Refusal) as caught:
            plain_body(b"gzip", bomb, 1000)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert caught.value.status == 413
    assert peak_bytes < 1024 * 1024


def test_limit_is_of_the_inflated_bytes_and_exact() -> None:
    assert plain_body(b"gzip", gzip.compress(b"x" * 1000), 1000) == b"x" * 1000
    with pytest.raises(Refusal):
        plain_body(b"gzip", gzip.compress(b"x" * 1001), 1000)
