"""Iterators: their text gives them back for 15 minutes, and nothing else is one."""

import base64
from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.base import limits
from penstock.base.errors.api import ApiError
from penstock.streams.iterator import Iterator, decode_iterator, encode_iterator
from unit.streams.one_stream import TABLE_ARN

NOW_MS = 1_790_000_000_000
ARN = f"{TABLE_ARN}/stream/2026-10-01T00:00:00.000"
SHARD = "shardId-00000001790000000000-0123abcd"
ITERATOR = Iterator(ARN, SHARD, 1_790_000_000_000 << 20, True, NOW_MS, 7, 9)

iterators = st.builds(
    Iterator,
    stream_arn=st.sampled_from([ARN, ARN.replace("abc", "n" * 255)]),
    shard_id=st.just(SHARD),
    position=st.integers(0, 2**63),
    gapless=st.booleans(),
    issued_ms=st.integers(NOW_MS - limits.iterator_life_ms, NOW_MS + 60_000),
    nonce=st.integers(0, 2**32 - 1),
    reader=st.integers(0, 2**32 - 1),
)


def refusal(text: str, now_ms: int = NOW_MS) -> tuple[str, str | None]:
    with pytest.raises(ApiError) as caught:
        decode_iterator(text, now_ms)
    return caught.value.code, caught.value.message


GARBAGE = ("ValidationException", "Invalid ShardIterator")


@given(iterators)
def test_the_text_gives_the_iterator_back(iterator: Iterator) -> None:
    text = encode_iterator(iterator)
    assert decode_iterator(text, NOW_MS) == iterator
    assert text.startswith(f"{iterator.stream_arn}|1|")
    assert len(text) <= limits.iterator_chars_max


def test_the_nonce_makes_texts_differ() -> None:
    other = ITERATOR._replace(nonce=8)
    assert encode_iterator(ITERATOR) != encode_iterator(other)


def test_an_iterator_lives_for_15_minutes_and_no_longer() -> None:
    text = encode_iterator(ITERATOR)
    last_ms = NOW_MS + limits.iterator_life_ms
    assert decode_iterator(text, last_ms) == ITERATOR
    assert refusal(text, last_ms + 1) == ("ExpiredIteratorException", "Shard iterator has expired")


@given(st.text(max_size=80) | st.text().map(lambda text: f"{ARN}|1|{text}"))
def test_no_text_of_anothers_making_is_an_iterator(text: str) -> None:
    assert refusal(text) == GARBAGE


@given(st.binary(max_size=80))
def test_no_other_bytes_in_base64_are_an_iterator(data: bytes) -> None:
    assert refusal(f"{ARN}|1|{base64.b64encode(data).decode()}") == GARBAGE


def test_an_iterator_with_any_character_changed_is_none() -> None:
    text = encode_iterator(ITERATOR)
    for at, old in enumerate(text):
        for new in "A/|é\x00":
            if new != old:
                assert refusal(text[:at] + new + text[at + 1 :]) == GARBAGE
        assert refusal(text[:at] + text[at + 1 :]) == GARBAGE


@pytest.mark.parametrize("shard", [b"\xff" * 40, b"", b"x" * 40])
def test_a_forged_iterator_raises_nothing_unexpected(shard: bytes) -> None:
    """The checksum keeps no secret: who computes it gets a shard that no stream has."""
    plain = encode_iterator(ITERATOR).partition("|1|")[2]
    body = base64.b64decode(plain)[4:]
    forged = body[:1] + shard.ljust(40, b"\x00") + body[41:]
    check = blake2b(ARN.encode() + forged, digest_size=4).digest()
    text = f"{ARN}|1|{base64.b64encode(check + forged).decode()}"
    assert decode_iterator(text, NOW_MS).shard_id != SHARD


def test_an_iterator_of_another_version_is_none() -> None:
    body = b"\x01" + base64.b64decode(encode_iterator(ITERATOR).partition("|1|")[2])[5:]
    check = blake2b(ARN.encode() + body, digest_size=4).digest()
    assert refusal(f"{ARN}|1|{base64.b64encode(check + body).decode()}") == GARBAGE
