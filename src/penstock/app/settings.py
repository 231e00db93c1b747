"""The settings of `penstock serve`: one table that flags, environment names and the docs come from.

A flag wins over the environment, the environment over the default.
"""

import argparse
import importlib.util
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from penstock.base import limits
from penstock.functions.destination import Endpoints
from penstock.functions.remote_function import (
    BadRemoteFunction,
    RemoteFunction,
    parse_remote_functions,
)
from penstock.operations.operation import LsiStreamRule


class SettingError(Exception):
    """A setting that makes no sense; the text says which and why."""


class Database(NamedTuple):
    """A database that a server keeps its data in; its URL may hold a password, and is not shown."""

    url: str
    name: str
    host: str

    def __repr__(self) -> str:
        return f"Database(name={self.name!r}, host={self.host!r})"


class Setting(NamedTuple):
    """One setting: its name, how its text is read, its default, unit and help."""

    name: str
    read: Callable[[str], Any]
    default: str
    unit: str
    help: str

    @property
    def flag(self) -> str:
        """Return the command-line flag."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """Return the name of the environment variable."""
        return "PENSTOCK_" + self.name.upper()

    @property
    def is_switch(self) -> bool:
        """Whether it is on or off, so that its flag alone means on."""
        return self.read is _switch


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one server."""

    host: str
    port: int
    data: Path | None
    engine: str
    account: str
    shards: int
    table_delay_ms: int = 0
    throttling: bool = False
    ttl_interval_seconds: int = 60
    ttl_change_seconds: int = 0
    shard_roll_minutes: int = 240
    shard_split_writes_per_second: int = 1000
    shard_split_seconds: int = 60
    stream_keep_hours: int = 24
    lsi_stream_rule: LsiStreamRule = "strict"
    test_controls: bool = False
    stop_delay_seconds: int = 0
    sqs_endpoint: str | None = None
    sns_endpoint: str | None = None
    s3_endpoint: str | None = None
    kafka_brokers: tuple[str, ...] | None = None
    workers_max: int = 64
    remote_functions: Mapping[str, RemoteFunction] | None = None
    """The functions that live elsewhere, by their names."""
    remote_function_seconds: int = limits.function_seconds_max
    node_ric: Path | None = None
    logs_keep_days: int = 7
    logs_keep_megabytes: int = 16
    database: Database | None = None
    """Where the postgresql engine keeps its data."""

    @property
    def is_shared(self) -> bool:
        """Whether other nodes may be working on the same store."""
        return self.engine == POSTGRESQL

    @property
    def endpoints(self) -> Endpoints:
        """Where this server reaches destinations of failures."""
        failures = None if self.data is None else self.data / FAILURES
        return Endpoints(
            self.sqs_endpoint,
            self.sns_endpoint,
            self.s3_endpoint,
            self.kafka_brokers or (),
            failures,
        )


def _host(text: str) -> str:
    """Return a loopback address; any other waits for authentication."""
    name = "127.0.0.1" if text == "localhost" else text
    try:
        loopback = ipaddress.ip_address(name).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise SettingError(
            f"{text!r} is not a loopback address; until Penstock can check signatures it listens on"
            " loopback only"
        )
    return name


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
            raise SettingError(f"{text!r} is not a whole number from {low} to {high}")
        return int(text)

    return read


