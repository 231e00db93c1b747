"""A function, as it is stored: its settings, and where its code is."""

from typing import Literal

import msgspec

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
    concurrency_max: int | None = None
    """How many may run at a time; 0 for none. Kept with $LATEST, for all versions."""
    last_version: int = 0
    """The version that was published last. Kept with $LATEST."""
    number: int = 0
    """Raised by every change: workers of an older one are not used any more."""


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Function).decode


def encode_function(function: Function) -> bytes:
    """Return a function as it is stored."""
    return pack(_encode(function))


def decode_function(stored: bytes) -> Function:
    """Return the function that was stored as `stored`."""
    return _decode(unpack(stored))


def function_key(region: str, name: str = "") -> bytes:
    """Return the key of a function, or what the keys of all of a region begin with."""
    return Prefix.FUNCTION.key + region.encode() + b"\0" + name.encode()


def version_key(region: str, name: str, version: str = "") -> bytes:
    """Return the key of a published version, or what the keys of all of a function begin with."""
    return b"\0".join(
        (Prefix.FUNCTION_VERSION.key + region.encode(), name.encode(), version.encode())
    )


def function_lock(region: str, name: str) -> Lock:
    """Return the lock on all that there is of the function of that name."""
    return Lock(
        b"function/" + function_key(region, name)[1:],
        (
            Span.of_key(function_key(region, name)),
            Span.of_prefix(version_key(region, name)),
        ),
    )
