"""GetAccountSettings: the limits of the account, and what of them is used in the region."""

from typing import Any

from penstock.base import limits
from penstock.functions.catalog import functions
from penstock.operations.operation import Context
from penstock.operations.rest import Route
from penstock.storage.waist import Reader
from penstock.wire.shapes import Structure

ROUTE = Route("GET", "/2016-08-19/account-settings")
SHAPE = Structure("GetAccountSettingsRequest")


async def run(context: Context, _request: dict[str, Any]) -> dict[str, Any]:
    """Answer with both."""

    def usage(reader: Reader) -> tuple[int, int, int]:
        found = list(functions(reader, context.region))
        reserved = sum(function.concurrency_max or 0 for function in found)
        return len(found), sum(function.code.size_bytes for function in found), reserved

    count, code_bytes, reserved = context.tables.read(usage)
    return {
        "AccountLimit": {
            "TotalCodeSize": limits.function_code_total_bytes_max,
            "CodeSizeUnzipped": limits.function_unzipped_bytes_max,
            "CodeSizeZipped": limits.function_zip_bytes_max,
            "ConcurrentExecutions": limits.function_concurrency_max,
            "UnreservedConcurrentExecutions": limits.function_concurrency_max - reserved,
        },
        "AccountUsage": {"TotalCodeSize": code_bytes, "FunctionCount": count},
    }
