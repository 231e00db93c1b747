"""The catalogue of functions: how functions, versions and aliases are found and stored.

Every function works inside a transaction or a snapshot of its caller's; who writes holds
`function_lock`. A function lives in the region that the request was signed for.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

import msgspec

from penstock.base import limits
from penstock.functions.function import (
    LATEST,
    Alias,
    Function,
    alias_key,
    code_key,
    decode_alias,
    decode_function,
    encode,
    function_key,
    version_key,
)
from penstock.storage.waist import Reader, Span, Transaction

T = TypeVar("T")


class Found(NamedTuple):
    """What a name with its qualifier stands for."""

    latest: Function
    """The function itself, with what holds for all of its versions."""
    version: Function
    """The version that runs."""
    alias: Alias | None


def find_function(reader: Reader, region: str, name: str) -> Function | None:
    """Return the function of that name as it is now ($LATEST), or None."""
    stored = reader.get(function_key(region, name))
    return None if stored is None else decode_function(stored)


def find_version(reader: Reader, region: str, name: str, version: str) -> Function | None:
    """Return a version of a function, or None."""
    if version == LATEST:
        return find_function(reader, region, name)
    if len(version) > limits.function_version_digits_max:
        return None
    stored = reader.get(version_key(region, name, version))
    return None if stored is None else decode_function(stored)


def find_alias(reader: Reader, region: str, name: str, alias: str) -> Alias | None:
    """Return an alias of a function, or None."""
    stored = reader.get(alias_key(region, name, alias))
    return None if stored is None else decode_alias(stored)


def find(reader: Reader, region: str, name: str, qualifier: str | None) -> Found | None:
    """Return what a name stands for, with a version or an alias, or without; None for nothing."""
    latest = find_function(reader, region, name)
    if latest is None:
        return None
    if qualifier is None or qualifier == LATEST:
        return Found(latest, latest, None)
    alias = None
    if not qualifier.isdecimal():
        alias = find_alias(reader, region, name, qualifier)
        if alias is None:
            return None
    version = find_version(reader, region, name, qualifier if alias is None else alias.version)
    return None if version is None else Found(latest, version, alias)


def functions(reader: Reader, region: str, after: str = "") -> Iterator[Function]:
    """Yield the functions of a region with names above `after`, in byte order."""
    whole = Span.of_prefix(function_key(region))
    return _rows(reader, whole, after and function_key(region, after), decode_function)


def versions(reader: Reader, region: str, name: str, after: str = "") -> Iterator[Function]:
    """Yield the published versions of a function above `after`, in the order of their numbers."""
    whole = Span.of_prefix(version_key(region, name))
    return _rows(reader, whole, after and version_key(region, name, after), decode_function)


def aliases(reader: Reader, region: str, name: str, after: str = "") -> Iterator[Alias]:
    """Yield the aliases of a function with names above `after`, in byte order."""
    whole = Span.of_prefix(alias_key(region, name))
    return _rows(reader, whole, after and alias_key(region, name, after), decode_alias)


def _rows(
    reader: Reader, whole: Span, after: bytes | str, decode: Callable[[bytes], T]
) -> Iterator[T]:
    span = Span(after + b"\0", whole.end) if isinstance(after, bytes) else whole
    while rows := reader.scan(span, limits.scan_rows_max):
        for _, stored in rows:
            yield decode(stored)
        span = Span(rows[-1][0] + b"\0", span.end)


def store_function(txn: Transaction, function: Function) -> None:
    """Store a function, or one of its versions."""
    key = function_key(function.region, function.name)
    if function.version != LATEST:
        key = version_key(function.region, function.name, function.version)
    txn.set(key, encode(function))


def store_alias(txn: Transaction, alias: Alias) -> None:
    """Store an alias."""
    txn.set(alias_key(alias.region, alias.function, alias.name), encode(alias))


def forget_alias(txn: Transaction, latest: Function, alias: Alias) -> None:
    """Take an alias of a function away, with what is kept with the function for it."""
    txn.set(alias_key(alias.region, alias.function, alias.name), None)
    _forget_qualifier(txn, latest, alias.name)


def forget_version(txn: Transaction, latest: Function, version: Function) -> None:
    """Take a published version of a function away, with what is kept with the function for it."""
    txn.set(version_key(version.region, version.name, version.version), None)
    _forget_qualifier(txn, latest, version.version)


def _forget_qualifier(txn: Transaction, latest: Function, qualifier: str) -> None:
    if qualifier in latest.policies or qualifier in latest.event_configs:
        policies = {name: each for name, each in latest.policies.items() if name != qualifier}
        configs = {name: each for name, each in latest.event_configs.items() if name != qualifier}
        left = msgspec.structs.replace(latest, policies=policies, event_configs=configs)
        store_function(txn, left)


def forget_function(txn: Transaction, region: str, name: str) -> None:
    """Take a function away, with its versions, aliases and code."""
    txn.set(function_key(region, name), None)
    for prefix in (version_key(region, name), alias_key(region, name), code_key(region, name)):
        txn.clear(Span.of_prefix(prefix))
