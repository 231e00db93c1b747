"""Functions that live elsewhere: what a setting says of them, by their names.

Two forms: `http(s)://...` is called by a plain POST of the event, and `lambda://NAME` by Invoke at
any endpoint that speaks Lambda's API, AWS's own where none is given.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from penstock.base import limits

_NAME = re.compile(rf"[A-Za-z0-9_-]{{1,{limits.function_name_chars_max}}}")
_SEPARATOR = re.compile(r",(?=[A-Za-z0-9_-]+=(?:https?|lambda)://)")
_REGION = re.compile(r"[a-z]{2,}(?:-[a-z]+)+-\d+")
_ASKED = {"endpoint", "region", "qualifier"}


class BadRemoteFunction(Exception):
    """A text that names no function elsewhere; it says why, in one line."""


class HttpFunction(NamedTuple):
    """A function that is called by a POST to `url`."""

    url: str

    def __str__(self) -> str:
        return self.url


class LambdaFunction(NamedTuple):
    """A function that is called by Invoke, with boto3's usual credentials.

    `endpoint` is None for AWS's own; `region` is None for that of boto3's configuration.
    """

    name: str
    endpoint: str | None
    region: str | None
    qualifier: str | None

    def __str__(self) -> str:
        return f"{self.name} at {self.endpoint or 'AWS'}"


RemoteFunction = HttpFunction | LambdaFunction


def parse_remote_function(url: str) -> RemoteFunction:
    """Return the function that `url` names; BadRemoteFunction where it names none."""
    if not re.fullmatch(r"[\x21-\x7e]+", url):
        raise _no_url(url)
    if url.startswith("lambda://"):
        return _lambda(url)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _no_url(url) from None
    if parts.username is not None or parts.password is not None:
        raise BadRemoteFunction("a function's URL with a user or a password is not taken")
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0 or parts.fragment:
        raise _no_url(url)
    return HttpFunction(url)


def parse_remote_functions(text: str) -> Mapping[str, RemoteFunction]:
    """Return the functions of a text `NAME=URL,NAME=URL`, by name.

    A comma inside a URL may stay as it is, as long as no `NAME=http://` follows it.
    """
    functions: dict[str, RemoteFunction] = {}
    for part in _SEPARATOR.split(text):
        name, equals, url = part.partition("=")
        if not equals or not _NAME.fullmatch(name):
            raise BadRemoteFunction(f"{part!r} is not NAME=URL")
        if name in functions:
            raise BadRemoteFunction(f"{name} is given twice")
        functions[name] = parse_remote_function(url)
    return functions


def _lambda(url: str) -> LambdaFunction:
    """Return what `lambda://NAME?endpoint=URL&region=R&qualifier=Q` names.

    Not by `urlsplit` alone, whose host is in lower case, and may have no colon of an ARN.
    """
    name, _, query = url.removeprefix("lambda://").partition("?")
    name = unquote(name).removesuffix("/")
    if not re.fullmatch(r"[A-Za-z0-9_:$-]{1,170}", name):  # [M] a name, or an ARN
        raise _no_url(url)
    asked = parse_qsl(query, keep_blank_values=True)
    given = dict(asked)
    if len(given) != len(asked) or not given.keys() <= _ASKED:
        raise BadRemoteFunction(
            f"{url!r} may say endpoint, region and qualifier, once each, and nothing else"
        )
    endpoint, region = given.get("endpoint"), given.get("region")
    if endpoint is not None and not isinstance(parse_remote_function(endpoint), HttpFunction):
        raise _no_url(endpoint)
    if region is not None and not _REGION.fullmatch(region):
        raise BadRemoteFunction(f"{region!r} is not the name of a region")
    return LambdaFunction(name, endpoint, region, given.get("qualifier"))


def _no_url(url: str) -> BadRemoteFunction:
    return BadRemoteFunction(
        f"{url!r} is not the URL of a function, such as http://host:port/path or"
        " lambda://NAME?endpoint=URL&region=R"
    )
