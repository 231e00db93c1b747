"""The outbox: who has something to send waits for the end of the turn, and no longer."""

import asyncio

import pytest

from penstock.base import limits
from penstock.edge.outbox import Outbox


class Sender:
    """Notes when it is told to send."""

    def __init__(self, sent: list["Sender"]) -> None:
        self._sent = sent

    def flush(self) -> None:
        self._sent.append(self)


def test_all_of_one_turn_send_in_a_row_on_the_next() -> None:
    sent: list[Sender] = []

    async def work() -> None:
        outbox = Outbox(asyncio.get_running_loop())
        senders = [Sender(sent) for _ in range(3)]
        for sender in senders:
            outbox.add(sender)
        assert sent == []
        await asyncio.sleep(0)
        assert sent == senders
        outbox.add(senders[1])
        await asyncio.sleep(0)
        assert sent == [*senders, senders[1]]

    asyncio.run(work())


def test_many_do_not_wait_for_the_end_of_the_turn() -> None:
    sent: list[Sender] = []

    async def work() -> None:
        outbox = Outbox(asyncio.get_running_loop())
        senders = [Sender(sent) for _ in range(limits.answers_together_max + 1)]
        for sender in senders:
            outbox.add(sender)
        assert sent == senders[:-1]
        await asyncio.sleep(0)
        assert sent == senders

    asyncio.run(work())


def test_who_cannot_send_does_not_keep_the_others_from_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sent: list[Sender] = []

    class Broken(Sender):
        def flush(self) -> None:
            raise RuntimeError

    async def work() -> None:
        outbox = Outbox(asyncio.get_running_loop())
        senders = [Sender(sent), Broken(sent), Sender(sent)]
        for sender in senders:
            outbox.add(sender)
        await asyncio.sleep(0)
        assert sent == [senders[0], senders[2]]

    asyncio.run(work())
    assert [record.message for record in caplog.records] == ["An answer could not be sent"]
