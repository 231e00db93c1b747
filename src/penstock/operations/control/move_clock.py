"""MoveClock: move the time of the whole server, or ask what it is."""

from typing import Any

from penstock.base import limits
from penstock.base.errors import control
from penstock.operations.control import members
from penstock.operations.control.members import ControlInput
from penstock.operations.operation import Context

SHAPE = ControlInput("MoveClockInput", Milliseconds=members.MILLISECONDS, To=members.TIME)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with the time, when all that runs beside the requests has seen it.

    `Milliseconds` let time pass, forward only. `To` steps the wall clock, in either direction; what
    is over by then is seen to be over first, so that a step back does not bring it back.
    """
    controls = context.controls
    if "Milliseconds" in request and "To" in request:
        raise control.not_together("Milliseconds", "To")
    if "Milliseconds" in request:
        passing_ms = request["Milliseconds"]
        if controls.clock.now_ms() + passing_ms > limits.clock_ms_max:
            raise control.time_out_of_range(limits.clock_ms_max)
        controls.clock.advance(passing_ms)
    elif "To" in request:
        if request["To"] < controls.clock.now_ms():
            await controls.catch_up()
        controls.clock.set(request["To"])
    controls.look_again()
    await controls.catch_up()
    return {"Now": controls.clock.now_ms()}
