"""Transactions in the store: all or nothing, their reasons, their tokens, and whom they meet."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from penstock.base import limits
from penstock.base.errors import dynamodb
from penstock.base.errors.api import ApiError, RequestError
from penstock.storage.prefixes import Prefix
from penstock.storage.rocksdb import RocksEngine
from penstock.storage.waist import Span
from penstock.tables.catalog import table_of
from penstock.tables.descriptor import Table
from penstock.tables.tables import Tables
from penstock.tables.tokens import Token, sweep_tokens
from penstock.tables.transaction import Action, Outcome, transact
from penstock.tables.write import Write
from penstock.testing.clock import FakeClock
from penstock.testing.held_flusher import HeldFlusher
from unit.tables.tables_in_memory import (
    NAME,
    REGION,
    check,
    make_table,
    number_of,
    put,
    records_in,
    tables_in_memory,
    tables_over,
    write_of,
)

TOKEN = Token("Act", "token", b"one")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def tables(clock: FakeClock) -> Tables:
    return tables_in_memory(clock)


def made(tables: Tables, *actions: Action, token: Token | None = None) -> Outcome:
    return asyncio.run(transact(tables, REGION, actions, token))


def refusal(tables: Tables, *actions: Action, token: Token | None = None) -> ApiError:
    with pytest.raises(ApiError) as caught:
        made(tables, *actions, token=token)
    return caught.value


def codes(error: ApiError) -> list[str]:
    assert error.code == "TransactionCanceledException"
    told: list[Any] = error.members["CancellationReasons"]
    found = [reason["Code"] for reason in told]
    assert error.message is not None
    assert error.message.endswith(f"[{', '.join(found)}]")
    return found


def misfit(error: ApiError) -> Action:
    """Return an action that does not fit its table."""

    def prepare(_table: Table) -> Write:
        raise error

    return Action(NAME, prepare)


def failing(error: ApiError) -> Action:
    """Return an action that fails on the item as it is."""

    def decide(_old: object) -> None:
        raise error

    return Action(NAME, write_of("failing", decide))


def test_all_actions_are_made(tables: Tables) -> None:
    """Puts of many partitions are there, each with its record; a check yields none."""
    names = [f"item {n}" for n in range(20)]
    outcome = made(tables, *map(put, names), check("none", there=False))
    assert [number_of(tables, name) for name in names] == ["1"] * 20
    assert records_in(tables) == 20
    assert not outcome.repeated
    assert outcome.changes[-1] == (None, None, (), None)


def test_what_changes_nothing_yields_no_record(tables: Tables) -> None:
    """An item that is put again as it is has one record, that of the first time."""
    made(tables, put("a"), put("b"))
    made(tables, put("a"), put("b", "2"))
    assert records_in(tables) == 3


def test_one_refusal_drops_everything(tables: Tables) -> None:
    """Nothing is left of the actions before and after the one that fails."""
    error = refusal(tables, put("a"), check("none", there=True), put("b"))
    assert codes(error) == ["None", "ConditionalCheckFailed", "None"]
    assert [number_of(tables, name) for name in "ab"] == [None, None]
    assert records_in(tables) == 0


def test_every_failed_action_tells_its_reason(tables: Tables) -> None:
    """All that fail on the items as they are are told, with text and item."""
    made(tables, put("there"))
    error = refusal(
        tables,
        check("there", there=False),
        failing(dynamodb.validation("no")),
        put("a"),
        check("none", there=True),
    )
    assert error.members["CancellationReasons"] == [
        {
            "Code": "ConditionalCheckFailed",
            "Message": "The conditional request failed",
            "Item": {"pk": {"S": "there"}, "n": {"N": "1"}},
        },
        {"Code": "ValidationError", "Message": "no"},
        {"Code": "None"},
        {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"},
    ]


def test_the_first_misfit_is_told_alone(tables: Tables) -> None:
    """What does not fit its table is told once, and no condition is judged."""
    no = misfit(dynamodb.validation("no"))
    assert codes(refusal(tables, check("none", there=True), no, no)) == [
        "None",
        "ValidationError",
        "None",
    ]


def test_an_error_of_the_request_refuses_all_of_it(tables: Tables) -> None:
    """It comes before the misfits before it, and as it is; also where the item brings it about."""
    no, whole = dynamodb.validation("no"), dynamodb.request_invalid("whole")
    for actions in ((misfit(no), misfit(whole)), (failing(whole), check("none", there=True))):
        error = refusal(tables, *actions)
        assert isinstance(error, RequestError)
        assert (error.code, error.message) == ("ValidationException", "whole")


def test_one_item_in_two_actions(tables: Tables) -> None:
    """It refuses the request, before what does not fit."""
    error = refusal(tables, put("a"), misfit(dynamodb.validation("no")), check("a", there=False))
    assert error.message == "Transaction request cannot include multiple operations on one item"


def test_a_table_that_is_not_there(tables: Tables) -> None:
    error = refusal(tables, put("a"), put("b")._replace(table="none"))
    assert error.code == "ResourceNotFoundException"


def test_a_table_that_changes_meanwhile(tables: Tables) -> None:
    """All actions are prepared anew, and what was held for the first time is held no more."""
    prepared: list[Table] = []

    def prepare(table: Table) -> Write:
        prepared.append(table)
        if len(prepared) == 1:
            table = table_of(msgspec.structs.replace(table.descriptor, read_units=5))
        return put("a").prepare(table)

    made(tables, put("b"), Action(NAME, prepare))
    assert len(prepared) == 2
    assert [number_of(tables, name) for name in "ab"] == ["1", "1"]
    assert records_in(tables) == 2


def test_codes_of_reasons(tables: Tables) -> None:
    """A reason's code is that of the error that the action alone would have had."""
    error = refusal(tables, failing(dynamodb.item_collection_too_large()))
    assert codes(error) == ["ItemCollectionSizeLimitExceeded"]


