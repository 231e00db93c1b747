"""ListFaults: the faults that were made and not cleared, and how often each has fired."""

from typing import Any

from penstock.operations.control.members import ControlInput
from penstock.operations.operation import Context

SHAPE = ControlInput("ListFaultsInput")


async def run(context: Context, _request: dict[str, Any]) -> dict[str, Any]:
    """Answer with all of them, in the order of their making."""
    return {"Faults": context.controls.faults.shown()}
