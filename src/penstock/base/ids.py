"""Randomness: the one place that draws random numbers, and the identifiers made of them.

Everything above takes an `Entropy`, so that the simulation can replay a run.
"""

import os
import random
import uuid

_REQUEST_ID_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_REQUEST_ID_LENGTH = 52  # dynalite, checked against AWS: 52 upper-case alphanumerics
# From any byte to a letter of the alphabet. A little uneven, which an identifier can bear; drawing
# letter by letter took a tenth of a whole request's time.
_LETTERS = bytes(_REQUEST_ID_ALPHABET[n % len(_REQUEST_ID_ALPHABET)] for n in range(256))


class Entropy:
    """A source of random identifiers; with a seed, the same identifiers in the same order."""

    def __init__(self, seed: int | None = None) -> None:
        self._random = random.Random(os.urandom(32) if seed is None else seed)  # noqa: S311 - identifiers, not secrets

    def bits(self, count: int) -> int:
        """Return a number of `count` random bits."""
        return self._random.getrandbits(count)

    def uuid(self) -> str:
        """Return a random UUID (version 4) in its dashed form."""
        return str(uuid.UUID(int=self.bits(128), version=4))

    def request_id(self) -> str:
        """Return an identifier in the form of DynamoDB's `x-amzn-RequestId`."""
        return self._random.randbytes(_REQUEST_ID_LENGTH).translate(_LETTERS).decode("ascii")


def uuid_bytes(text: str) -> bytes:
    """Return a UUID in its dashed form as 16 bytes."""
    return uuid.UUID(text).bytes
