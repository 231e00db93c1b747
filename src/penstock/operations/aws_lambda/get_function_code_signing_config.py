"""GetFunctionCodeSigningConfig: which code signing a function has, which is none.

Tools ask for it of every function: see AWS's provider for Terraform.
"""

from typing import Any

from penstock.operations.aws_lambda.members import FUNCTION_NAME
from penstock.operations.aws_lambda.target import target_of
from penstock.operations.operation import Context
from penstock.operations.rest import Route
from penstock.wire.shapes import Structure, required

ROUTE = Route("GET", "/2020-06-30/functions/{FunctionName}/code-signing-config")
SHAPE = Structure("GetFunctionCodeSigningConfigRequest", FunctionName=required(FUNCTION_NAME))


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with the function's name, and no configuration."""
    target = target_of(context, request, qualified=False)
    context.tables.read(target.function)
    return {"CodeSigningConfigArn": "", "FunctionName": target.name}
