"""Claims: what the transactions that are under way in this process are about to change or check.

Other writes meet them as conflicts, as on AWS; reads never do. That is a courtesy and no guarantee:
claims live in memory and end with whoever held them, and that transactions are serialisable is the
engine's work.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from penstock.base.errors.transactions import (
    Reason,
    idempotent_parameter_mismatch,
    reason_of,
    transaction_canceled,
    transaction_conflict,
    transaction_in_progress,
)


class Claims:
    """The items, by the keys that they are stored at, and the tokens that are claimed."""

    __slots__ = ("items", "tokens")

    def __init__(self) -> None:
        self.items: set[bytes] = set()
        self.tokens: dict[bytes, bytes] = {}

    def check_free(self, items: Sequence[bytes]) -> None:
        """Raise TransactionConflictException where one of `items` is claimed."""
        if not self.items.isdisjoint(items):
            raise transaction_conflict()

    def check_all_free(self, items: Sequence[bytes]) -> None:
        """Raise TransactionCanceledException, telling which of `items` are claimed, if any is."""
        if not self.items.isdisjoint(items):
            raise transaction_canceled([self._conflict(item) for item in items])

    @contextmanager
    def hold(self, items: Sequence[bytes]) -> Iterator[None]:
        """Claim `items`, each named once; TransactionCanceledException where one is claimed."""
        self.check_all_free(items)
        self.items.update(items)
        try:
            yield
        finally:
            self.items.difference_update(items)

    @contextmanager
    def hold_token(self, token: bytes, digest: bytes) -> Iterator[None]:
        """Claim `token` for the request of `digest`.

        TransactionInProgressException while the same request holds it, while another one does
        IdempotentParameterMismatchException.
        """
        held = self.tokens.get(token)
        if held is not None:
            raise transaction_in_progress() if held == digest else idempotent_parameter_mismatch()
        self.tokens[token] = digest
        try:
            yield
        finally:
            del self.tokens[token]

    def _conflict(self, item: bytes) -> Reason | None:
        return reason_of(transaction_conflict()) if item in self.items else None
