"""PutFault: let GetRecords go wrong, for the next calls or with a probability."""

from typing import Any

from penstock.base import limits
from penstock.base.errors import control
from penstock.operations.control import members
from penstock.operations.control.faults import KINDS, Terms
from penstock.operations.control.members import ControlInput
from penstock.operations.operation import Context
from penstock.wire.shapes import String, required

SHAPE = ControlInput(
    "PutFaultInput",
    Kind=required(String(values=KINDS)),
    TableName=members.TABLE_NAME,
    Region=members.REGION,
    ShardId=members.SHARD_ID,
    Consumer=members.CONSUMER,
    Calls=members.Whole(1, limits.fault_calls_max),
    Probability=members.Number(0, 1),
    Seed=members.Whole(0, limits.fault_seed_max, "Long"),
    Records=members.Whole(0, limits.get_records_max),
)

_SEED_BITS = 32


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with the fault's id; a probability without a seed is given one, which is shown."""
    probability, seed = request.get("Probability"), request.get("Seed")
    if "Calls" not in request and probability is None:
        raise control.neither("Calls", "Probability")
    if seed is not None and probability is None:
        raise control.only_with("Seed", "Probability")
    if "Records" in request and request["Kind"] != "fewer":
        raise control.only_with("Records", "Kind fewer")
    if probability is not None and seed is None:
        seed = context.tables.entropy.bits(_SEED_BITS)
    terms = Terms(
        request["Kind"],
        region=context.region if "TableName" in request else request.get("Region"),
        table_name=request.get("TableName"),
        shard_id=request.get("ShardId"),
        consumer=request.get("Consumer"),
        calls=request.get("Calls"),
        probability=probability,
        seed=seed,
        records=request.get("Records", 0),
    )
    return {"FaultId": context.controls.faults.put(terms)}
