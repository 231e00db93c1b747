"""Code that lies in S3, or in what speaks its protocol: fetched once, when it is named.

boto3 is loaded with the first such code: who has none never loads it. Credentials come from its
usual chain; where it has none, requests are signed with ones that mean nothing.
"""

from typing import Any

from penstock.base import limits


class NotFetched(Exception):
    """An object that cannot be had; the text says why."""


class ObjectTooLarge(Exception):
    """An object that is larger than a function's code can be."""


def fetch(endpoint: str, region: str, bucket: str, key: str, version: str | None) -> bytes:
    """Return the bytes of an object, or of one of its versions; on a thread, as it blocks."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - see above

    asked = {"Bucket": bucket, "Key": key} | ({} if version is None else {"VersionId": version})
    try:
        body = _client(endpoint, region).get_object(**asked)["Body"]
        data: bytes = body.read(limits.function_unzipped_bytes_max + 1)
    except ClientError as failure:
        error = failure.response.get("Error", {})
        raise NotFetched(
            f"S3 Error Code: {error.get('Code')}. S3 Error Message: {error.get('Message')}"
        ) from None
    except BotoCoreError as failure:
        raise NotFetched(" ".join(str(failure).split())) from None
    if len(data) > limits.function_unzipped_bytes_max:
        raise ObjectTooLarge
    return data


def _client(endpoint: str, region: str) -> Any:
    import boto3  # noqa: PLC0415 - see above
    from botocore.config import Config  # noqa: PLC0415 - see above

    session = boto3.Session(region_name=region)
    known: dict[str, str] = {}
    if session.get_credentials() is None:
        known = {"aws_access_key_id": "penstock", "aws_secret_access_key": "penstock"}
    config = Config(
        connect_timeout=limits.remote_connect_seconds_max,
        read_timeout=limits.code_fetch_seconds_max,
        retries={"mode": "standard", "total_max_attempts": 1},
        s3={"addressing_style": "path"},
        response_checksum_validation="when_required",
    )
    make: Any = session.client  # any service, not only of the stubs
    return make("s3", endpoint_url=endpoint, config=config, **known)
