"""Client request tokens: remembered for ten minutes, so that a repeated request changes nothing.

A token is stored in the transaction that it was sent with: a cancelled transaction leaves none, and
one that was acknowledged is never made twice, whatever dies. Each kind of request has tokens of its
own.

Facts: AWS developer guide, 2026-10.
"""

from typing import NamedTuple

from penstock.base.errors.transactions import idempotent_parameter_mismatch
from penstock.base.limits import (
    token_sweep_rows_max,
    transaction_token_life_ms,
)
from penstock.storage.format import pack, unpack
from penstock.storage.prefixes import Prefix
from penstock.storage.waist import Engine, Lock, Reader, Span, Transaction

_TIME_BYTES = 8
_ALL = Span.of_prefix(Prefix.TRANSACTION_TOKEN.key)


class Token(NamedTuple):
    """A client's token, the action that it was sent to, and the digest of all that was asked."""

    action: str
    text: str
    digest: bytes


class Sweep(NamedTuple):
    """What one step of a sweep cleared, and the key after which the next one goes on, if any."""

    cleared: int
    after: bytes | None


def token_key(region: str, token: Token) -> bytes:
    """Return the key under which `token` is remembered."""
    parts = (region, token.action, token.text)
    return Prefix.TRANSACTION_TOKEN.key + b"\x00".join(
        part.encode("utf-8", "surrogatepass") for part in parts
    )


def token_lock(key: bytes) -> Lock:
    """Return the lock on the token of `key`."""
    return Lock(b"token/" + key[1:], (Span.of_key(key),))


def is_known(reader: Reader, key: bytes, token: Token, now_ms: int) -> bool:
    """Say whether the request of `token` was made before, within the life of a token.

    IdempotentParameterMismatchException where the token came with another request.
    """
    stored = reader.get(key)
    if stored is None or _is_expired(stored, now_ms):
        return False
    if unpack(stored)[_TIME_BYTES:] != token.digest:
        raise idempotent_parameter_mismatch()
    return True


def remember(txn: Transaction, key: bytes, token: Token, now_ms: int) -> None:
    """Remember the request of `token`; needs its lock."""
    txn.set(key, pack(now_ms.to_bytes(_TIME_BYTES, "big") + token.digest))


async def sweep_tokens(engine: Engine, now_ms: int, after: bytes | None = None) -> Sweep:
    """Clear those of the next few tokens whose life has ended: one step of a background sweep.

    Begin with no `after`; while the answer has one, the next step goes on from there.
    """
    span = _ALL if after is None else Span(after + b"\x00", _ALL.end)
    rows = engine.snapshot(lambda reader: reader.scan(span, token_sweep_rows_max))
    expired = [key for key, stored in rows if _is_expired(stored, now_ms)]

    def work(txn: Transaction) -> int:
        cleared = 0
        for key in expired:
            stored = txn.get(key)
            if stored is not None and _is_expired(stored, now_ms):  # it may have been used anew
                txn.set(key, None)
                cleared += 1
        return cleared

    cleared = 0
    if expired:
        cleared = await engine.transact(
            work, locks=[token_lock(key) for key in expired], reads=expired
        )
    more = len(rows) == token_sweep_rows_max
    return Sweep(cleared, rows[-1][0] if more else None)


def _is_expired(stored: bytes, now_ms: int) -> bool:
    made_ms = int.from_bytes(unpack(stored)[:_TIME_BYTES], "big")
    return now_ms - made_ms > transaction_token_life_ms
