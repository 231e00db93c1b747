"""What Penstock says to PostgreSQL: arrays, slots, and the order of short and long keys."""

import asyncio
from collections.abc import Callable, Iterator
from struct import unpack_from

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg import pq

from penstock.base.errors.engine import (
    EngineError,
    EngineFull,
    EngineUnavailable,
    StoreCorrupt,
    StoreIncompatible,
    TransactionConflict,
)
from penstock.base.limits import postgres_key_bytes_max, postgres_lock_slots
from penstock.storage import postgres_statements as statements
from penstock.storage.postgres import PostgresEngine
from penstock.storage.postgres_errors import engine_error, why
from penstock.storage.postgres_statements import changes, gets, lock, scan, slots_of
from penstock.storage.waist import Span, Transaction
from unit.storage.postgres_nodes import A, named, nodes

# --- without a database

LONG = b"k" * postgres_key_bytes_max


def elements(array: bytes) -> list[bytes]:
    """Return what an array in binary form holds, by PostgreSQL's own rules."""
    dimensions, has_null, _ = unpack_from(">iiI", array)
    assert (dimensions, has_null) in {(0, 0), (1, 0)}
    if not dimensions:
        return []
    length, first = unpack_from(">ii", array, 12)
    assert first == 1
    found, at = [], 20
    for _ in range(length):
        (size,) = unpack_from(">i", array, at)
        found.append(array[at + 4 : at + 4 + size])
        at += 4 + size
    assert at == len(array)
    return found


@given(st.lists(st.binary(max_size=40)))
def test_an_array_has_what_was_put_in(values: list[bytes]) -> None:
    """In order, however it was given."""
    assert elements(statements._array(values)) == values
    assert elements(statements._array(iter(values), len(values))) == values
    assert elements(statements._array(iter(values))) == values


def test_locks_have_slots_that_never_change() -> None:
    """A node of any release takes the same row for a name: in order, each once."""
    assert slots_of([b"a"]) == [0xE8B7BE43 % postgres_lock_slots]
    assert slots_of([b"b", b"a", b"b"]) == sorted({*slots_of([b"a"]), *slots_of([b"b"])})
    assert slots_of([]) == []
    assert all(0 <= slot < postgres_lock_slots for slot in slots_of(b"%d" % n for n in range(999)))
    (array,) = lock([5, 4095]).parameters
    assert [int.from_bytes(each, "big") for each in elements(array)] == [5, 4095]


def test_keys_go_to_the_table_of_their_length() -> None:
    """Only what is asked for is asked: no statement for an empty array."""
    short, long = LONG[1:], LONG
    assert [each.name for each in gets([short])] == [b"get"]
    assert [each.name for each in gets([long])] == [b"get_long"]
    assert [each.name for each in gets([long, short])] == [b"get", b"get_long"]
    assert elements(gets([long, short])[0].parameters[0]) == [short]
    names = {
        (b"put",): {short: b"v"},
        (b"put_long",): {long: b"v"},
        (b"delete",): {short: None},
        (b"delete_long",): {long: None},
        (b"delete_long", b"delete", b"put"): {short: None, long: None, b"k": b"v"},
        (b"delete", b"put_long", b"put"): {b"k": None, long: b"v", short: b""},
        (): {},
    }
    for wanted, writes in names.items():
        made = changes([], writes)  # type: ignore[arg-type]
        assert tuple(each.name for each in made) == wanted
    cleared = changes([Span(b"a", b"b")], {b"aa": b"v"})
    assert [each.name for each in cleared][-3:] == [b"clear", b"clear_long", b"put"]


@pytest.mark.parametrize(
    ("codes", "kind"),
    [
        (["40001", "40P01"], TransactionConflict),
        (["53100"], EngineFull),
        (["XX001", "XX002"], StoreCorrupt),
        (["42P01", "42703", "42501", "3F000"], StoreIncompatible),
        (["08006", "57P01", "57P02", "57P03", "53300", "53200", "58030"], EngineUnavailable),
        (["55P03", "57014", "25P03", "25006", "25P02", "28000"], EngineUnavailable),
        (["22023", "54000", "XX000", ""], EngineError),
    ],
)
def test_errors_are_sorted_by_what_to_do_next(codes: list[str], kind: type[EngineError]) -> None:
    """By the code alone; the text is for people, and of one line."""
    for code in codes:
        error = engine_error(code, "ERROR:  no\nDETAIL:  why\n")
        assert type(error) is kind
        assert str(error) == f"PostgreSQL says: no ({code or 'no code'})"


def test_an_error_without_words_has_a_name() -> None:
    """A driver's error may be empty."""
    assert why(psycopg.OperationalError("FATAL:  no\n more")) == "no"
    assert why(psycopg.OperationalError("\n")) == "OperationalError"


