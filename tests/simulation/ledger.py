"""The ledger: what clients asked for and were told, and whether the records agree.

Every put and update leaves a mark of its own in its item, so a record tells whose it is. A delete
is known by the mark that it removed, where its answer told.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from penstock.storage.waist import Stamp
from penstock.testing.checkers import Write
from simulation.wrong import Checker, Wrong

MARK = "m"
EXPIRES = "expires"
KEY = "pk"

State = Literal["under way", "acknowledged", "refused", "in doubt"]
Image = dict[str, Any]
Item = tuple[str, str]
"""The name of a table and the key of an item in it."""


class Logged(NamedTuple):
    """A record as it was found in the log of a shard."""

    table: str
    stream: int
    shard: int
    stamp: Stamp
    record: dict[str, Any]

    @property
    def key(self) -> str:
        """The key of the record's item."""
        found: str = self.record["dynamodb"]["Keys"][KEY]["S"]
        return found

    @property
    def item(self) -> Item:
        """The item that the record is of."""
        return (self.table, self.key)

    @property
    def old(self) -> Image | None:
        """The item before the change."""
        found: Image | None = self.record["dynamodb"].get("OldImage")
        return found

    @property
    def new(self) -> Image | None:
        """The item after the change."""
        found: Image | None = self.record["dynamodb"].get("NewImage")
        return found

    @property
    def by_service(self) -> bool:
        """Whether no client asked for the change."""
        return "userIdentity" in self.record

    def __str__(self) -> str:
        change = f"{mark_of(self.old)} -> {mark_of(self.new)}"
        return f"stream {self.stream} shard {self.shard} at {self.stamp}: {self.key} {change}"


@dataclass(slots=True)
class Attempt:
    """One put, update (`mark` is what it leaves) or delete (None) of one item."""

    item: Item
    mark: str | None
    began: int
    snapshot: int
    """The number of the snapshot that was durable when it began."""
    state: State = "under way"
    ended: int | None = None
    replaced: str | None = None
    told: bool = False
    """Whether the answer told what was replaced."""
    record: Logged | None = None
    doubted: bool = False
    """Whether it was asked for before, and may have been made then."""

    def __str__(self) -> str:
        what = "delete" if self.mark is None else self.mark
        return f"{what} of {self.item[1]}"


def mark_of(image: Image | None) -> str | None:
    """Return the mark of an item, None where there is no item."""
    return None if image is None else image[MARK]["S"]


@dataclass
class Ledger:
    """All attempts, and the records that they left."""

    attempts: list[Attempt] = field(default_factory=list)
    _by_mark: dict[str, Attempt] = field(default_factory=dict)
    _of_item: defaultdict[Item, list[Attempt]] = field(default_factory=lambda: defaultdict(list))
    _removals: dict[tuple[Item, str | None], Logged] = field(default_factory=dict)
    _removed: Counter[Item] = field(default_factory=Counter)
    expired: defaultdict[str, list[Write]] = field(default_factory=lambda: defaultdict(list))
    """The deletes by the service, as writes."""

    def begin(self, item: Item, mark: str | None, step: int, snapshot: int) -> Attempt:
        """Note an attempt that begins now."""
        attempt = Attempt(item, mark, step, snapshot)
        self.attempts.append(attempt)
        self._of_item[item].append(attempt)
        if mark is not None:
            self._by_mark[mark] = attempt
        return attempt

    def record(self, logged: Logged, step: int) -> None:
        """Note a record that is new; Wrong where nobody asked for it, or it was there before."""
        if logged.new is None:
            self._record_removal(logged, step)
            return
        attempt = self._by_mark.get(mark_of(logged.new) or "")
        if attempt is None or attempt.item != logged.item:
            raise Wrong(Checker.ONCE, f"nobody asked for the record {logged}")
        if attempt.record is not None:
            raise Wrong(Checker.ONCE, f"{attempt} has two records: {attempt.record} and {logged}")
        if attempt.state == "refused":
            raise Wrong(Checker.ANSWERS, f"{attempt} was refused, but has the record {logged}")
        attempt.record = logged

    def acknowledge(self, attempt: Attempt, step: int, *, streamed: bool) -> None:
        """Note that an attempt was answered; Wrong where its record does not tell the same.

        `streamed` says that the table had one and the same stream from its beginning on.
        """
        attempt.state, attempt.ended = "acknowledged", step
        record = attempt.record
        if attempt.mark is None:
            record = self._removals.get((attempt.item, attempt.replaced))
            is_missing = attempt.told and attempt.replaced is not None and record is None
        else:
            is_missing = record is None
        if is_missing and streamed:
            raise Wrong(Checker.ONCE, f"{attempt} was acknowledged and has no record")
        if record is not None and attempt.told and mark_of(record.old) != attempt.replaced:
            raise Wrong(
                Checker.ANSWERS, f"{attempt} was told to replace {attempt.replaced}: {record}"
            )

    def refuse(self, attempt: Attempt, step: int) -> None:
        """Note that an attempt was refused; Wrong where it has a record all the same."""
        attempt.state, attempt.ended = "in doubt" if attempt.doubted else "refused", step
        if attempt.record is not None and not attempt.doubted:
            raise Wrong(Checker.ANSWERS, f"{attempt} was refused, but has {attempt.record}")

    def doubt(self, attempt: Attempt, step: int) -> None:
        """Note that nobody knows whether an attempt was made."""
        attempt.state, attempt.ended, attempt.doubted = "in doubt", step, True

    def is_alone(self, attempt: Attempt) -> bool:
        """Say whether no other attempt on the same item can have come after this one."""
        return all(
            other is attempt or other.state == "refused" or _is_before(other, attempt)
            for other in self._of_item[attempt.item]
        )

    def writes(self, table: str) -> list[Write]:
        """Return what may have changed items of `table`, as the published checkers take it."""
        return self.expired[table] + [
            Write(
                key={KEY: {"S": each.item[1]}},
                mark=each.mark,
                began=each.began,
                ended=each.began if each.ended is None else each.ended,
                acknowledged=each.state == "acknowledged",
                replaced=each.replaced,
            )
            for each in self.attempts
            if each.item[0] == table and each.state != "refused" and not _found_nothing(each)
        ]

    def _record_removal(self, logged: Logged, step: int) -> None:
        removed = (logged.item, mark_of(logged.old))
        if removed in self._removals:
            raise Wrong(Checker.ONCE, f"{self._removals[removed]} and {logged} remove the same")
        self._removals[removed] = logged
        if logged.by_service:
            key = {KEY: {"S": logged.key}}
            self.expired[logged.table].append(
                Write(key, None, 0, step, acknowledged=False, replaced=removed[1])
            )
            return
        self._removed[logged.item] += 1
        asked = [a for a in self._of_item[logged.item] if a.mark is None and a.state != "refused"]
        if self._removed[logged.item] > len(asked):
            raise Wrong(Checker.ONCE, f"nobody asked for the removal {logged}")


def _is_before(one: Attempt, other: Attempt) -> bool:
    return one.state != "in doubt" and one.ended is not None and one.ended < other.began


def _found_nothing(attempt: Attempt) -> bool:
    return attempt.mark is None and attempt.told and attempt.replaced is None
