"""What tags belong to: a function, or an event source mapping, by its ARN."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from penstock.base.errors import aws_lambda
from penstock.functions import catalog
from penstock.functions.function import function_lock
from penstock.functions.mapping import MAPPINGS_LOCK, find_mapping
from penstock.functions.tags import read_tags, tags_lock, write_tags
from penstock.operations.aws_lambda.members import check_tag_count
from penstock.operations.operation import Context
from penstock.storage.waist import Lock, Reader, Transaction
from penstock.wire.shapes import String

RESOURCE = String(1, 10_000)

_ARN = re.compile(
    r"arn:aws[a-zA-Z-]*:lambda:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):"
    r"(?P<kind>function|event-source-mapping|[a-z-]+):(?P<name>[a-zA-Z0-9-_]+)(?P<more>:.*)?"
)


class Tagged(NamedTuple):
    """Something with tags."""

    region: str
    kind: str
    name: str
    arn: str

    @property
    def locks(self) -> Sequence[Lock]:
        """The locks of it and of its tags."""
        if self.kind == "function":
            return function_lock(self.region, self.name), tags_lock(self.arn)
        return MAPPINGS_LOCK, tags_lock(self.arn)

    def check(self, reader: Reader) -> None:
        """Raise ResourceNotFoundException where it is not there."""
        if self.kind == "function":
            if catalog.find_function(reader, self.region, self.name) is None:
                raise aws_lambda.resource_not_found(f"Function not found: {self.arn}")
            return
        mapping = find_mapping(reader, self.region, self.name)
        if mapping is None or mapping.state == "Deleting":
            raise aws_lambda.resource_not_found(
                f"The resource you requested does not exist: {self.arn}"
            )


def tagged_of(context: Context, arn: str) -> Tagged:
    """Return what an ARN names; the error for what has no tags."""
    found = _ARN.fullmatch(arn)
    if found is None:
        raise aws_lambda.invalid_parameter(f"{arn} is not the ARN of a resource of Lambda")
    if found["kind"] not in ("function", "event-source-mapping"):
        raise aws_lambda.not_yet(f"Tagging a {found['kind']}")
    if found["more"]:
        raise aws_lambda.invalid_parameter(
            "Tags on function aliases and versions are not supported. Please specify a function ARN"
            " without a qualifier."
        )
    if (found["region"], found["account"]) != (context.region, context.tables.account):
        raise aws_lambda.resource_not_found(f"{arn} is not of this account and region")
    return Tagged(context.region, found["kind"], found["name"], arn)


async def change_tags(context: Context, arn: str, changes: Mapping[str, str | None]) -> None:
    """Set the tags of a resource as `changes` says, by key; None removes one."""
    tagged = tagged_of(context, arn)

    def work(txn: Transaction) -> None:
        tagged.check(txn)
        after: dict[str, Any] = {**read_tags(txn, arn), **changes}
        tags = {key: value for key, value in after.items() if value is not None}
        check_tag_count(tags)
        write_tags(txn, arn, tags)

    await context.tables.engine.transact(work, locks=tagged.locks)
