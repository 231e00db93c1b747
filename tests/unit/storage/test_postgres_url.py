"""What may be told of a database's URL: its name and where it is, from the URL or around it."""

import pytest

from penstock.storage.postgres_url import BadUrl, Place, place_of

VARIABLES = ("PGHOST", "PGHOSTADDR", "PGDATABASE", "PGUSER", "PGSERVICE", "PGSERVICEFILE")


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("url", "database", "host"),
    [
        ("postgresql://me:secret@db.example:5433/orders", "orders", "db.example"),
        ("postgres://h1:1,h2:2/orders?target_session_attrs=read-write", "orders", "h1, h2"),
        ("postgresql:///orders?host=/run/db&password=secret", "orders", "/run/db"),
        ("postgresql:///orders?hostaddr=10.0.0.1", "orders", "10.0.0.1"),
        ("postgresql://[::1]/orders", "orders", "::1"),
        ("postgresql://me:secret@db.example", "me", "db.example"),
        ("postgresql://me@/orders", "orders", "this machine"),
        ("postgresql:///?service=shop", "service shop", "service shop"),
        ("postgresql:///orders?options=-csearch_path%3Dsecret", "orders", "this machine"),
    ],
)
def test_the_place_is_told_and_nothing_else(url: str, database: str, host: str) -> None:
    assert place_of(url) == Place(database, host)


def test_what_the_url_leaves_open_comes_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PGHOST", "db.example")
    monkeypatch.setenv("PGDATABASE", "orders")
    assert place_of("postgresql://me:secret@") == Place("orders", "db.example")
    assert place_of("postgresql://here/mine") == Place("mine", "here")


def test_what_libpq_quotes_of_a_url_is_not_told() -> None:
    with pytest.raises(BadUrl) as bad:
        place_of("postgresql://me:%zzsecret@h/db")
    assert str(bad.value) == "invalid percent-encoded token"
    assert bad.value.__cause__ is None


def test_a_password_that_makes_a_database_of_itself_is_not_told() -> None:
    """Its slash is not escaped, and what stands before that passes for a port."""
    with pytest.raises(BadUrl) as bad:
        place_of("postgresql://user:12/secret@host/db")
    assert "secret" not in str(bad.value)
