"""The code that a request brings: a zip file, or the name of a local directory."""

import asyncio
import binascii
import hashlib
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from penstock.base import limits
from penstock.base.errors import aws_lambda
from penstock.functions.archive import ArchiveTooLarge, BadArchive, EmptyArchive, check_archive
from penstock.functions.code import code_of
from penstock.functions.function import Code
from penstock.functions.s3_code import NotFetched, ObjectTooLarge, fetch
from penstock.operations.aws_lambda.members import lacking, refuse_lacking
from penstock.operations.operation import Context
from penstock.wire.shapes import Shape, String

LOCAL = "local-directory"
"""The bucket whose keys are directories of this machine."""

LACKING = ("ImageUri", "SourceKMSKeyArn", "S3ObjectStorageMode")
CODE: dict[str, Shape] = {
    "ZipFile": String(),
    "S3Bucket": String(3, 63, r"[0-9A-Za-z\.\-_]*(?<!\.)"),
    "S3Key": String(1, 1024),
    "S3ObjectVersion": String(1, 1024),
    **lacking(*LACKING),
}


class NewCode(NamedTuple):
    """Code that was checked; `data` is the zip file, None for a local directory."""

    code: Code
    data: bytes | None


async def new_code(context: Context, request: Mapping[str, Any]) -> NewCode:
    """Return the code that members of the shape CODE mean; the error for what is none."""
    refuse_lacking(request, LACKING)
    zipped, bucket, key = (request.get(name) for name in ("ZipFile", "S3Bucket", "S3Key"))
    if zipped is not None:
        if bucket is not None or key is not None:
            raise aws_lambda.invalid_parameter(
                "Please do not provide other FunctionCode parameters when providing a ZipFile."
            )
        return await asyncio.to_thread(_zipped, zipped)
    if bucket is None or key is None:
        raise aws_lambda.invalid_parameter("Please provide a source for function code.")
    version = request.get("S3ObjectVersion")
    if bucket == LOCAL:
        if version is not None:
            raise aws_lambda.invalid_parameter("A local directory has no S3ObjectVersion")
        return await asyncio.to_thread(_local, key)
    endpoint = context.services.destinations.s3
    if endpoint is None:
        raise aws_lambda.invalid_parameter(
            f"S3Bucket {bucket} cannot be read, as this server runs without --s3-endpoint: give "
            f"ZipFile, or the bucket {LOCAL} with the absolute path of a directory as S3Key"
        )
    return await asyncio.to_thread(_fetched, endpoint, context.region, bucket, key, version)


def _fetched(endpoint: str, region: str, bucket: str, key: str, version: str | None) -> NewCode:
    try:
        return _checked(fetch(endpoint, region, bucket, key, version))
    except NotFetched as error:
        raise aws_lambda.invalid_parameter(f"Error occurred while GetObject. {error}") from None
    except ObjectTooLarge:
        raise aws_lambda.unzipped_too_large() from None


def _local(key: str) -> NewCode:
    path = Path(key)
    if not path.is_absolute() or "\0" in key:
        raise aws_lambda.invalid_parameter(f"{key} is not the absolute path of a directory")
    if not path.is_dir():
        raise aws_lambda.invalid_parameter(f"{key} is not a directory of the server's machine")
    name = str(path)
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()
    return NewCode(Code(digest, 0, name), None)


def _zipped(text: str) -> NewCode:
    try:
        data = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise aws_lambda.invalid_parameter("ZipFile is not in base64") from None
    if len(data) > limits.function_zip_bytes_max:
        raise aws_lambda.request_too_large()
    return _checked(data)


def _checked(data: bytes) -> NewCode:
    """Return the code that a zip file is; the error for what is none."""
    try:
        check_archive(data)
    except ArchiveTooLarge:
        raise aws_lambda.unzipped_too_large() from None
    except EmptyArchive:
        raise aws_lambda.invalid_parameter("Uploaded file must be a non-empty zip") from None
    except BadArchive:
        raise aws_lambda.not_unzipped() from None
    return NewCode(code_of(data), data)
