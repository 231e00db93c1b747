"""Brings pip, as one wheel, to a machine whose Python has neither pip nor ensurepip.

It asks the package index that pip itself would ask (PIP_INDEX_URL, pip.conf, else PyPI) with the
same certificates, and keeps only a file whose SHA-256 is one of those in the lock.
"""

import base64
import configparser
import hashlib
import json
import os
import re
import ssl
import urllib.error
import urllib.request
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

DEFAULT_INDEX = "https://pypi.org/simple"
TRY_SECONDS_MAX = 30
TRIES_MAX = 3
WHEEL_BYTES_MAX = 16 * 1024 * 1024
SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"


class PipUnavailableError(Exception):
    """The wheel could not be fetched; the text says why."""


class Links(HTMLParser):
    """Collects the link targets of an index page in HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the `href` of an `a`."""
        if tag == "a":
            self.targets.extend(value for name, value in attrs if name == "href" and value)


def pip_setting(name: str) -> str | None:
    """Return pip's setting `name` (`index-url`, `cert`): environment first, then pip.conf."""
    from_environment = os.environ.get("PIP_" + name.upper().replace("-", "_"))
    if from_environment:
        return from_environment
    parser = configparser.RawConfigParser()
    parser.read(_config_files(), encoding="utf-8")
    for section in ("install", "global"):
        if parser.has_option(section, name):
            return parser.get(section, name)
    return None


def _config_files() -> list[Path]:
    named = os.environ.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return []
    home = Path.home()
    user_dir = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    files = [
        Path("/etc/xdg/pip/pip.conf"),
        Path("/etc/pip.conf"),
        home / ".pip" / "pip.conf",
        user_dir / "pip" / "pip.conf",
    ]
    return [*files, Path(named)] if named else files


def fetch_pip(version: str, hashes: frozenset[str], folder: Path) -> Path:
    """Download pip's wheel of `version` into `folder`; its SHA-256 (hex) is one of `hashes`."""
    index = (pip_setting("index-url") or DEFAULT_INDEX).rstrip("/")
    name = f"pip-{version}-py3-none-any.whl"
    tls = _tls(urlsplit(index).username is not None)
    page, kind = _get(f"{index}/pip/", tls)
    wheel_url = _find_link(f"{index}/pip/", page.decode("utf-8", "replace"), "json" in kind, name)
    if wheel_url is None:
        raise PipUnavailableError(f"the package index does not list {name}")
    content, _ = _get(_with_login(wheel_url, index), tls)
    if hashlib.sha256(content).hexdigest() not in hashes:
        raise PipUnavailableError(f"{name} does not have the SHA-256 that the lock asks for")
    wheel = folder / name
    wheel.write_bytes(content)
    return wheel


def _find_link(page_url: str, page: str, is_json: bool, name: str) -> str | None:
    if is_json:
        targets = [str(file["url"]) for file in json.loads(page)["files"]]
    else:
        links = Links()
        links.feed(page)
        targets = links.targets
    for target in targets:
        url = urljoin(page_url, target)
        if unquote(urlsplit(url).path).endswith("/" + name):
            return urlunsplit(urlsplit(url)._replace(fragment=""))
    return None


def _with_login(url: str, index: str) -> str:
    """Return `url` with the index's user and password, if it is on the index's host."""
    at, home = urlsplit(url), urlsplit(index)
    if home.username is None or at.username is not None or at.hostname != home.hostname:
        return url
    return urlunsplit(at._replace(netloc=home.netloc))


def _get(url: str, tls: ssl.SSLContext) -> tuple[bytes, str]:
    """Return the body and the media type of `url`."""
    if not re.match(r"https?://", url):
        raise PipUnavailableError("the package index is neither http nor https")
    request = _request(url)
    reason = ""
    for _ in range(TRIES_MAX):
        try:
            with urllib.request.urlopen(request, timeout=TRY_SECONDS_MAX, context=tls) as answer:
                content: bytes = answer.read(WHEEL_BYTES_MAX)
                return content, answer.headers.get("Content-Type", "")
        except (OSError, urllib.error.URLError) as error:
            reason = str(error)
    raise PipUnavailableError(f"{urlsplit(url).hostname} did not answer: {reason}")


def _request(url: str) -> urllib.request.Request:
    """Return the request for `url`, its user and password moved into a header."""
    parts = urlsplit(url)
    netloc = parts.netloc.rpartition("@")[2]
    request = urllib.request.Request(urlunsplit(parts._replace(netloc=netloc)))
    request.add_header("Accept", f"{SIMPLE_JSON}, text/html;q=0.5, */*;q=0.1")
    if parts.username is None:
        return request
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    token = base64.b64encode(login.encode()).decode()
    request.add_unredirected_header("Authorization", f"Basic {token}")
    return request


def _tls(has_login: bool) -> ssl.SSLContext:
    """Return a context with pip's certificates; without any, one that relies on the hash.

    A minimal Debian has no certificates at all, and pip brings its own. What is fetched here is
    held against the lock's SHA-256, so nobody on the way can change it. No password is sent so.
    """
    context = ssl.create_default_context(cafile=pip_setting("cert"))
    if _has_certificates(context) or has_login:
        return context
    print("  this machine has no certificates: pip's wheel is verified by its SHA-256 alone")
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _has_certificates(context: ssl.SSLContext) -> bool:
    if context.cert_store_stats()["x509_ca"]:
        return True
    folder = ssl.get_default_verify_paths().capath
    return bool(folder) and any(Path(folder).iterdir())
