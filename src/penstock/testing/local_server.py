"""A server in the test's own process with test controls on, and boto3 clients made for it."""

import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
import botocore.session
from botocore.config import Config

from penstock.app.assembly import open_engine
from penstock.app.control_client import ControlClient
from penstock.app.settings import SETTINGS, SettingError, Settings, read_settings
from penstock.base.ids import Entropy
from penstock.testing.server import RunningServer

REGION = "us-east-1"
_KEY = "local"
_FIXED = {"host": "127.0.0.1", "port": "0", "test_controls": "on"}
_UNTOLD = (
    "AWS_ENDPOINT_URL",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_PROFILE",
    "AWS_SESSION_TOKEN",
)


class LocalServer:
    """A server on a free port of the loopback address; a context manager, or `start` and `stop`.

    `settings` are those of `penstock serve` by their names in Python (`shards=8`,
    `engine="rocksdb"`), and the engine is `memory` where they name none. Raises `SettingError` for
    one that there is not, or that makes no sense.
    """

    def __init__(self, **settings: Any) -> None:
        given = _checked(settings)
        self._running = RunningServer(
            lambda clock: open_engine(given, clock, Entropy()), **asdict(given)
        )
        self._is_running = False

    @property
    def url(self) -> str:
        """The endpoint URL for clients."""
        return self._running.url

    @property
    def region(self) -> str:
        """The region that its clients are for."""
        return REGION

    @property
    def control(self) -> ControlClient:
        """A client of its test controls."""
        return ControlClient(self.url, region=REGION)

    def client(
        self, service: str = "dynamodb", *, consumer: str | None = None, **config: Any
    ) -> Any:
        """Return a boto3 client of `dynamodb` or `dynamodbstreams`.

        `consumer` is the name by which faults and drain know it; `config` are further settings of
        botocore's Config.
        """
        make_any: Any = _session().client  # any service, not one that the stubs name
        return make_any(service, endpoint_url=self.url, config=_config(consumer, config))

    def resource(self, *, consumer: str | None = None, **config: Any) -> Any:
        """Return a boto3 resource of `dynamodb`; the arguments are those of `client`."""
        return _session().resource(
            "dynamodb", endpoint_url=self.url, config=_config(consumer, config)
        )

    def environment(self) -> dict[str, str | None]:
        """Return the environment that leads any AWS SDK to this server; None takes one away."""
        return {
            **dict.fromkeys(_UNTOLD),
            "AWS_ENDPOINT_URL_DYNAMODB": self.url,
            "AWS_ENDPOINT_URL_DYNAMODB_STREAMS": self.url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": _KEY,
            "AWS_SECRET_ACCESS_KEY": _KEY,
            "NO_PROXY": "127.0.0.1",
        }

    def start(self) -> Self:
        """Start it, once; return when it is ready."""
        self._running.__enter__()
        self._is_running = True
        return self

    def stop(self) -> None:
        """Stop it; safe twice. What it failed with meanwhile is raised here."""
        if self._is_running:
            self._is_running = False
            self._running.__exit__(None, None, None)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def _session() -> boto3.Session:
    """Return a session that asks neither profiles nor files of this machine's user."""
    core = botocore.session.Session(
        session_vars={
            "profile": (None, None, None, None),
            "config_file": (None, None, os.devnull, None),
            "credentials_file": (None, None, os.devnull, None),
        }
    )
    return boto3.Session(_KEY, _KEY, region_name=REGION, botocore_session=core)


def _checked(settings: Mapping[str, Any]) -> Settings:
    names = {setting.name for setting in SETTINGS} - _FIXED.keys()
    for name in settings:
        if name not in names:
            raise SettingError(f"{name!r} is not one of {', '.join(sorted(names))}")
    given = {name: _text(value) for name, value in settings.items() if value is not None}
    return read_settings({"engine": "memory"} | given | _FIXED, {})


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value) if isinstance(value, (str, int, Path)) else repr(value)


def _config(consumer: str | None, config: Mapping[str, Any]) -> Config:
    named = {} if consumer is None else {"user_agent_appid": consumer}
    # A proxy of the machine cannot reach its loopback address.
    return Config(**{"proxies": {}, **named, **config})
