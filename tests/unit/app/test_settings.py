"""Every setting is taken from flag, environment or default, and refused where it makes no sense."""

import argparse
import sys
from pathlib import Path

import pytest

from penstock.app.settings import (
    DEFAULT_DATA,
    SETTINGS,
    Database,
    Setting,
    SettingError,
    Settings,
    add_arguments,
    read_settings,
)
from penstock.base import limits
from penstock.functions.remote_function import HttpFunction, LambdaFunction

SENSIBLE = {
    "host": "::1",
    "port": "0",
    "data": "some/where",
    "engine": "rocksdb",
    "account": "123456789012",
    "shards": "16",
    "table_delay_ms": "250",
    "throttling": "on",
    "ttl_interval_seconds": "5",
    "ttl_change_seconds": "1800",
    "shard_roll_minutes": "5",
    "shard_split_writes_per_second": "20",
    "shard_split_seconds": "7",
    "stream_keep_hours": "48",
    "lsi_stream_rule": "aws",
    "test_controls": "on",
    "workers_max": "7",
    "node_ric": "there",
    "logs_keep_days": "3",
    "logs_keep_megabytes": "2",
    "stop_delay_seconds": "30",
    "sqs_endpoint": "http://127.0.0.1:9324",
    "sns_endpoint": "https://sns.us-east-1.amazonaws.com",
    "s3_endpoint": "http://[::1]:9000/",
    "kafka_brokers": "127.0.0.1:9092,[::1]:9093",
    "remote_functions": "bill=http://h/in,ship=lambda://ship?region=eu-west-1",
    "remote_function_seconds": "60",
}


def _refusal(flags: dict[str, str | None], environment: dict[str, str] | None = None) -> str:
    with pytest.raises(SettingError) as refused:
        read_settings(flags, environment or {})
    return str(refused.value)


def test_without_anything_given_the_defaults_hold() -> None:
    expected = Settings("127.0.0.1", 8000, DEFAULT_DATA, "rocksdb", "000000000000", 4)
    assert read_settings({}, {}) == expected


def test_every_setting_is_taken_from_its_flag_and_from_its_variable() -> None:
    assert set(SENSIBLE) == {setting.name for setting in SETTINGS}
    expected = Settings(
        host="::1",
        port=0,
        data=Path("some/where"),
        engine="rocksdb",
        account="123456789012",
        shards=16,
        table_delay_ms=250,
        throttling=True,
        ttl_interval_seconds=5,
        ttl_change_seconds=1800,
        shard_roll_minutes=5,
        shard_split_writes_per_second=20,
        shard_split_seconds=7,
        stream_keep_hours=48,
        lsi_stream_rule="aws",
        test_controls=True,
        workers_max=7,
        node_ric=Path("there"),
        logs_keep_days=3,
        logs_keep_megabytes=2,
        stop_delay_seconds=30,
        sqs_endpoint="http://127.0.0.1:9324",
        sns_endpoint="https://sns.us-east-1.amazonaws.com",
        s3_endpoint="http://[::1]:9000/",
        kafka_brokers=("127.0.0.1:9092", "[::1]:9093"),
        remote_functions={
            "bill": HttpFunction("http://h/in"),
            "ship": LambdaFunction("ship", None, "eu-west-1", None),
        },
        remote_function_seconds=60,
    )
    assert read_settings(SENSIBLE, {}) == expected
    variables = {f"PENSTOCK_{name.upper()}": text for name, text in SENSIBLE.items()}
    assert read_settings(dict.fromkeys(SENSIBLE), variables) == expected


def test_a_flag_wins_over_the_environment() -> None:
    assert read_settings({"port": "1"}, {"PENSTOCK_PORT": "2"}).port == 1
    assert read_settings({"port": "1"}, {"PENSTOCK_PORT": "nonsense"}).port == 1


def test_what_is_wrong_is_told_with_the_name_that_it_was_given_under() -> None:
    text = "'x' is not a whole number from 0 to 65535"
    assert _refusal({"port": "x"}) == f"--port: {text}"
    assert _refusal({}, {"PENSTOCK_PORT": "x"}) == f"PENSTOCK_PORT: {text}"


@pytest.mark.parametrize(
    "port", ["", "x", "-1", "65536", "1.5", "0x10", " 1", "1_0", "٣", "9" * 99]
)
def test_what_is_no_port_is_refused(port: str) -> None:
    assert _refusal({"port": port}).startswith("--port: ")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1"])
def test_loopback_addresses_are_taken(host: str) -> None:
    assert read_settings({"host": host}, {}).host == host


