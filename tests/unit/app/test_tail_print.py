"""What `penstock tail` prints: wire JSON for programs, a readable difference for people."""

import argparse
import base64
import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from penstock.app import tail
from penstock.app.feed import Change
from penstock.app.tail_print import JsonPrinter, ScreenPrinter, header_line, record_json

_SHARD = "shardId-00000001573689847184-864758bb"


def _change(**body: Any) -> Change:
    whole = {
        "ApproximateCreationDateTime": datetime(2026, 10, 5, 12, 0, 1, tzinfo=UTC),
        "Keys": {"hour": {"S": "latest"}, "city": {"S": "Seattle"}},
        "SequenceNumber": "100000000000000000001",
        "StreamViewType": "NEW_AND_OLD_IMAGES",
        **body,
    }
    return Change({"eventName": "MODIFY", "dynamodb": whole}, _SHARD, 0.0)


def _screen(change: Change) -> str:
    output = io.StringIO()
    printer = ScreenPrinter(output, io.StringIO())
    printer.opening("t: from now on", ("city", "hour"))
    printer.change(change)
    return output.getvalue()


def test_a_change_is_a_header_and_a_line_per_edit_without_escapes_off_a_terminal() -> None:
    old = {"city": {"S": "Seattle"}, "temp": {"N": "39.4"}, "ok": {"BOOL": True}}
    new = {"city": {"S": "Seattle"}, "temp": {"N": "40"}, "ok": {"BOOL": True}, "to": {"N": "1"}}
    header, *lines = _screen(_change(OldImage=old, NewImage=new)).splitlines()
    assert header.split()[1:] == [
        "MODIFY",
        "city",
        '"Seattle"',
        "hour",
        '"latest"',
        "…864758bb",
        "·",
        "100000000000000000001",
    ]
    assert lines == ["  ~ temp  39.4 → 40", "  + to    1", "    1 unchanged"]


def test_a_very_long_value_is_shortened_and_its_length_told() -> None:
    text = _screen(_change(OldImage={}, NewImage={"a": {"S": "x" * 5000}}))
    assert "… (5002 characters)" in text
    assert len(text) < 1000


def test_of_long_values_the_part_that_changed_is_shown() -> None:
    image = {"a": {"S": "x" * 2000 + "red" + "y" * 5000}, "b": {"S": "x" * 600}}
    after = {"a": {"S": "x" * 2000 + "blue"}, "b": {"S": "x" * 601}}
    first, second = _screen(_change(OldImage=image, NewImage=after)).splitlines()[1:]
    assert first.startswith(f"  ~ a  …{'x' * 40}redyyy")
    assert first.endswith(f'y… (7005 characters) → …{"x" * 40}blue" (2006 characters)')
    assert second == f'  ~ b  …{"x" * 40}" (602 characters) → …{"x" * 41}" (603 characters)'


def test_values_stand_in_one_column_also_beside_names_of_wide_characters() -> None:
    text = _screen(_change(OldImage={}, NewImage={"日本": {"N": "1"}, "plain": {"N": "2"}}))
    assert text.splitlines()[1:] == ["  + plain   2", '  + "日本"  1']


def test_an_expired_item_says_so() -> None:
    change = _change(OldImage={})
    identity = {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}
    record = {**change.record, "eventName": "REMOVE", "userIdentity": identity}
    assert "expired by time to live" in _screen(Change(record, _SHARD, 0.0))


def test_on_a_wide_screen_the_header_ends_at_its_edge() -> None:
    assert header_line(_change(), ("city", "hour"), 120).cell_len == 120
    assert header_line(_change(), ("city", "hour"), 20).cell_len < 120


def test_json_is_the_record_as_it_was_on_the_wire() -> None:
    image = {"raw": {"B": b"\x00\xff"}, "set": {"BS": [b"a"]}, "text": {"S": "é\n"}}
    line = record_json(_change(NewImage=image).record)
    assert "\n" not in line
    body = json.loads(line)["dynamodb"]
    assert body["ApproximateCreationDateTime"] == 1_791_201_601
    assert base64.b64decode(body["NewImage"]["raw"]["B"]) == b"\x00\xff"
    assert body["NewImage"]["set"]["BS"] == ["YQ=="]
    assert body["NewImage"]["text"]["S"] == "é\n"


def test_json_holds_records_only_and_notices_go_beside_it() -> None:
    output, errors = io.StringIO(), io.StringIO()
    printer = JsonPrinter(output, errors)
    printer.opening("t", ())
    printer.notice("records were trimmed")
    printer.change(_change())
    assert len(output.getvalue().splitlines()) == 1
    assert errors.getvalue() == "penstock tail: records were trimmed\n"


def _arguments(*given: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    tail.add_arguments(parser)
    return parser.parse_args(given)


def test_by_default_the_feed_is_of_the_local_server_from_now_on() -> None:
    arguments = _arguments("t")
    assert arguments.endpoint_url == "http://127.0.0.1:8000"
    assert (arguments.start, arguments.limit, arguments.json) == ("now", None, False)


def test_aws_means_no_endpoint_of_our_own() -> None:
    assert _arguments("t", "--aws").endpoint_url is None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--limit", "0"], "'0' is not a whole number from 1 on"),
        (["--limit", "many"], "'many' is not a whole number from 1 on"),
        (["--aws", "--endpoint-url", "http://x"], "not allowed with argument --aws"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(
    given: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        _arguments("t", *given)
    assert words in capsys.readouterr().err
