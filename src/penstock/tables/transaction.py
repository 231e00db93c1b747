"""Transactions: up to a hundred actions on items of any tables, all of them made or none.

The actions are those of whatever request has them: each is a table's name and what makes a `Write`
of the table. One that only checks an item makes a write whose decision leaves it as it is.

The order is DynamoDB's: 1. a token that is known answers for the request, 2. tables that are not
there and what breaks a rule of the whole request refuse it, 3. the first action that does not fit
its table cancels it, before any condition is judged, 4. so do items that another transaction holds,
5. so do actions that fail on the items as they are, and then each tells its reason.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, TypeVar

from penstock.base.errors.api import ApiError, RequestError
from penstock.base.errors.transactions import (
    Reason,
    reason_of,
    several_actions_on_one_item,
    transaction_canceled,
)
from penstock.storage.waist import Reader, Transaction
from penstock.tables.descriptor import Table
from penstock.tables.read import get_item
from penstock.tables.tables import Tables, check_all_current, locks_of, until_current
from penstock.tables.tokens import Token, is_known, remember, token_key, token_lock
from penstock.tables.write import Change, Write, change_item

T = TypeVar("T")


class Action(NamedTuple):
    """One action of a transaction: the name of a table, and what makes the write of the table.

    `prepare` raises ApiError for a write that the table cannot take, which cancels the transaction,
    and RequestError for what refuses the whole request.
    """

    table: str
    prepare: Callable[[Table], Write]


class Outcome(NamedTuple):
    """What each action changed; where the request was `repeated`, the items as they are now."""

    changes: list[Change]
    repeated: bool


async def transact(
    tables: Tables, region: str, actions: Sequence[Action], token: Token | None = None
) -> Outcome:
    """Make all of `actions`, in one transaction of the store, or none.

    Raises TransactionCanceledException with a reason for each action, and what refuses the whole
    request: ResourceNotFoundException, ValidationException, and of a `token`
    IdempotentParameterMismatchException and TransactionInProgressException.
    """
    if token is None:
        return await until_current(lambda: _attempt(tables, region, actions, None, b""))
    key = token_key(region, token)
    with tables.claims.hold_token(key, token.digest):
        return await until_current(lambda: _attempt(tables, region, actions, token, key))


async def _attempt(
    tables: Tables, region: str, actions: Sequence[Action], token: Token | None, key: bytes
) -> Outcome:
    now_ms = tables.clock.now_ms()
    # 1. A request that was made before, or a token of another one.
    if token is not None and tables.read(lambda reader: is_known(reader, key, token, now_ms)):
        return tables.read(partial(_repeated, _writes(tables, region, actions)))
    # 2., 3. What is wrong without looking at any item.
    writes = [tables.guarded(write) for write in _writes(tables, region, actions)]
    places = [write.place for write in writes]

    def work(txn: Transaction) -> Outcome:
        check_all_current(txn, writes)
        if token is not None:
            if is_known(txn, key, token, now_ms):
                return _repeated(writes, txn)
            remember(txn, key, token, now_ms)
        return Outcome(_changes(txn, writes), repeated=False)

    locks = locks_of(writes)
    if token is not None:
        locks = (*locks, token_lock(key))
    # 4. Items that are held by others, and are from now on by this transaction.
    with tables.claims.hold(places):
        # 5. The items as they are.
        outcome = await tables.engine.transact(work, locks=locks, reads=places)
    tables.note_load(writes, outcome.changes)
    return outcome


def fitting(prepare: Sequence[Callable[[], T]], place: Callable[[T], bytes]) -> list[T]:
    """Return what each action of a transaction makes by `prepare`; `place` tells its item's key.

    Raises ValidationException where two actions have one item, and TransactionCanceledException
    with the reason of the first action that does not fit its table.
    """
    made: list[T] = []
    reasons: list[Reason | None] = []
    for each in prepare:
        reason = None
        try:
            made.append(each())
        except RequestError:
            raise
        except ApiError as error:
            reason = reason_of(error)
        reasons.append(reason)
    if len(set(map(place, made))) < len(made):
        raise several_actions_on_one_item()
    if len(made) < len(prepare):
        raise transaction_canceled(_first_only(reasons))
    return made


def _writes(tables: Tables, region: str, actions: Sequence[Action]) -> list[Write]:
    found = {name: tables.table(region, name) for name in {action.table for action in actions}}
    return fitting(
        [partial(action.prepare, found[action.table]) for action in actions],
        lambda write: write.place,
    )


def _changes(txn: Transaction, writes: Sequence[Write]) -> list[Change]:
    """Make all `writes`; TransactionCanceledException with every reason where any is refused."""
    changes: list[Change] = []
    reasons: list[Reason | None] = []
    for write in writes:
        reason = None
        try:
            changes.append(change_item(txn, write))
        except RequestError:
            raise
        except ApiError as error:
            reason = reason_of(error)
        reasons.append(reason)
    if len(changes) < len(writes):
        raise transaction_canceled(reasons)
    return changes


def _repeated(writes: Sequence[Write], reader: Reader) -> Outcome:
    """Return the outcome of a request that was made before."""
    items = [get_item(reader, write.table, write.key) for write in writes]
    return Outcome([Change(item, item) for item in items], repeated=True)


def _first_only(reasons: Sequence[Reason | None]) -> list[Reason | None]:
    at = next(place for place, reason in enumerate(reasons) if reason is not None)
    return [reason if place == at else None for place, reason in enumerate(reasons)]
