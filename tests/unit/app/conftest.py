"""What the tests of commands as processes share."""

import signal
from collections.abc import Iterator

import pytest


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let processes of the test be interrupted, also where this one ignores the keyboard.

    A shell starts what runs in its background so, and a child inherits it.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
