"""Random transactions on an engine and on a dictionary, compared wherever something is read."""

import asyncio
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from penstock.storage.waist import Engine, Lock, Span, Transaction

Act = tuple[Any, ...]
Plan = list[tuple[list[Act], bool]]
"""Transactions: what each does in order, and whether it commits."""

EVERYTHING = Lock(b"everything", (Span(b"\x00", b"\xfe"),))
"""The lock of tests that are not about locks."""


class Refused(Exception):
    """What a test's `work` raises to refuse."""


_KEYS = st.text("abc", min_size=1, max_size=3).map(str.encode)
_ACTS: st.SearchStrategy[Act] = st.one_of(
    st.tuples(st.just("set"), _KEYS, st.none() | st.binary(max_size=3)),
    st.tuples(st.just("clear"), _KEYS, _KEYS),
    st.tuples(st.just("get"), _KEYS),
    st.tuples(st.just("scan"), _KEYS, _KEYS, st.integers(0, 5), st.booleans()),
)
PLANS = st.lists(st.tuples(st.lists(_ACTS, max_size=8), st.booleans()), max_size=12)


async def follow(engine: Engine, plan: Plan, prefix: bytes, *, overlap: bool = True) -> None:
    """Carry out `plan` on `engine` and on a dictionary, under keys of `prefix`, and compare.

    Even transactions are waited for; with `overlap` odd ones are begun together with the next,
    which then has to see them before they are durable. An engine that orders those two otherwise
    fails here.
    """
    model: dict[bytes, bytes] = {}
    begun: list[asyncio.Future[None]] = []
    for number, (acts, commits) in enumerate(plan):
        work = _carry_out(acts, commits, dict(model), prefix)
        begun.append(asyncio.ensure_future(engine.transact(work, locks=[EVERYTHING])))
        await asyncio.sleep(0)
        for act in acts if commits else ():
            _apply(model, act, prefix)
        if number % 2 == 0 or not overlap:
            await _ended(begun)
    await _ended(begun)
    rows = engine.snapshot(lambda r: r.scan(Span.of_prefix(prefix), 10_000))
    assert rows == sorted(model.items())


async def _ended(begun: list[asyncio.Future[None]]) -> None:
    for outcome in await asyncio.gather(*begun, return_exceptions=True):
        if outcome is not None and not isinstance(outcome, Refused):
            raise outcome
    begun.clear()


def _carry_out(
    acts: list[Act], commits: bool, before: dict[bytes, bytes], prefix: bytes
) -> Callable[[Transaction], None]:
    """Return the work that carries out `acts`, compares what it reads, and then may refuse."""

    def work(t: Transaction) -> None:
        model = dict(before)
        for act in acts:
            kind, *rest = act
            if kind == "get":
                assert t.get(prefix + rest[0]) == model.get(prefix + rest[0])
            elif kind == "scan":
                span = Span(prefix + rest[0], prefix + rest[1])
                assert t.scan(span, *rest[2:]) == _scanned(model, span, *rest[2:])
            elif kind == "set":
                t.set(prefix + rest[0], rest[1])
            else:
                t.clear(Span(prefix + rest[0], prefix + rest[1]))
            _apply(model, act, prefix)
        if not commits:
            raise Refused

    return work


def _apply(model: dict[bytes, bytes], act: Act, prefix: bytes) -> None:
    kind, *rest = act
    if kind == "set":
        model.pop(prefix + rest[0], None)
        if rest[1] is not None:
            model[prefix + rest[0]] = rest[1]
    elif kind == "clear":
        cleared = Span(prefix + rest[0], prefix + rest[1])
        for key in [key for key in model if cleared.covers(key)]:
            del model[key]


def _scanned(
    model: dict[bytes, bytes], span: Span, limit: int, backward: bool
) -> list[tuple[bytes, bytes]]:
    return sorted(((k, v) for k, v in model.items() if span.covers(k)), reverse=backward)[:limit]
