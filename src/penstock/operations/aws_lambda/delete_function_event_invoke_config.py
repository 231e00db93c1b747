"""DeleteFunctionEventInvokeConfig: let events of a function be tried as those of any."""

from typing import Any

import msgspec

from penstock.functions import catalog
from penstock.functions.function import LATEST
from penstock.operations.aws_lambda.changes import change
from penstock.operations.aws_lambda.event_configs import PATH, found_config
from penstock.operations.aws_lambda.members import NAMESPACED_NAME, QUALIFIER
from penstock.operations.aws_lambda.target import target_of
from penstock.operations.operation import EMPTY_BODY, Context
from penstock.operations.rest import Route
from penstock.storage.waist import Transaction
from penstock.wire.shapes import Structure, required

ROUTE = Route("DELETE", PATH, 204, query=("Qualifier",))
SHAPE = Structure(
    "DeleteFunctionEventInvokeConfigRequest",
    FunctionName=required(NAMESPACED_NAME),
    Qualifier=QUALIFIER,
)


async def run(context: Context, request: dict[str, Any]) -> msgspec.Raw:
    """Do so and answer with an empty body."""
    target = target_of(context, request)

    def work(txn: Transaction) -> None:
        function = target.found(txn).latest
        found_config(target, function)
        own = target.qualifier or LATEST
        left = {name: each for name, each in function.event_configs.items() if name != own}
        catalog.store_function(txn, msgspec.structs.replace(function, event_configs=left))

    await change(context, target, work)
    return EMPTY_BODY
