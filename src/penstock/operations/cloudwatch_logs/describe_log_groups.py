"""DescribeLogGroups: the log groups of the caller's region, in the order of their names."""

from collections.abc import Callable, Iterator
from typing import Any

from penstock.base import limits
from penstock.base.errors import logs
from penstock.functions.log_rows import LogGroup, Place, find_group, groups
from penstock.operations.cloudwatch_logs import members
from penstock.operations.operation import Context
from penstock.storage.waist import Reader
from penstock.wire.shapes import ListOf, String, Structure

SHAPE = Structure(
    "DescribeLogGroupsRequest",
    accountIdentifiers=members.refused("accountIdentifiers", ListOf(String(12, 12, r"^\d{12}$"))),
    logGroupNamePrefix=members.GROUP_NAME,
    logGroupNamePattern=String(0, limits.log_name_chars_max, r"[\.\-_/#A-Za-z0-9]*"),
    nextToken=members.TOKEN,
    limit=members.DESCRIBE_LIMIT,
    includeLinkedAccounts=members.FLAG,
    logGroupClass=String(values=("STANDARD", "INFREQUENT_ACCESS", "DELIVERY", "ESSENTIALS")),
    logGroupIdentifiers=ListOf(members.GROUP_IDENTIFIER, 1, limits.log_describe_max),
)

_Found = tuple[str, LogGroup]


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with one page of groups."""
    if request.get("includeLinkedAccounts"):
        raise logs.invalid_parameter("There are no linked accounts in this release of Penstock")
    if "logGroupNamePrefix" in request and "logGroupNamePattern" in request:
        raise logs.not_together("logGroupNamePrefix", "logGroupNamePattern")
    after = (
        members.read_token(request["nextToken"], tuple[str]) if "nextToken" in request else ("",)
    )
    limit = request.get("limit", limits.log_describe_max)
    found: list[_Found] = context.tables.read(
        lambda reader: _some(_listed(context, request, reader, after[0]), limit + 1)
    )
    answer: dict[str, Any] = {
        "logGroups": [_shown(context, name, group) for name, group in found[:limit]]
    }
    more = len(found) > limit
    return answer | ({"nextToken": members.told_token(found[limit - 1][0])} if more else {})


def _some(found: Iterator[_Found], count: int) -> list[_Found]:
    return [each for each, _ in zip(found, range(count), strict=False)]


def _listed(
    context: Context, request: dict[str, Any], reader: Reader, after: str
) -> Iterator[_Found]:
    """Yield the groups that are asked for."""
    if request.get("logGroupClass", "STANDARD") != "STANDARD":
        return
    matches = _name_filter(request)
    if identifiers := request.get("logGroupIdentifiers"):
        names = sorted({members.identified(context, each) for each in identifiers})
        for name in names:
            group = find_group(reader, Place(context.region, name))
            if group is not None and name > after and matches(name):
                yield name, group
        return
    prefix = request.get("logGroupNamePrefix", "")
    for name, group in groups(reader, context.region, after):
        if matches(name):
            yield name, group
        elif name > prefix and prefix:
            return


def _name_filter(request: dict[str, Any]) -> Callable[[str], bool]:
    prefix, part = request.get("logGroupNamePrefix", ""), request.get("logGroupNamePattern", "")
    return lambda name: name.startswith(prefix) and part in name


def _shown(context: Context, name: str, group: LogGroup) -> dict[str, Any]:
    arn = members.group_arn(context, name)
    retention = {} if group.retention_days is None else {"retentionInDays": group.retention_days}
    return {
        "logGroupName": name,
        "creationTime": group.created_ms,
        **retention,
        "metricFilterCount": 0,
        "arn": f"{arn}:*",
        "storedBytes": group.kept_bytes,
        "logGroupClass": "STANDARD",
        "logGroupArn": arn,
    }
