"""A function, its versions and its aliases, as they are stored."""

from functools import lru_cache
from typing import Literal

import msgspec

from penstock.base import limits
from penstock.storage.format import pack, unpack
from penstock.storage.prefixes import Prefix
from penstock.storage.waist import Lock, Span

LATEST = "$LATEST"
"""The version that can be changed."""

Architecture = Literal["x86_64", "arm64"]


class Code(msgspec.Struct, frozen=True):
    """The code of a function: a zip file in the store, or a directory of this machine."""

    digest: str
    """SHA-256 in hex: of the zip file, or of the directory's name."""
    size_bytes: int
    directory: str | None = None
    """The directory, where the code is one; it is read anew when it changes."""


class Policy(msgspec.Struct, frozen=True):
    """Who may use a function: stored and shown, as nobody is told apart by a signature yet."""

    revision_id: str
    statements: dict[str, str] = {}
    """JSON, by the statement's id."""


class EventConfig(msgspec.Struct, frozen=True):
    """How events that a function is given without waiting for its answer are treated."""

    modified_ms: int
    retry_attempts_max: int | None = None
    age_seconds_max: int | None = None


class Function(msgspec.Struct, frozen=True):
    """One version of a function; names and units are those of the API."""

    region: str
    name: str
    arn: str
    """Without a version."""
    role: str
    runtime: str
    handler: str
    code: Code
    version: str = LATEST
    description: str = ""
    timeout_seconds: int = 3
    memory_mb: int = 128
    storage_mb: int = 512
    environment: dict[str, str] = {}
    architecture: Architecture = "x86_64"
    log_group: str | None = None
    """Where its lines go, if not to its own log group."""
    modified_ms: int = 0
    revision_id: str = ""
    """Another one after every change of code or settings."""
    concurrency_max: int | None = None
    """How many may run at a time; 0 for none. Kept with $LATEST, for all versions."""
    last_version: int = 0
    """The version that was published last. Kept with $LATEST."""
    policies: dict[str, Policy] = {}
    """By qualifier, that of the function itself by an empty one. Kept with $LATEST."""
    event_configs: dict[str, EventConfig] = {}
    """By qualifier, $LATEST for the function itself. Kept with $LATEST."""

    @property
    def own_log_group(self) -> str:
        """Where its lines go."""
        return self.log_group or f"/aws/lambda/{self.name}"


class Alias(msgspec.Struct, frozen=True):
    """A name for a version of a function."""

    region: str
    function: str
    name: str
    version: str
    description: str = ""
    revision_id: str = ""


_encode = msgspec.json.Encoder().encode
_decode_function = msgspec.json.Decoder(Function).decode
_decode_alias = msgspec.json.Decoder(Alias).decode


def encode(stored: Function | Alias) -> bytes:
    """Return a function or an alias as it is stored."""
    return pack(_encode(stored))


@lru_cache(limits.function_cache_entries_max)
def decode_function(stored: bytes) -> Function:
    """Return the function that was stored as `stored`."""
    return _decode_function(unpack(stored))


@lru_cache(limits.function_cache_entries_max)
def decode_alias(stored: bytes) -> Alias:
    """Return the alias that was stored as `stored`."""
    return _decode_alias(unpack(stored))


_VERSION_DIGITS = 12  # so that versions are in the order of their numbers


def function_key(region: str, name: str = "") -> bytes:
    """Return the key of a function, or what the keys of all of a region begin with."""
    return Prefix.FUNCTION.key + region.encode() + b"\0" + name.encode()


def version_key(region: str, name: str, version: str = "") -> bytes:
    """Return the key of a published version, or what the keys of all of a function begin with."""
    number = version.rjust(_VERSION_DIGITS, "0") if version else ""
    return _below(Prefix.FUNCTION_VERSION, region, name) + number.encode()


def alias_key(region: str, name: str, alias: str = "") -> bytes:
    """Return the key of an alias, or what the keys of all of a function begin with."""
    return _below(Prefix.FUNCTION_ALIAS, region, name) + alias.encode()


def code_key(region: str, name: str, digest: bytes = b"", number: int | None = None) -> bytes:
    """Return the key of a piece of code, or what the keys of all pieces begin with.

    Without a number, that of the row that says that all pieces are there.
    """
    piece = b"" if number is None else number.to_bytes(4, "big")
    return _below(Prefix.FUNCTION_CODE, region, name) + digest + piece


def _below(prefix: Prefix, region: str, name: str) -> bytes:
    return prefix.key + region.encode() + b"\0" + name.encode() + b"\0"


def function_lock(region: str, name: str) -> Lock:
    """Return the lock on all that there is of the function of that name."""
    return Lock(
        b"function/" + function_key(region, name)[1:],
        (
            Span.of_key(function_key(region, name)),
            Span.of_prefix(version_key(region, name)),
            Span.of_prefix(alias_key(region, name)),
            Span.of_prefix(code_key(region, name)),
        ),
    )
