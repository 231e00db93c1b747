"""DescribeLimits: the quotas of throughput that AWS gives a new account.

They are told and not enforced: a table here takes any throughput that its numbers allow.
"""

from typing import Any

from penstock.base import limits
from penstock.operations.operation import Context
from penstock.wire.shapes import Structure

SHAPE = Structure("DescribeLimitsInput")


async def run(_context: Context, _request: dict[str, Any]) -> dict[str, Any]:
    """Answer with the quotas."""
    return {
        "AccountMaxReadCapacityUnits": limits.account_read_units_max,
        "AccountMaxWriteCapacityUnits": limits.account_write_units_max,
        "TableMaxReadCapacityUnits": limits.table_read_units_max,
        "TableMaxWriteCapacityUnits": limits.table_write_units_max,
    }
