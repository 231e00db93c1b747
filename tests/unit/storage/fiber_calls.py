"""Plain functions called in fibers, as tests do."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from penstock.storage.fibers import Fiber

T = TypeVar("T")
P = ParamSpec("P")


def run_sync(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Fiber[T]:
    """Return a fiber that calls `function`."""

    async def call() -> T:
        return function(*args, **kwargs)

    return Fiber(call())