# --- tokens


def test_a_repeated_request_changes_nothing(tables: Tables) -> None:
    """It tells the items as they are now, and leaves no record."""
    made(tables, put("a"), token=TOKEN)
    made(tables, put("a", "2"))
    outcome = made(tables, put("a"), token=TOKEN)
    assert outcome.repeated
    (change,) = outcome.changes
    assert change.old == change.new
    assert change.new is not None
    assert change.new.item()["n"] == {"N": "2"}
    assert (number_of(tables, "a"), records_in(tables)) == ("2", 2)


def test_a_token_with_another_request(tables: Tables) -> None:
    """It is refused before anything of the request itself is judged."""
    made(tables, put("a"), token=TOKEN)
    other = TOKEN._replace(digest=b"two")
    for action in (put("b"), put("b")._replace(table="none")):
        error = refusal(tables, action, token=other)
        assert error.code == "IdempotentParameterMismatchException"
    assert number_of(tables, "b") is None


def test_tokens_are_of_an_action_and_a_region(tables: Tables) -> None:
    """The same text is another token for another action."""
    made(tables, put("a"), token=TOKEN)
    made(tables, put("a", "2"), token=TOKEN._replace(action="Other", digest=b"two"))
    assert number_of(tables, "a") == "2"


def test_a_cancelled_transaction_leaves_no_token(tables: Tables) -> None:
    """The same request is made as soon as it can be."""
    actions = (put("a"), check("b", there=True))
    assert codes(refusal(tables, *actions, token=TOKEN)) == ["None", "ConditionalCheckFailed"]
    made(tables, put("b"))
    assert not made(tables, *actions, token=TOKEN).repeated
    assert number_of(tables, "a") == "1"


def test_a_token_lives_ten_minutes(tables: Tables, clock: FakeClock) -> None:
    """Up to then it is known, afterwards it is new, and is then remembered anew."""
    made(tables, put("a"), token=TOKEN)
    clock.advance(limits.transaction_token_life_ms)
    assert made(tables, put("a"), token=TOKEN).repeated
    clock.advance(1)
    made(tables, put("a", "2"), token=TOKEN._replace(digest=b"two"))
    assert number_of(tables, "a") == "2"
    assert refusal(tables, put("a"), token=TOKEN).code == "IdempotentParameterMismatchException"


def test_a_token_outlives_the_process(tmp_path: Path, clock: FakeClock) -> None:
    """It is on disk with what it was sent for."""
    for repeated in (False, True):
        engine = RocksEngine.open(tmp_path / "store", clock)
        tables = tables_over(engine, clock)
        if not repeated:
            make_table(tables)
        assert made(tables, put("a"), token=TOKEN).repeated == repeated
        assert records_in(tables) == 1
        engine.close()


def tokens_in(tables: Tables) -> int:
    span = Span.of_prefix(Prefix.TRANSACTION_TOKEN.key)
    return len(tables.read(lambda reader: reader.scan(span, 10_000)))


def test_the_sweep_clears_expired_tokens_in_steps(tables: Tables, clock: FakeClock) -> None:
    """No step looks at more than its limit, those that live are left, and the last one says so."""

    async def fill(count: int, kind: str) -> None:
        for n in range(count):
            token = Token("Act", f"{kind}-{n}", b"")
            await transact(tables, REGION, [check("none", there=False)], token)

    async def sweep() -> list[int]:
        cleared, after = await sweep_tokens(tables.engine, clock.now_ms())
        steps = [cleared]
        while after is not None:
            cleared, after = await sweep_tokens(tables.engine, clock.now_ms(), after)
            steps.append(cleared)
        return steps

    expired = limits.token_sweep_rows_max + 10
    asyncio.run(fill(expired, "old"))
    clock.advance(limits.transaction_token_life_ms + 1)
    asyncio.run(fill(5, "new"))
    steps = asyncio.run(sweep())
    assert sum(steps) == expired
    assert len(steps) == 2
    assert tokens_in(tables) == 5
    assert asyncio.run(sweep()) == [0]


