"""How a version of a function is published: what it is now, under the next number."""

import asyncio
from pathlib import Path

import msgspec

from penstock.base.errors import aws_lambda
from penstock.functions import catalog
from penstock.functions.archive import ArchiveTooLarge, pack_directory
from penstock.functions.code import code_of
from penstock.functions.function import Function
from penstock.operations.aws_lambda.new_code import NewCode
from penstock.storage.waist import Transaction

_OF_VERSION = ("version", "modified_ms", "revision_id", "description")


async def frozen_code(code: NewCode) -> NewCode:
    """Return what a version with `code` has: of a local directory, a zip file of it."""
    directory = code.code.directory
    if directory is None:
        return code
    try:
        data = await asyncio.to_thread(pack_directory, Path(directory))
    except ArchiveTooLarge:
        raise aws_lambda.unzipped_too_large() from None
    except OSError as error:
        raise aws_lambda.invalid_parameter(
            f"{directory} cannot be read: {error.strerror or error}"
        ) from None
    return NewCode(code_of(data), data)


def publish(
    txn: Transaction,
    function: Function,
    code: NewCode,
    revision_id: str,
    description: str | None = None,
) -> tuple[Function, Function]:
    """Store a version of `function`; return what $LATEST is then, and the version.

    Where nothing has changed since the last one, that is returned: none is published then.
    """
    version = msgspec.structs.replace(
        function,
        code=code.code,
        version=str(function.last_version + 1),
        revision_id=revision_id,
        description=function.description if description is None else description,
        concurrency_max=None,
        policies={},
        event_configs={},
        last_version=0,
    )
    last = None
    if function.last_version:
        last = catalog.find_version(txn, function.region, function.name, str(function.last_version))
    if last is not None and _is_alike(last, version):
        return function, last
    latest = msgspec.structs.replace(function, last_version=function.last_version + 1)
    catalog.store_function(txn, version)
    catalog.store_function(txn, latest)
    return latest, version


def _is_alike(last: Function, version: Function) -> bool:
    same = {name: getattr(version, name) for name in _OF_VERSION}
    return msgspec.structs.replace(last, **same) == version