def test_localhost_is_the_loopback_address_whatever_the_machine_makes_of_the_name() -> None:
    assert read_settings({"host": "localhost"}, {}).host == "127.0.0.1"


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "::", "10.0.0.1", "example.com", "", "127.1", "127.0.0.1:80", "::ffff:8.8.8.8"],
)
def test_any_other_host_is_refused_with_the_reason(host: str) -> None:
    assert _refusal({"host": host}) == (
        f"--host: {host!r} is not a loopback address; until Penstock can check signatures it"
        " listens on loopback only"
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("bill", "'bill' is not NAME=URL"),
        (
            "bill=ftp://h",
            "'ftp://h' is not the URL of a function, such as http://host:port/path or",
        ),
        ("bill=http://h,bill=http://i", "bill is given twice"),
    ],
)
def test_what_names_no_function_elsewhere_is_refused(text: str, told: str) -> None:
    assert _refusal({"remote_functions": text}).startswith(f"--remote-functions: {told}")
    assert _refusal({"remote_function_seconds": "901"}).startswith("--remote-function-seconds: ")


ENGINES = "is not one of memory, rocksdb, nor a URL such as postgresql://user@host/database"


@pytest.mark.parametrize("engine", ["", "bogus", "RocksDB", "memory "])
def test_an_unknown_engine_is_refused_with_those_there_are(engine: str) -> None:
    assert _refusal({"engine": engine}) == f"--engine: {engine!r} {ENGINES}"


@pytest.mark.parametrize(
    "engine",
    ["postgress://u:secret@h/db", "u:secret@h/db", "postgresql:u:secret", "host=h password=secret"],
)
def test_what_may_hold_a_password_is_not_told_again(engine: str) -> None:
    assert _refusal({"engine": engine}) == f"--engine: that {ENGINES}"
    assert _refusal({}, {"PENSTOCK_ENGINE": engine}) == f"PENSTOCK_ENGINE: that {ENGINES}"


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_a_url_is_the_engine_over_that_database(scheme: str) -> None:
    """What is told of it, in any form, holds no password."""
    url = f"{scheme}://me:secret@db.example:5433/orders?sslmode=require"
    settings = read_settings({}, {"PENSTOCK_ENGINE": url})
    assert (settings.engine, settings.data, settings.is_shared) == ("postgresql", None, True)
    assert settings.database == Database(url, "orders", "db.example")
    assert "secret" not in f"{settings!r} {settings.database} {settings.database!r}"


@pytest.mark.parametrize("engine", ["memory", "rocksdb"])
def test_no_other_engine_is_shared(engine: str) -> None:
    settings = read_settings({"engine": engine}, {})
    assert (settings.is_shared, settings.database) == (False, None)


@pytest.mark.parametrize(
    ("rest", "why"),
    [
        ("u:se%zzcret@h/db", "invalid percent-encoded token"),
        ("u:secret@[::1]x/db", "unexpected character"),
        ("u:secret@h/db?secret=1", "invalid URI query parameter"),
        ("u:se cret@h/db", "unexpected spaces found"),
        ("u:secret\udce9@h/db", "it is not text in UTF-8"),
    ],
)
def test_a_url_that_libpq_cannot_read_is_refused_without_its_text(rest: str, why: str) -> None:
    refused = _refusal({"engine": f"postgresql://{rest}"})
    assert refused == f"--engine: libpq cannot read that URL: {why}"


def test_without_the_driver_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delitem(sys.modules, "penstock.storage.postgres_url", raising=False)
    assert _refusal({"engine": "postgresql://h/db"}) == (
        "--engine: PostgreSQL needs the package psycopg with its libpq: install"
        " penstock[postgresql]"
    )
    assert read_settings({"engine": "memory"}, {}).engine == "memory"


@pytest.mark.parametrize("account", ["", "12345678901", "1234567890123", "12345678901x", "１" * 12])
def test_what_is_no_account_is_refused(account: str) -> None:
    assert _refusal({"account": account}) == (
        f"--account: {account!r} is not an account number of 12 digits"
    )


@pytest.mark.parametrize("shards", ["0", "-4", "four", str(limits.shards_per_table_max + 1)])
def test_what_is_no_count_of_shards_is_refused(shards: str) -> None:
    assert _refusal({"shards": shards}) == (
        f"--shards: {shards!r} is not a whole number from 1 to {limits.shards_per_table_max}"
    )


