"""Code in the store: zip files in pieces, by the function and the digest of the file.

The pieces are written before the function that has them, some in each transaction, and a last row
says that all are there. Whoever stores the function reads that row in the same transaction, and
clears all code of the function that nothing names any more: so what a crash left is gone with the
next change, and what another request has cleared meanwhile is found to be missing.
"""

import asyncio
import hashlib
from collections.abc import Iterable

from penstock.base import limits
from penstock.functions.function import Code, Function, code_key, function_lock
from penstock.storage.format import pack, unpack
from penstock.storage.waist import Engine, Reader, Span, Transaction


class CodeGone(Exception):
    """Code that was replaced while it was read or stored."""


def code_of(data: bytes) -> Code:
    """Return what a function stores of a zip file."""
    return Code(hashlib.sha256(data).hexdigest(), len(data))


async def store_code(engine: Engine, region: str, name: str, code: Code, data: bytes) -> None:
    """Write the pieces of a zip file, `data`, if they are not there."""
    digest = bytes.fromhex(code.digest)
    if engine.snapshot(lambda reader: is_stored(reader, region, name, digest)):
        return
    lock = function_lock(region, name)
    step = limits.function_code_piece_bytes
    starts = range(0, len(data), step)
    together = limits.function_code_pieces_together_max
    for first in range(0, len(starts), together):

        def write(txn: Transaction, first: int = first) -> None:
            for number in range(first, min(first + together, len(starts))):
                piece = data[starts[number] : starts[number] + step]
                txn.set(code_key(region, name, digest, number), pack(piece))

        await engine.transact(write, locks=(lock,))
    head = pack(len(starts).to_bytes(4, "big"))
    await engine.transact(lambda txn: txn.set(code_key(region, name, digest), head), locks=(lock,))


def is_stored(reader: Reader, region: str, name: str, digest: bytes) -> bool:
    """Say whether a zip file is in the store, whole."""
    return reader.get(code_key(region, name, digest)) is not None


async def read_code(engine: Engine, region: str, name: str, digest: bytes) -> bytes:
    """Return a zip file; CodeGone where it is not there, or no longer."""

    def pieces(reader: Reader) -> list[bytes]:
        head = reader.get(code_key(region, name, digest))
        if head is None:
            raise CodeGone
        count = int.from_bytes(unpack(head), "big")
        found = [reader.get(code_key(region, name, digest, number)) for number in range(count)]
        return [unpack(piece) for piece in found if piece is not None]

    return await asyncio.to_thread(_joined, engine.snapshot(pieces), digest)


def _joined(pieces: list[bytes], digest: bytes) -> bytes:
    data = b"".join(pieces)
    if hashlib.sha256(data).digest() != digest:
        raise CodeGone
    return data


def keep_code(txn: Transaction, region: str, name: str, users: Iterable[Function]) -> None:
    """Clear all code of a function but that of `users`; needs its lock.

    CodeGone where one of them has code that is not in the store.
    """
    kept = sorted({bytes.fromhex(each.code.digest) for each in users if not each.code.directory})
    start, end = Span.of_prefix(code_key(region, name))
    for digest in kept:
        if not is_stored(txn, region, name, digest):
            raise CodeGone
        own = Span.of_prefix(code_key(region, name, digest))
        txn.clear(Span(start, own.start))
        start = own.end
    txn.clear(Span(start, end))
