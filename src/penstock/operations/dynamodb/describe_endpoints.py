"""DescribeEndpoints: where to send requests, which is where this one was sent."""

from typing import Any

from penstock.base import limits
from penstock.operations.operation import Context
from penstock.wire.shapes import Structure

SHAPE = Structure("DescribeEndpointsRequest")


async def run(context: Context, _request: dict[str, Any]) -> dict[str, Any]:
    """Answer with the host that the request named."""
    endpoint = {
        "Address": context.caller.host,
        "CachePeriodInMinutes": limits.endpoint_cache_minutes,
    }
    return {"Endpoints": [endpoint]}