# --- on the database


@pytest.fixture(scope="module")
def store(url_of_new_schema: Callable[[], str]) -> Iterator[tuple[PostgresEngine, asyncio.Runner]]:
    with nodes(named(url_of_new_schema())) as (engine,), asyncio.Runner() as runner:
        yield engine, runner


def grown(parts: tuple[bytes, int, bytes]) -> bytes:
    """Return a key with many equal bytes in the middle, so that heads are alike."""
    start, middle, end = parts
    return start + b"m" * middle + end


few = st.binary(max_size=2)
middles = st.sampled_from([0, 1, postgres_key_bytes_max - 2, postgres_key_bytes_max - 1])
middles |= st.sampled_from([postgres_key_bytes_max, postgres_key_bytes_max + 1, 3000])
keys = st.tuples(few, middles, few).map(grown).filter(bool)
spans = st.tuples(keys, keys).map(lambda two: Span(min(two), max(two)))
rows = st.dictionaries(keys, st.binary(max_size=3), max_size=12)
same = b"m" * 3000


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=rows, more=rows, span=spans, cleared=spans, limit=st.integers(1, 6))
@example(
    rows={same: b"1", same + b"\x00": b"2", same + b"\xff": b"3", same[:1999]: b"4"},
    more={same: b"5"},
    span=Span(same[:2000], same + b"\x01"),
    cleared=Span(same, same + b"\x00"),
    limit=6,
)
def test_short_and_long_keys_lie_in_one_order(
    store: tuple[PostgresEngine, asyncio.Runner],
    rows: dict[bytes, bytes],
    more: dict[bytes, bytes],
    span: Span,
    cleared: Span,
    limit: int,
) -> None:
    """Puts, scans both ways and clears do what they do in a sorted dict."""
    engine, runner = store
    model = rows | more

    def fill(t: Transaction, written: dict[bytes, bytes], gone: Span) -> None:
        t.clear(gone)
        for key, value in written.items():
            t.set(key, value)

    def check() -> None:
        inside = [(key, model[key]) for key in sorted(model) if span.covers(key)]
        asked = [*rows, *more, span.start, span.end]
        found, forth, back = engine.snapshot(
            lambda r: (
                [r.get(key) for key in asked],
                r.scan(span, limit),
                r.scan(span, limit, backward=True),
            )
        )
        assert found == [model.get(key) for key in asked]
        assert forth == inside[:limit]
        assert back == inside[::-1][:limit]

    def write(written: dict[bytes, bytes], gone: Span) -> None:
        runner.run(engine.transact(lambda t: fill(t, written, gone), locks=[A]))

    write(rows, Span(b"\x00", b"\xff\xff\xff" + same))
    write(more, Span(b"", b""))
    check()
    gone = {key for key in model if cleared.covers(key)}
    model = {key: value for key, value in model.items() if key not in gone}
    write({}, cleared)
    check()

    def delete(t: Transaction) -> None:
        for key in model:
            t.set(key, None)

    runner.run(engine.transact(delete, locks=[A]))
    model = {}
    check()


def test_every_statement_walks_an_index(store: tuple[PostgresEngine, asyncio.Runner]) -> None:
    """Also while the statistics say that there is next to nothing: no table is read as a whole."""
    engine, _ = store
    bytea = b"\\x61"
    connection = engine._cluster.open()
    try:
        for request in [
            *gets([b"k", LONG]),
            scan(Span(b"a", b"b"), 5, backward=False),
            scan(Span(b"a", b"b"), 5, backward=True),
            lock([1, 2]),
            *changes([Span(b"a", b"b")], {b"k": None, LONG: None}),
        ]:
            if not request.parameters:  # a setting of the transaction: it reads no table
                continue
            named_types = statements.PREPARED[request.name]
            count = len(request.parameters)
            values = ["'{1,2}'" if "int4" in named_types else f"'{bytea.decode()}'"] * count
            if "LIMIT" in named_types:
                values[2] = "5"
            elif "ANY" in named_types and "int4" not in named_types:
                values = ["'{a}'"]
            text = f"EXPLAIN EXECUTE {request.name.decode()} ({', '.join(values)})"
            results = connection.block(connection.send_text([text])).checked()
            assert results[0].status == pq.ExecStatus.TUPLES_OK
            plan = "\n".join(
                (results[0].get_value(row, 0) or b"").decode() for row in range(results[0].ntuples)
            )
            assert "Index" in plan, plan
            assert "Seq Scan" not in plan, plan
            assert "Bitmap" not in plan, plan
    finally:
        connection.close()
