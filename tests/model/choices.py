"""Where programs come from: choices drawn by Hypothesis, which shrinks them, or by a seed."""

from collections.abc import Sequence
from random import Random
from typing import Protocol, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


class Choices(Protocol):
    """A source of choices; the simplest is always 0."""

    def below(self, count: int) -> int:
        """Choose a whole number from 0 to `count` - 1."""
        ...


class Drawn:
    """Choices that Hypothesis draws."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def below(self, count: int) -> int:
        return self._draw(st.integers(0, count - 1)) if count > 1 else 0


class Seeded:
    """Choices that follow from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def below(self, count: int) -> int:
        return self._random.randrange(count)


def pick(choices: Choices, options: Sequence[T]) -> T:
    """Choose one of `options`, the simplest first."""
    return options[choices.below(len(options))]


def chance(choices: Choices, one_in: int) -> bool:
    """Say yes once in `one_in` times."""
    return choices.below(one_in) == one_in - 1


def some(choices: Choices, options: Sequence[T], most: int) -> tuple[T, ...]:
    """Choose up to `most` different ones of `options`."""
    left = list(options)
    count = choices.below(min(most, len(left)) + 1)
    return tuple(left.pop(choices.below(len(left))) for _ in range(count))