# --- conflicts


async def plain(tables: Tables, action: Action) -> None:
    await tables.change(REGION, (NAME,), lambda found: (action.prepare(found[0]),))


class UnderWay:
    """A transaction that is written and not yet durable: a put of `a` and a check of `b`."""

    def __init__(self, clock: FakeClock) -> None:
        self.flusher = HeldFlusher()
        self.tables = tables_in_memory(clock, self.flusher)

    async def begin(self, token: Token | None = None) -> "asyncio.Task[Outcome]":
        self.flusher.hold = True
        actions = (put("a"), check("b", there=False))
        task = asyncio.ensure_future(transact(self.tables, REGION, actions, token))
        await self.flusher.came()
        return task

    async def end(self, task: "asyncio.Task[Outcome]") -> None:
        self.flusher.hold = False
        self.flusher.release()
        await task
        assert not self.tables.claims.items
        assert not self.tables.claims.tokens


async def error_of(work: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await work
    return caught.value


def test_transactions_conflict_while_one_is_under_way(clock: FakeClock) -> None:
    """Another one is cancelled with a reason at each item of the first, checked ones too."""
    first = UnderWay(clock)

    async def run() -> None:
        task = await first.begin()
        error = await error_of(transact(first.tables, REGION, [put("c"), put("a"), put("b")]))
        assert error.members["CancellationReasons"] == [
            {"Code": "None"},
            *[{"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}]
            * 2,
        ]
        await first.end(task)
        await transact(first.tables, REGION, [put("c"), put("a"), put("b")])
        assert records_in(first.tables) == 3

    asyncio.run(run())


def test_plain_writes_conflict_while_one_is_under_way(clock: FakeClock) -> None:
    """They are refused for its items, for others they are not."""
    first = UnderWay(clock)

    async def run() -> None:
        task = await first.begin()
        for name in "ab":
            error = await error_of(plain(first.tables, put(name, "2")))
            assert error.code == "TransactionConflictException"
            assert error.message == "Transaction is ongoing for the item"
        other = asyncio.ensure_future(plain(first.tables, put("c")))
        await first.end(task)
        await other
        await plain(first.tables, put("a", "2"))
        assert number_of(first.tables, "a") == "2"

    asyncio.run(run())


def test_the_service_itself_never_conflicts(clock: FakeClock) -> None:
    """What the service changes for itself waits its turn in the store."""
    first = UnderWay(clock)

    async def run() -> None:
        task = await first.begin()

        def by_service(table: Table) -> Write:
            write = put("a", "2").prepare(table)
            return Write(write.table, write.key, write.keys, write.decide, by_service=True)

        own = asyncio.ensure_future(plain(first.tables, Action(NAME, by_service)))
        await asyncio.sleep(0)
        await first.end(task)
        await own
        assert number_of(first.tables, "a") == "2"

    asyncio.run(run())


def test_a_token_that_is_under_way(clock: FakeClock) -> None:
    """The same request is told to wait; another one with the token never had a right to it."""
    first = UnderWay(clock)

    async def run() -> None:
        task = await first.begin(TOKEN)
        again = await error_of(transact(first.tables, REGION, [put("x")], TOKEN))
        assert again.code == "TransactionInProgressException"
        other = TOKEN._replace(digest=b"two")
        mismatch = await error_of(transact(first.tables, REGION, [put("x")], other))
        assert mismatch.code == "IdempotentParameterMismatchException"
        await first.end(task)
        assert (await transact(first.tables, REGION, [put("a")], TOKEN)).repeated

    asyncio.run(run())


def test_claims_end_with_a_cancelled_task(clock: FakeClock) -> None:
    """Nobody waits for the answer any more; its writes are found by the next one, and its token."""
    first = UnderWay(clock)

    async def run() -> None:
        task = await first.begin(TOKEN)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        assert not first.tables.claims.items
        assert not first.tables.claims.tokens
        again = asyncio.ensure_future(transact(first.tables, REGION, [put("a", "3")], TOKEN))
        await asyncio.sleep(0)
        first.flusher.hold = False
        first.flusher.release()
        assert (await again).repeated
        assert (number_of(first.tables, "a"), records_in(first.tables)) == ("1", 1)

    asyncio.run(run())


def test_claims_end_with_a_refusal(tables: Tables) -> None:
    refusal(tables, put("a"), check("b", there=True), token=TOKEN)
    assert not tables.claims.items
    assert not tables.claims.tokens
