"""What the demo writes is real and complete, and leads each item through its versions."""

import itertools
from collections import defaultdict

import pytest

from penstock.app.demo_plan import LATEST, Key, Step, hours, writes_planned
from penstock.app.readings import Reading, ReadingsError, load_readings, parse_readings
from penstock.base import limits

_COUNT = 1400
_READINGS = {
    city: [Reading(city, f"2010-{at // 700 + 1:02}-01 {at:05}", "39.4") for at in range(_COUNT)]
    for city in ("Seattle", "San Francisco")
}


def _all_steps() -> list[Step]:
    return [step for hour in hours(_READINGS) for step in [*hour.puts, *hour.later]]


def test_each_item_goes_through_versions_without_gaps() -> None:
    versions: dict[Key, list[int]] = defaultdict(list)
    for step in _all_steps():
        versions[step.key].append(step.version)
        assert (step.event == "INSERT") == (step.version == 1)
    assert all(each == list(range(1, len(each) + 1)) for each in versions.values())
    assert len(versions) == 2 * (_COUNT + 1)


def test_every_reading_updates_the_latest_item_of_its_city() -> None:
    latest = [step for step in _all_steps() if step.key == ("Seattle", LATEST)]
    assert [step.attributes["read_at"]["S"] for step in latest] == [
        reading.hour for reading in _READINGS["Seattle"]
    ]


def test_a_removal_is_an_items_last_write() -> None:
    last = {step.key: step for step in _all_steps()}
    removals = [step for step in _all_steps() if step.event == "REMOVE"]
    assert all(last[step.key] == step for step in removals)


def test_the_shares_of_corrected_and_deleted_readings_and_of_both() -> None:
    steps = [step for step in _all_steps() if step.key[1] != LATEST]
    events = [step.event for step in steps]
    assert events.count("INSERT") == 2 * _COUNT
    assert events.count("MODIFY") == 2 * 70
    assert events.count("REMOVE") == 2 * 43
    assert any(step.event == "REMOVE" and step.version == 3 for step in steps)


def test_no_batch_is_larger_than_the_service_allows_or_names_a_key_twice() -> None:
    for hour in hours(_READINGS):
        keys = {step.key for step in hour.puts}
        assert 0 < len(keys) == len(hour.puts) <= limits.batch_write_requests_max


def test_a_city_with_fewer_readings_ends_sooner() -> None:
    fewer = {**_READINGS, "Seattle": _READINGS["Seattle"][:10]}
    assert [len(hour.puts) for hour in hours(fewer)][9:11] == [4, 2]


def test_the_number_of_writes_planned_is_the_number_of_steps() -> None:
    assert writes_planned(_READINGS) == len(_all_steps())


def test_a_correction_changes_the_temperature() -> None:
    corrected = [step for step in _all_steps() if "corrected" in step.attributes]
    assert {step.attributes["temperature"]["N"] for step in corrected} == {"39.9"}


def test_the_readings_of_both_cities_are_a_year_of_hours_each() -> None:
    readings = load_readings()
    assert {city: len(each) for city, each in readings.items()} == {
        "Seattle": 8759,
        "San Francisco": 8759,
    }
    assert readings["San Francisco"][0] == Reading("San Francisco", "2010-01-01 00:00", "47.8")
    assert all(
        earlier.hour < later.hour
        for each in readings.values()
        for earlier, later in itertools.pairwise(each)
    )


def test_a_package_that_is_absent_is_told_with_the_way_to_install_it() -> None:
    with pytest.raises(ReadingsError, match="pip install penstock-absent"):
        load_readings("penstock-absent")


def test_a_package_without_the_files_is_told() -> None:
    with pytest.raises(ReadingsError, match="has no file seattle-temps"):
        load_readings("pytest")


@pytest.mark.parametrize(
    "text",
    ["date,heat\n2010/01/01 00:00,1\n", "date,temp\n2010,1\n", "date,temp\n2010/01/01 00:00,x\n"],
)
def test_readings_that_are_not_as_expected_are_told(text: str) -> None:
    with pytest.raises(ReadingsError, match="the readings of Seattle are not as expected"):
        parse_readings("Seattle", text)


def test_both_forms_of_the_date_are_read_and_rows_come_in_order_of_time() -> None:
    text = "temp,date\n48.5,2010/01/01 01:00:00\n47,2010/01/01 00:00\n"
    assert parse_readings("Seattle", text) == [
        Reading("Seattle", "2010-01-01 00:00", "47"),
        Reading("Seattle", "2010-01-01 01:00", "48.5"),
    ]
