"""UpdateAlias: another version or description for an alias."""

from typing import Any

import msgspec

from penstock.functions import catalog
from penstock.functions.function import Alias
from penstock.operations.aws_lambda.aliases import check_version, found_alias, shown_alias
from penstock.operations.aws_lambda.changes import change
from penstock.operations.aws_lambda.members import (
    ALIAS,
    DESCRIPTION,
    FUNCTION_NAME,
    VERSION,
    lacking,
    refuse_lacking,
)
from penstock.operations.aws_lambda.target import check_revision, target_of
from penstock.operations.operation import Context
from penstock.operations.rest import Route
from penstock.storage.waist import Transaction
from penstock.wire.shapes import String, Structure, required

ROUTE = Route("PUT", "/2015-03-31/functions/{FunctionName}/aliases/{Name}")
SHAPE = Structure(
    "UpdateAliasRequest",
    FunctionName=required(FUNCTION_NAME),
    Name=required(ALIAS),
    FunctionVersion=VERSION,
    Description=DESCRIPTION,
    RevisionId=String(),
    **lacking("RoutingConfig"),
)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Change the alias and answer with it."""
    refuse_lacking(request, ("RoutingConfig",))
    target = target_of(context, request, qualified=False)
    revision_id = context.tables.entropy.uuid()

    def work(txn: Transaction) -> Alias:
        old = found_alias(txn, target, request["Name"])
        check_revision(request.get("RevisionId"), old.revision_id)
        new = msgspec.structs.replace(
            old,
            version=request.get("FunctionVersion", old.version),
            description=request.get("Description", old.description),
            revision_id=revision_id,
        )
        check_version(txn, target, new.version)
        catalog.store_alias(txn, new)
        return new

    return shown_alias(target, await change(context, target, work))
