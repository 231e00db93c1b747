"""CreateAlias: a name for a version of a function."""

from typing import Any

from penstock.base.errors import aws_lambda
from penstock.functions import catalog
from penstock.functions.function import Alias
from penstock.operations.aws_lambda.aliases import alias_arn, check_version, shown_alias
from penstock.operations.aws_lambda.changes import change
from penstock.operations.aws_lambda.members import (
    ALIAS,
    DESCRIPTION,
    FUNCTION_NAME,
    VERSION,
    lacking,
    refuse_lacking,
)
from penstock.operations.aws_lambda.target import target_of
from penstock.operations.operation import Context
from penstock.operations.rest import Route
from penstock.storage.waist import Transaction
from penstock.wire.shapes import Structure, required

ROUTE = Route("POST", "/2015-03-31/functions/{FunctionName}/aliases", 201)
SHAPE = Structure(
    "CreateAliasRequest",
    FunctionName=required(FUNCTION_NAME),
    Name=required(ALIAS),
    FunctionVersion=required(VERSION),
    Description=DESCRIPTION,
    **lacking("RoutingConfig"),
)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Make the alias and answer with it."""
    refuse_lacking(request, ("RoutingConfig",))
    target = target_of(context, request, qualified=False)
    alias = Alias(
        target.region,
        target.name,
        request["Name"],
        request["FunctionVersion"],
        request.get("Description", ""),
        context.tables.entropy.uuid(),
    )

    def work(txn: Transaction) -> None:
        target.function(txn)
        check_version(txn, target, alias.version)
        if catalog.find_alias(txn, target.region, target.name, alias.name) is not None:
            raise aws_lambda.resource_conflict(
                f"Alias already exists: {alias_arn(target, alias.name)}"
            )
        catalog.store_alias(txn, alias)

    await change(context, target, work)
    return shown_alias(target, alias)
