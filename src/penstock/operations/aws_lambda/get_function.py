"""GetFunction: the settings of a function, where its code can be had, and its tags."""

from pathlib import Path
from typing import Any

from penstock.functions.function import Function
from penstock.functions.tags import read_tags
from penstock.operations.aws_lambda.configuration import shown
from penstock.operations.aws_lambda.members import NAMESPACED_NAME, QUALIFIER
from penstock.operations.aws_lambda.target import target_of
from penstock.operations.operation import Context
from penstock.operations.rest import Route
from penstock.storage.waist import Reader
from penstock.wire.shapes import Structure, required

ROUTE = Route("GET", "/2015-03-31/functions/{FunctionName}", query=("Qualifier",))
SHAPE = Structure("GetFunctionRequest", FunctionName=required(NAMESPACED_NAME), Qualifier=QUALIFIER)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with all there is of it."""
    target = target_of(context, request)

    def work(reader: Reader) -> dict[str, Any]:
        found = target.found(reader)
        answer = {
            "Configuration": shown(found.version, target.qualifier),
            "Code": _code(context, found.version),
        }
        tags = read_tags(reader, found.latest.arn)
        if tags:
            answer["Tags"] = tags
        if found.latest.concurrency_max is not None:
            reserved = found.latest.concurrency_max
            answer["Concurrency"] = {"ReservedConcurrentExecutions": reserved}
        return answer

    return context.tables.read(work)


def _code(context: Context, function: Function) -> dict[str, str]:
    code = function.code
    if code.directory is not None:
        return {
            "RepositoryType": "local-directory",
            "Location": Path(code.directory).as_uri(),
        }
    path = f"_penstock/functions/{function.region}/{function.name}/{code.digest}.zip"
    return {"RepositoryType": "S3", "Location": f"http://{context.caller.host}/{path}"}
