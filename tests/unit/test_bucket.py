"""A token bucket: what is left of a limit that is given as units a second."""

from penstock.base.bucket import Bucket


def test_it_begins_with_a_second_of_units_or_with_what_is_told() -> None:
    assert Bucket(5, 300, 0.0).level(0.0) == 5
    assert Bucket(5, 300, 0.0, begin=1500).level(0.0) == 1500


def test_it_gains_its_rate_and_keeps_no_more_than_its_seconds() -> None:
    bucket = Bucket(10, 2, 1000.0)
    bucket.take(14, 1000.0)
    assert bucket.level(1000.0) == -4
    assert bucket.level(1500.0) == 1
    assert bucket.level(1e9) == 20


def test_a_new_rate_holds_from_then_on() -> None:
    bucket = Bucket(10, 300, 0.0)
    bucket.take(10, 0.0)
    assert bucket.level(1000.0) == 10
    bucket.set_rate(1, 300)
    assert bucket.level(2000.0) == 11
    bucket.set_rate(1, 1)
    assert bucket.level(2000.0) == 1
