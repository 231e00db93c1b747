"""Aliases in requests: what their actions have in common, and how they are shown."""

from typing import Any

from penstock.base.errors import aws_lambda
from penstock.functions import catalog
from penstock.functions.function import Alias
from penstock.functions.names import function_arn
from penstock.operations.aws_lambda.target import Target
from penstock.storage.waist import Reader


def alias_arn(target: Target, name: str) -> str:
    """Return the ARN of an alias."""
    return function_arn(target.region, target.account, target.name, name)


def found_alias(reader: Reader, target: Target, name: str) -> Alias:
    """Return an alias of a function; ResourceNotFoundException where either is not there."""
    target.function(reader)
    alias = catalog.find_alias(reader, target.region, target.name, name)
    if alias is None:
        raise aws_lambda.resource_not_found(f"Cannot find alias arn: {alias_arn(target, name)}")
    return alias


def check_version(reader: Reader, target: Target, version: str) -> None:
    """Raise ResourceNotFoundException for a version that an alias cannot name."""
    if catalog.find_version(reader, target.region, target.name, version) is None:
        raise target._replace(qualifier=version).missing()


def shown_alias(target: Target, alias: Alias) -> dict[str, Any]:
    """Return AliasConfiguration."""
    return {
        "AliasArn": alias_arn(target, alias.name),
        "Name": alias.name,
        "FunctionVersion": alias.version,
        "Description": alias.description,
        "RevisionId": alias.revision_id,
    }
