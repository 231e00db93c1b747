"""The server's log: one line for each event, with its fields and then its trace."""

import logging

from penstock.app.log import FieldsFormatter


def _line(text: str, exc_info: BaseException | None = None, **fields: object) -> str:
    made = {"msg": text, "levelname": "ERROR", "created": 0.0, "exc_info": None, **fields}
    record = logging.makeLogRecord(made)
    if exc_info is not None:
        record.exc_info = (type(exc_info), exc_info, exc_info.__traceback__)
    return FieldsFormatter().format(record)


def test_fields_stand_behind_the_text() -> None:
    line = _line("A request failed by a bug", request_id="ABC", target="X.PutItem")
    assert line.endswith(" ERROR A request failed by a bug request_id='ABC' target='X.PutItem'")


def test_a_line_without_fields_ends_with_its_text() -> None:
    assert _line("Nothing to add").endswith(" ERROR Nothing to add")


def test_a_field_cannot_begin_a_line_of_its_own() -> None:
    assert "\n" not in _line("Text", target="X\nERROR forged")


def test_the_trace_follows_the_line() -> None:
    lines = _line("Text", exc_info=ValueError("why"), request_id="ABC").splitlines()
    assert lines[0].endswith(" ERROR Text request_id='ABC'")
    assert lines[-1] == "ValueError: why"
