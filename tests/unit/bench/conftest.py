"""What the tests of the benchmark share."""

import signal
from collections.abc import Iterator

import pytest


@pytest.fixture
def hears_sighup() -> Iterator[None]:
    """Have SIGHUP end a process also where whoever runs the tests has it ignored."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)
