"""What a function's answer means, as a table of cases; those marked [S] were seen on AWS."""

import json
from typing import Any

import pytest

from penstock.base import limits
from penstock.consumers.responses import WindowState, error_text, failed_from, window_state

BATCH = ["100", "101", "102", "103"]


def failures(*identifiers: Any) -> str:
    return json.dumps({"batchItemFailures": [{"itemIdentifier": name} for name in identifiers]})


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "null",
        '""',  # [S]
        "{}",
        "[]",
        " {} \n",
        '{"batchItemFailures":null}',
        '{"batchItemFailures":[]}',
        '{"batchItemFailures": [ ]}',
        '{"statusCode":200}',
    ],
)
def test_success(answer: str) -> None:
    assert failed_from(answer.encode(), BATCH) is None


@pytest.mark.parametrize(
    ("answer", "first"),
    [
        (failures("100"), 0),
        (failures("101"), 1),
        (failures("103"), 3),
        (failures("103", "102"), 2),  # the lowest counts
        (failures("102", "102"), 2),
        ('{"more":1,"batchItemFailures":[{"itemIdentifier":"102","why":"x"}]}', 2),
    ],
)
def test_what_is_listed_is_tried_again_and_all_after_it(answer: str, first: int) -> None:
    assert failed_from(answer.encode(), BATCH) == first


@pytest.mark.parametrize(
    "answer",
    [
        failures(""),  # [S]
        failures(None),  # [S]
        failures("999"),  # [S]
        '{"batchItemFailures":[{"foo":"101"}]}',  # [S]
        failures("102", ""),
        failures("102", "999"),
        failures(101),
        failures(["101"]),
        '{"batchItemFailures":[{}]}',
        '{"batchItemFailures":["101"]}',
        '{"batchItemFailures":[null]}',
        '{"batchItemFailures":"101"}',
        '{"batchItemFailures":{"itemIdentifier":"101"}}',
        '{"batchItemFailures":0}',
        '{"batchItemFailures":false}',
        "0",
        "false",
        "true",
        '"done"',
        '["101"]',
        "{",
        "no JSON",
        "NaN",
        '{"batchItemFailures":[],}',
        "[" * 100_000,
    ],
)
def test_what_is_not_understood_is_a_failure_of_all(answer: str) -> None:
    assert failed_from(answer.encode(), BATCH) == 0


def test_bytes_that_are_no_text_are_a_failure_of_all() -> None:
    assert failed_from(b'"\xff"', BATCH) == 0


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ('{"state":{}}', "{}"),
        ('{"state":{"count": 7, "of":{"a":[1]}},"batchItemFailures":[]}', None),
        ('{"batchItemFailures":null,"state": {"n":1.0} }', '{"n":1.0}'),
    ],
)
def test_a_state_comes_back_as_it_was_written(answer: str, state: str | None) -> None:
    found = window_state(answer.encode())
    assert found is not None
    assert found.data.decode() == (state or '{"count": 7, "of":{"a":[1]}}')
    assert not found.is_too_large


@pytest.mark.parametrize(
    "answer",
    ["", "null", "{}", "[]", '"state"', "{", '{"state":null}', '{"state":"x"}', '{"state":[1]}'],
)
def test_an_answer_without_a_state_is_a_failure(answer: str) -> None:
    assert window_state(answer.encode()) is None


def test_a_state_has_a_limit() -> None:
    def sized(size: int) -> WindowState:
        state = b'{"s":"%b"}' % (b"x" * (size - 8))
        found = window_state(b'{"state":' + state + b"}")
        assert found is not None
        assert found.data == state
        assert len(state) == size
        return found

    assert not sized(limits.window_state_bytes_max).is_too_large
    assert sized(limits.window_state_bytes_max + 1).is_too_large


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (b'{"errorType":"E","errorMessage":"\\n no stock\\nat 1"}', "E: no stock"),
        (b'{"errorMessage":"no stock"}', "no stock"),
        (b'{"errorMessage":17}', '{"errorMessage":17}'),
        (b"<h1>502</h1> \xff\n", "<h1>502</h1> \ufffd"),
        (b"", ""),
    ],
)
def test_of_what_a_function_says_of_its_failure_the_first_line_is_shown(
    payload: bytes, text: str
) -> None:
    assert error_text(payload) == text


def test_of_a_long_one_the_beginning_is_kept() -> None:
    payload = json.dumps({"errorMessage": "x" * 100_000}).encode()
    assert error_text(payload) == "x" * limits.error_shown_chars_max
    assert error_text(b"y" * 100_000) == "y" * limits.error_shown_chars_max
