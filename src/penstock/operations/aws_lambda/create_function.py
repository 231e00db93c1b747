"""CreateFunction: a function with its code, from a zip file or a local directory."""

from typing import Any

from penstock.base.errors import aws_lambda
from penstock.functions import catalog
from penstock.functions.function import Function
from penstock.functions.tags import write_tags
from penstock.operations.aws_lambda import configuration
from penstock.operations.aws_lambda.changes import change_with_code, keep_used_code
from penstock.operations.aws_lambda.members import (
    FUNCTION_NAME,
    TAGS,
    lacking,
    new_tags,
    refuse_lacking,
)
from penstock.operations.aws_lambda.new_code import CODE, new_code
from penstock.operations.aws_lambda.publishing import frozen_code, publish
from penstock.operations.aws_lambda.target import Target, target_of
from penstock.operations.operation import Context
from penstock.operations.rest import Route
from penstock.storage.waist import Transaction
from penstock.wire.shapes import Boolean, Structure, required

_LACKING = ("PackageType", "PublishTo", "CodeSigningConfigArn", "TenancyConfig")

ROUTE = Route("POST", "/2015-03-31/functions", 201)
SHAPE = Structure(
    "CreateFunctionRequest",
    FunctionName=required(FUNCTION_NAME),
    Role=required(configuration.ROLE),
    Code=required(Structure("FunctionCode", **CODE)),
    Publish=Boolean(),
    Tags=TAGS,
    Architectures=configuration.ARCHITECTURES,
    **configuration.SETTINGS,
    **lacking(*_LACKING),
)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Make the function and answer with its settings."""
    refuse_lacking(request, (*_LACKING, *configuration.LACKING))
    target = target_of(context, request, qualified=False)._replace(qualifier=None)
    if target.name in context.services.remote_functions:
        raise aws_lambda.lives_elsewhere(target.name)
    if "Runtime" not in request or "Handler" not in request:
        raise aws_lambda.invalid_parameter(
            "Runtime and Handler are mandatory parameters for functions created with deployment "
            "packages."
        )
    tags = new_tags(request.get("Tags", {}))
    code = await new_code(context, request["Code"])
    function = configuration.changed(
        Function(
            region=target.region,
            name=target.name,
            arn=target.arn,
            role=request["Role"],
            runtime=request["Runtime"],
            handler=request["Handler"],
            code=code.code,
            architecture=request.get("Architectures", ["x86_64"])[0],
            modified_ms=context.tables.clock.now_ms(),
            revision_id=context.tables.entropy.uuid(),
        ),
        request,
    )
    context.tables.read(lambda reader: _check_free(reader, target))
    frozen = await frozen_code(code) if request.get("Publish") else None
    revision_id = context.tables.entropy.uuid()

    def work(txn: Transaction) -> Function:
        _check_free(txn, target)
        made = function
        catalog.store_function(txn, made)
        if frozen is not None:
            latest, made = publish(txn, made, frozen, revision_id)
            keep_used_code(txn, latest)
        else:
            keep_used_code(txn, made)
        write_tags(txn, target.arn, tags)
        return made

    made = await change_with_code(context, target, frozen or code, work)
    return configuration.shown(made)


def _check_free(reader: Any, target: Target) -> None:
    if catalog.find_function(reader, target.region, target.name) is not None:
        raise aws_lambda.resource_conflict(f"Function already exist: {target.name}")
