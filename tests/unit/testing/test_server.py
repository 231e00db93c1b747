"""The server in a test's own process hides nothing that goes wrong on its thread."""

import urllib.request

import pytest

from penstock.base.clock import Clock
from penstock.storage.memory import MemoryEngine
from penstock.testing.server import RunningServer


class Unclosable(MemoryEngine):
    """An engine that fails at its end."""

    def close(self) -> None:
        super().close()
        raise OSError("cannot close")


def test_it_answers_inside_the_with_and_is_gone_after_it() -> None:
    with RunningServer() as server, urllib.request.urlopen(server.url) as answer:
        assert answer.read().startswith(b"healthy")
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(server.url)


def test_an_engine_that_cannot_be_had_fails_the_start() -> None:
    def fail(_clock: Clock) -> MemoryEngine:
        raise OSError("no engine")

    with pytest.raises(OSError, match="no engine"), RunningServer(fail):
        pytest.fail("it started")


def test_what_goes_wrong_at_the_end_is_raised_there() -> None:
    with pytest.raises(OSError, match="cannot close"), RunningServer(Unclosable):
        pass


def test_what_the_test_itself_raises_comes_first() -> None:
    with pytest.raises(KeyError), RunningServer(Unclosable):
        raise KeyError
