"""What a checker finds, and the checkers there are."""

from enum import StrEnum


class Checker(StrEnum):
    """The five promises of the design, and what else every step is judged by."""

    ONCE = "every committed change is in its stream exactly once, in per-item order"
    FOLD = "folding the stream gives the table"
    BELOW = "a reader that saw stamp N never later finds a new record at or below N"
    CHECKPOINT = "a checkpoint never passes a record that was not delivered"
    LINEAGE = "a parent shard is finished before its children begin"
    RETENTION = "what is older than 24 hours is never returned, what is younger is never missing"
    ANSWERS = "what was answered is what was done"
    LIVES = "everything that was begun ends, and nothing fails but by an armed fault"


class Wrong(Exception):
    """A promise that does not hold."""

    def __init__(self, checker: Checker, text: str) -> None:
        super().__init__(text)
        self.checker = checker
        self.text = text

    def __str__(self) -> str:
        return f"{self.text}\n(the promise: {self.checker})"
