"""Tags in requests: their shape and rules, and the tables that tag actions name by ARN.

Facts: AWS documentation, 2026-10: up to 50 tags; keys of letters, digits, spaces and some signs;
the prefix `aws:` is AWS's. The classes of the errors for ARNs: measured by others, 2026-07; texts
but that for an unknown table are not confirmed.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence

from penstock.base import limits
from penstock.base.errors import dynamodb
from penstock.base.errors.tables import access_denied, limit_exceeded, resource_arn_not_found
from penstock.operations.operation import Context
from penstock.storage.waist import Transaction
from penstock.tables.catalog import check_current
from penstock.tables.descriptor import Table
from penstock.tables.tables import until_current
from penstock.tables.tags import Tags, read_tags, write_tags
from penstock.wire.shapes import ListOf, String, Structure, required

TAG_KEY = String(1, limits.tag_key_chars_max)
TAGS = ListOf(
    Structure("Tag", Key=required(TAG_KEY), Value=required(String(0, limits.tag_value_chars_max)))
)
RESOURCE_ARN = String(1, limits.resource_arn_chars_max)

_SIGNS = frozenset("_.:/=+-@")
_ARN = re.compile(r"arn:[^:]*:([^:]*):([^:]*):([^:]*):(.*)", re.DOTALL)
_TABLE = re.compile(r"table/([a-zA-Z0-9_.-]{3,255})")


def new_tags(given: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return the tags that a request gives; ValidationException for what cannot be one."""
    tags: dict[str, str] = {}
    for tag in given:
        key, value = tag["Key"], tag["Value"]
        if key.lower().startswith("aws:"):
            raise dynamodb.parameter_values_invalid(
                f"Tag keys beginning with aws: are reserved for AWS. Key: {key}"
            )
        for text in (key, value):
            if not all(map(_is_allowed, text)):
                raise dynamodb.parameter_values_invalid(
                    f"Tags hold letters, digits, spaces and _.:/=+-@ only. Key: {key}"
                )
        if key in tags:
            raise dynamodb.parameter_values_invalid(f"Duplicate tag key: {key}")
        tags[key] = value
    check_count(tags)
    return tags


def check_count(tags: Mapping[str, str]) -> None:
    """Raise ValidationException where a table would have too many tags."""
    if len(tags) > limits.tags_per_resource_max:
        raise dynamodb.parameter_values_invalid(
            f"A table has at most {limits.tags_per_resource_max} tags"
        )


def tagged_table(context: Context, action: str, arn: str) -> Table:
    """Return the table of that ARN.

    In AWS's order: 1. it is an ARN, 2. of DynamoDB, 3. of a table, 4. of this account, 5. of this
    region, 6. of a table that exists.
    """
    parts = _ARN.fullmatch(arn)
    if parts is None:  # 1
        raise dynamodb.parameter_values_invalid(
            f"Invalid TableArn: ARNs must start with 'arn:': {arn}"
        )
    service, region, account, resource = parts.groups()
    if service != "dynamodb":  # 2
        raise access_denied(action, arn, context.tables.account)
    name = _TABLE.fullmatch(resource)
    if name is None:  # 3
        raise dynamodb.parameter_values_invalid(
            f"Invalid TableArn: not a DynamoDB resource arn: {arn}"
        )
    if account != context.tables.account:  # 4
        raise access_denied(action, arn, context.tables.account)
    if region != context.region:  # 5
        raise dynamodb.parameter_values_invalid(
            f"Invalid TableArn: Invalid ResourceArn provided as input {arn}"
        )
    table = context.tables.find(region, name[1])
    if table is None or table.descriptor.status == "DELETING":  # 6
        raise resource_arn_not_found(arn)
    return table


async def change_tags(
    context: Context, action: str, arn: str, change: Mapping[str, str | None]
) -> None:
    """Set the tags of a table as `change` says, by key; None removes one.

    LimitExceededException where an earlier change is still under way.
    """
    now_ms = context.tables.clock.now_ms()
    delay_ms = context.services.table_delay_ms

    async def attempt() -> None:
        table = tagged_table(context, action, arn)

        def work(txn: Transaction) -> None:
            check_current(txn, table)
            old = read_tags(txn, table.descriptor.arn)
            if now_ms < old.until_ms:
                raise limit_exceeded(f"Table tags are being updated: {table.name}")
            after = {key: value for key, value in old.values.items() if key not in change}
            after |= {key: value for key, value in change.items() if value is not None}
            check_count(after)
            if after != old.values:
                write_tags(txn, table.descriptor.arn, Tags(after, now_ms + delay_ms))

        await context.tables.engine.transact(work, locks=(table.lock,))

    await until_current(attempt)


def _is_allowed(letter: str) -> bool:
    return letter.isalnum() or letter in _SIGNS or unicodedata.category(letter).startswith("Z")
