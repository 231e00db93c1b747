"""Reaching a DynamoDB-compatible endpoint as an ordinary boto3 client, with errors of one line.

Credentials come from the usual boto3 chain. Only where there are none, and only for an explicit
loopback address, does a client sign with credentials that mean nothing.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
)

from penstock.app.failures import Failure, error_code, failure_text
from penstock.app.held_reads import StreamsClient
from penstock.app.own_server import EndpointError, split_url
from penstock.base import limits

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_LOOPBACK_REGION = "us-east-1"
_CONNECT_SECONDS_MAX = 5.0
_READ_SECONDS_MAX = 20.0
_ATTEMPTS_MAX = 3
_CREDENTIAL_ERRORS = {
    "UnrecognizedClientException",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "IncompleteSignatureException",
    "ExpiredTokenException",
    "AccessDeniedException",
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where requests go: a URL, or AWS itself when it is None; and the region they are for."""

    url: str | None
    region: str
    session: boto3.Session

    def tables(self, settings: Mapping[str, Any] | None = None) -> "DynamoDBClient":
        """Return a `dynamodb` client; `settings` are further ones of botocore's Config."""
        return self.session.client("dynamodb", endpoint_url=self.url, config=self._config(settings))

    def streams(self, settings: Mapping[str, Any] | None = None) -> StreamsClient:
        """Return a `dynamodbstreams` client; `settings` are further ones of botocore's Config."""
        client = self.session.client(
            "dynamodbstreams", endpoint_url=self.url, config=self._config(settings)
        )
        return cast("StreamsClient", client)

    def logs(self) -> Any:
        """Return a `logs` client, of CloudWatch Logs."""
        make_any: Any = self.session.client  # any service, not one that the stubs name
        return make_any("logs", endpoint_url=self.url, config=self._config(None))

    def place(self) -> str:
        """Return where this is, for a message: region and address."""
        return f"{self.region} at {self.url or 'AWS'}"

    def explain(self, failure: Failure) -> str:
        """Return one line that says what to do about a failed call, as far as it is known."""
        if isinstance(failure, NoCredentialsError):
            return "no AWS credentials found; set AWS_ACCESS_KEY_ID or log in with the AWS CLI"
        if isinstance(failure, (EndpointConnectionError, ConnectTimeoutError)):
            return f"cannot connect to {self.url or failure_text(failure)}: is the server running?"
        if error_code(failure) in _CREDENTIAL_ERRORS:
            return f"{self.place()} refuses the credentials: {failure_text(failure)}"
        return failure_text(failure)

    def _config(self, settings: Mapping[str, Any] | None) -> Config:
        common: dict[str, Any] = {
            "connect_timeout": _CONNECT_SECONDS_MAX,
            "read_timeout": _READ_SECONDS_MAX,
            "retries": {"mode": "standard", "total_max_attempts": _ATTEMPTS_MAX},
            "account_id_endpoint_mode": "disabled",
            "max_pool_connections": limits.feed_held_reads_max + 1,
        }
        if self.url is not None and is_loopback(self.url):
            common["proxies"] = {}  # a proxy cannot reach this machine's loopback address
        return Config(**{**common, **(settings or {})})


def open_endpoint(url: str | None, region: str | None) -> Endpoint:
    """Return the endpoint at `url`, or AWS when it is None; raises `EndpointError`.

    Without `region` it is that of the boto3 chain, and for a loopback address, us-east-1.
    """
    local = url is not None and is_loopback(url)
    core = botocore.session.get_session()
    if local:  # asking a machine's metadata service takes seconds where there is none
        core.get_component("credential_provider").remove("iam-role")
    try:
        session = boto3.Session(botocore_session=core, region_name=region)
        chosen = region or session.region_name or (_LOOPBACK_REGION if local else None)
        if chosen is None:
            raise EndpointError("no region: give --region or set AWS_DEFAULT_REGION")
        if session.get_credentials() is None:
            if not local:
                raise EndpointError(
                    "no AWS credentials found; set AWS_ACCESS_KEY_ID or log in with the AWS CLI"
                )
            core.set_credentials("local", "local")
    except BotoCoreError as failure:
        raise EndpointError(failure_text(failure)) from failure
    return Endpoint(url, chosen, boto3.Session(botocore_session=core, region_name=chosen))


def own_endpoint(url: str) -> Endpoint:
    """Return the endpoint of a server of our own at `url`, with credentials that mean nothing."""
    session = boto3.Session("local", "local", region_name=_LOOPBACK_REGION)
    return Endpoint(url, _LOOPBACK_REGION, session)


def is_loopback(url: str) -> bool:
    """Return whether `url` names this machine by a loopback address; raises `EndpointError`."""
    host = split_url(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