def _one_of(*names: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in names:
            raise SettingError(f"{text!r} is not one of {', '.join(names)}")
        return text

    return read


def _engine(text: str) -> str | Database:
    """Return the name of an engine, or the database that the postgresql engine keeps its data in.

    What looks like no name may be a mistyped URL, and is not told again for the password in it.
    """
    if text in _NAMED_ENGINES:
        return text
    if text.startswith(_DATABASE_URLS):
        return _database(text)
    told = repr(text) if re.fullmatch(r"[\w -]*", text) else "that"
    raise SettingError(
        f"{told} is not one of {', '.join(_NAMED_ENGINES)}, nor a URL such as"
        " postgresql://user@host/database"
    )


def _database(url: str) -> Database:
    try:
        from penstock.storage.postgres_url import (  # noqa: PLC0415 - not everybody has the driver
            BadUrl,
            place_of,
        )
    except ImportError as error:
        raise SettingError(
            "PostgreSQL needs the package psycopg with its libpq: install penstock[postgresql]"
        ) from error
    try:
        place = place_of(url)
    except BadUrl as error:
        raise SettingError(f"libpq cannot read that URL: {error}") from None
    return Database(url, *place)


def _switch(text: str) -> bool:
    if text not in {"on", "off"}:
        raise SettingError(f"{text!r} is neither on nor off")
    return text == "on"


def _account(text: str) -> str:
    if not re.fullmatch(r"[0-9]{12}", text):
        raise SettingError(f"{text!r} is not an account number of 12 digits")
    return text


def _directory(text: str) -> Path:
    if not text or "\0" in text:
        raise SettingError(f"{text!r} is not the name of a directory")
    return Path(text)


def _url(text: str) -> str:
    """Return the URL of a service; what may hold a password is not told again."""
    try:
        parts = urlsplit(text)
        is_address = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        is_address = None
    if not is_address or not re.fullmatch(r"[!-~]+", text):
        raise SettingError("that is not a URL such as http://127.0.0.1:4566")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise SettingError("a URL of a service has neither a password, nor a query, nor a fragment")
    return text


def _brokers(text: str) -> tuple[str, ...]:
    brokers = tuple(text.split(","))
    for broker in brokers:
        found = re.fullmatch(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})", broker)
        if found is None or not 0 < int(found[1]) <= 65535:
            raise SettingError(f"{broker!r} is not the HOST:PORT of a broker")
    if importlib.util.find_spec("kafka") is None:
        raise SettingError("Kafka needs the package kafka-python: install penstock[kafka]")
    return brokers


def _remote_functions(text: str) -> Mapping[str, RemoteFunction]:
    try:
        return parse_remote_functions(text)
    except BadRemoteFunction as error:
        raise SettingError(str(error)) from None


FAILURES = "failures"
"""The directory beside a store, of files that mappings tell their failures in."""

POSTGRESQL = "postgresql"
_NAMED_ENGINES = ("memory", "rocksdb")
_DATABASE_URLS = ("postgresql://", "postgres://")