@pytest.mark.parametrize("data", ["", "nul\0byte"])
def test_a_directory_needs_a_name(data: str) -> None:
    """An empty one is what an unset shell variable leaves: it must not mean the default."""
    assert _refusal({"data": data}) == f"--data: {data!r} is not the name of a directory"
    assert _refusal({}, {"PENSTOCK_DATA": data}).startswith("PENSTOCK_DATA: ")


def test_the_memory_engine_takes_no_directory_wherever_it_comes_from() -> None:
    assert read_settings({"engine": "memory"}, {}).data is None
    text = "the memory engine keeps nothing on disk"
    assert _refusal({"engine": "memory", "data": "x"}) == f"--data: {text}"
    assert _refusal({"engine": "memory"}, {"PENSTOCK_DATA": "x"}) == f"PENSTOCK_DATA: {text}"


def test_a_database_takes_no_directory_either() -> None:
    text = "the postgresql engine keeps everything in its database"
    assert _refusal({"engine": "postgresql://h/db", "data": "x"}) == f"--data: {text}"


def test_the_help_names_every_flag_its_variable_and_its_default() -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    text = " ".join(parser.format_help().split()).replace("- ", "-")
    for setting in SETTINGS:
        assert setting.flag in text
        assert f"or PENSTOCK_{setting.name.upper()}" in text
        assert not setting.default or f"(default {setting.default})" in text


SWITCHES = [setting for setting in SETTINGS if setting.is_switch]


def _parsed(*arguments: str) -> dict[str, str | None]:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    add_arguments(parser)
    return vars(parser.parse_args(arguments))


@pytest.mark.parametrize("switch", SWITCHES, ids=lambda switch: switch.name)
def test_the_flag_of_a_switch_alone_means_on(switch: Setting) -> None:
    for given, on in (((), False), (("on",), True), (("off",), False)):
        flags = _parsed(switch.flag, *given) if given else _parsed()
        assert getattr(read_settings(flags, {}), switch.name) is on
    assert getattr(read_settings(_parsed(switch.flag), {}), switch.name) is True
    assert getattr(read_settings(_parsed(switch.flag, "--port", "1"), {}), switch.name) is True
    assert getattr(read_settings(_parsed(f"{switch.flag}=off"), {}), switch.name) is False
    off = {switch.variable: "off"}
    assert getattr(read_settings(_parsed(switch.flag), off), switch.name) is True


@pytest.mark.parametrize("text", ["", "yes", "ON", "1", "true"])
@pytest.mark.parametrize("switch", SWITCHES, ids=lambda switch: switch.name)
def test_a_switch_is_on_or_off(switch: Setting, text: str) -> None:
    refused = f"{text!r} is neither on nor off"
    assert _refusal(_parsed(f"{switch.flag}={text}")) == f"{switch.flag}: {refused}"
    assert _refusal({}, {switch.variable: text}) == f"{switch.variable}: {refused}"


def test_the_switches_are_those_that_are_documented_as_on_or_off() -> None:
    assert {switch.name for switch in SWITCHES} == {
        setting.name for setting in SETTINGS if setting.unit == "on or off"
    }
    assert {"throttling", "test_controls"} <= {switch.name for switch in SWITCHES}


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:4566",
        "ftp://h",
        "http://",
        "http://h:x",
        "http://h:0",
        "http://h:99999",
        "http://h /",
        "http://h\n",
        "http://u:secret@h",
        "http://h?q=secret",
        "http://h#secret",
    ],
)
@pytest.mark.parametrize("service", ["sqs", "sns", "s3"])
def test_what_is_no_url_of_a_service_is_refused(service: str, url: str) -> None:
    told = _refusal({f"{service}_endpoint": url})
    assert told.startswith(f"--{service}-endpoint: ")
    assert "secret" not in told


@pytest.mark.parametrize("text", ["", "h", "h:", "h:0", "h:65536", "h:1,", "h:1 ,h:2", "::1:9092"])
def test_what_are_no_brokers_is_refused(text: str) -> None:
    assert "is not the HOST:PORT of a broker" in _refusal({"kafka_brokers": text})


def test_brokers_without_the_client_of_kafka_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kafka", None)
    assert _refusal({"kafka_brokers": "127.0.0.1:9092"}) == (
        "--kafka-brokers: Kafka needs the package kafka-python: install penstock[kafka]"
    )


def test_files_of_failures_are_beside_the_store() -> None:
    assert read_settings({"data": "d"}, {}).endpoints.failures == Path("d/failures")
    assert read_settings({"engine": "memory"}, {}).endpoints.failures is None
    brokers = read_settings({"kafka_brokers": "h:1"}, {}).endpoints.kafka
    assert brokers == ("h:1",)
