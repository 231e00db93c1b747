"""What may be stored of what goes wrong, and what stays on the terminal."""

import socket

import pytest

from bench.outcome import Outcome
from bench.trouble import Trouble, detail, public, sentence


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("no room in /srv/somebody/x.log, it said", "no room in (path), it said"),
        ("'~/local' is no directory", "'(path)' is no directory"),
        ("GET https://packages.example/simple/moto: 503", "GET (address) 503"),
        ("it took 870 of 1,000 writes/s", "it took 870 of 1,000 writes/s"),
        ("install it (`apt-get install wrk`)", "install it (`apt-get install wrk`)"),
        ("arn:aws:dynamodb:us-east-1:0:table/t/stream/s", None),
    ],
)
def test_what_is_stored_names_no_place(text: str, told: str | None) -> None:
    assert public(text) == (told or text)
    assert public(public(text)) == public(text)


def test_what_is_stored_does_not_name_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "kitchen")
    assert (
        public("cannot reach kitchen:80 of the kitchens")
        == "cannot reach (host):80 of the kitchens"
    )


def test_a_trouble_is_its_sentence_and_its_detail_is_not() -> None:
    trouble = Trouble("ended with 1", "log: /var/x\n")
    assert (sentence(trouble), detail(trouble)) == ("ended with 1", "log: /var/x")


def test_what_nobody_expected_is_its_type_and_its_first_line() -> None:
    error = RuntimeError("odd thing at /srv/x\nand more")
    assert sentence(error) == "RuntimeError: odd thing at (path)"
    assert "and more" in detail(error)
    assert sentence(FileNotFoundError(2, "No such file", "/srv/x")) == (
        "FileNotFoundError: No such file"
    )
    assert sentence(KeyError()) == "KeyError"


def test_an_outcome_keeps_no_places() -> None:
    outcome = Outcome()
    outcome.lack("moto", "put", "log in /srv/x")
    outcome.leave_out("moto", "not in /srv/x")
    outcome.fail("moto", "put: /srv/x")
    assert "/srv" not in f"{outcome.reasons}{outcome.absent}{outcome.failures}"