SETTINGS = (
    Setting("host", _host, "127.0.0.1", "address", "the loopback address to listen on"),
    Setting("port", _whole(0, 65535), "8000", "port", "the port to listen on; 0 takes a free one"),
    Setting(
        "data",
        _directory,
        "",
        "directory",
        "where the rocksdb engine keeps its store; ./penstock-data where none is given",
    ),
    Setting(
        "engine",
        _engine,
        "rocksdb",
        "name or URL",
        "rocksdb (durable), memory (gone with the process), or the postgresql:// URL of a database"
        " that any number of nodes share; who can see processes sees flags, so a password belongs"
        " into the variable, or where libpq looks for it",
    ),
    Setting(
        "account", _account, "000000000000", "12 digits", "the account that stands in every ARN"
    ),
    Setting(
        "shards",
        _whole(1, limits.shards_per_table_max),
        "4",
        "count",
        "the shards of a new table's stream, by hash of the partition key",
    ),
    Setting(
        "table_delay_ms",
        _whole(0, limits.table_delay_ms_max),
        "0",
        "milliseconds",
        "how long a table stays CREATING, UPDATING or DELETING, and an index with it",
    ),
    Setting(
        "throttling",
        _switch,
        "off",
        "on or off",
        "whether requests beyond a table's throughput or a stream's readers and rates are refused",
    ),
    Setting(
        "ttl_interval_seconds",
        _whole(1, limits.ttl_seconds_max),
        "60",
        "seconds",
        "how often items whose time to live has ended are looked for and deleted",
    ),
    Setting(
        "ttl_change_seconds",
        _whole(0, limits.ttl_seconds_max),
        "0",
        "seconds",
        "how soon after a change of a table's time to live another is refused; AWS takes 1800",
    ),
    Setting(
        "shard_roll_minutes",
        _whole(0, limits.shard_roll_minutes_max),
        "240",
        "minutes",
        "after what time an open shard is closed and goes on in a child; 0 is never",
    ),
    Setting(
        "shard_split_writes_per_second",
        _whole(0, limits.shard_split_writes_max),
        "1000",
        "writes per second",
        "the sustained load at which a shard, and its part of the table, is split in two; 0 is"
        " never",
    ),
    Setting(
        "shard_split_seconds",
        _whole(1, limits.shard_split_seconds_max),
        "60",
        "seconds",
        "for how long a shard has to be under that load to be split",
    ),
    Setting(
        "stream_keep_hours",
        _whole(limits.stream_retention_ms // 3600_000, limits.stream_keep_hours_max),
        "24",
        "hours",
        "how long records stay in the log; the API of DynamoDB Streams shows those of 24 hours",
    ),
    Setting(
        "lsi_stream_rule",
        _one_of("strict", "aws"),
        "strict",
        "name",
        "strict refuses a stream on a table with a local index that projects INCLUDEd attributes;"
        " aws allows it, as AWS does",
    ),
    Setting(
        "test_controls",
        _switch,
        "off",
        "on or off",
        "whether tests may move the clock and the streams' lives through /_penstock/control/",
    ),
    Setting(
        "workers_max",
        _whole(1, limits.workers_max),
        "64",
        "processes",
        "how many workers of functions this node runs at a time, one for each execution",
    ),
    Setting(
        "remote_functions",
        _remote_functions,
        "",
        "NAME=URL,...",
        "functions that live elsewhere: at http:// or https:// URLs, such as those of the Runtime"
        " Interface Emulator, or lambda://NAME?endpoint=URL&region=R; mappings and Invoke know them"
        " by their names",
    ),
    Setting(
        "remote_function_seconds",
        _whole(1, limits.function_seconds_max),
        str(limits.function_seconds_max),
        "seconds",
        "how long a call of a function elsewhere may take",
    ),
    Setting(
        "node_ric",
        _directory,
        "",
        "directory",
        "where aws-lambda-ric is, AWS's runtime client for Node.js, unless it is installed with"
        " each function, or by npm for all",
    ),
    Setting(
        "logs_keep_days",
        _whole(1, limits.log_keep_days_max),
        "7",
        "days",
        "how long the logs of functions are kept, where PutRetentionPolicy says nothing else",
    ),
    Setting(
        "logs_keep_megabytes",
        _whole(1, limits.log_keep_megabytes_max),
        "16",
        "megabytes",
        "how much of each log group is kept; beyond that its oldest lines go",
    ),
    Setting(
        "stop_delay_seconds",
        _whole(0, limits.stop_delay_seconds_max),
        "0",
        "seconds",
        "how long the server goes on serving when it is told to stop, while its health page says"
        " 503 and each answer closes its connection, so that requests go elsewhere; a second signal"
        " ends it at once",
    ),
    Setting(
        "sqs_endpoint",
        _url,
        "",
        "URL",
        "where failures of mappings are told to queues of SQS; without it no such destination is"
        " taken",
    ),
    Setting(
        "sns_endpoint",
        _url,
        "",
        "URL",
        "where failures of mappings are told to topics of SNS; without it no such destination is"
        " taken",
    ),
    Setting(
        "s3_endpoint",
        _url,
        "",
        "URL",
        "where failures of mappings are told to buckets of S3; without it no such destination is"
        " taken",
    ),
    Setting(
        "kafka_brokers",
        _brokers,
        "",
        "HOST:PORT,...",
        "where failures of mappings are told to topics of Kafka; needs penstock[kafka]",
    ),
)

DEFAULT_DATA = Path("penstock-data")
_NO_DIRECTORY = {
    "memory": "the memory engine keeps nothing on disk",
    POSTGRESQL: "the postgresql engine keeps everything in its database",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add a flag for every setting; that of a switch says on where nothing follows it."""
    for setting in SETTINGS:
        default = f" (default {setting.default})" if setting.default else ""
        alone: dict[str, Any] = {"nargs": "?", "const": "on"} if setting.is_switch else {}
        parser.add_argument(
            setting.flag,
            metavar=setting.unit.upper().replace(" ", "-"),
            help=f"{setting.help}{default}; or {setting.variable}",
            **alone,
        )


def read_settings(given: Mapping[str, str | None], environment: Mapping[str, str]) -> Settings:
    """Return the settings that flags and environment make; SettingError where they make none."""
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for setting in SETTINGS:
        text, source = _given(setting, given, environment)
        sources[setting.name] = source
        try:
            values[setting.name] = None if text is None else setting.read(text)
        except SettingError as error:
            raise SettingError(f"{source}: {error}") from None
    if isinstance(database := values["engine"], Database):
        values |= {"engine": POSTGRESQL, "database": database}
    settings = Settings(**values)
    if settings.engine == "rocksdb":
        return replace(settings, data=settings.data or DEFAULT_DATA)
    if settings.data is not None:
        raise SettingError(f"{sources['data']}: {_NO_DIRECTORY[settings.engine]}")
    return settings


def _given(
    setting: Setting, given: Mapping[str, str | None], environment: Mapping[str, str]
) -> tuple[str | None, str]:
    """Return a setting's text, None where it has none, and where that comes from."""
    if (text := given.get(setting.name)) is not None:
        return text, setting.flag
    if (text := environment.get(setting.variable)) is not None:
        return text, setting.variable
    return setting.default or None, setting.flag
