"""ClearFaults: let GetRecords go right again."""

from typing import Any

from penstock.base import limits
from penstock.operations.control.members import ControlInput
from penstock.operations.operation import Context
from penstock.wire.shapes import String

SHAPE = ControlInput("ClearFaultsInput", FaultId=String(1, limits.fault_id_chars_max))


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Take back one fault, or without FaultId all."""
    context.controls.faults.clear(request.get("FaultId"))
    return {}
