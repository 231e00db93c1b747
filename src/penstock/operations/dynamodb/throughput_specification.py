"""Throughput in requests: provisioned units, maxima of on-demand tables, and warm throughput.

Texts: AWS, 2026-10, as measured or quoted in public issues; those of warm throughput, and all of
maxima of an index, are not confirmed.
"""

from collections.abc import Mapping
from typing import Any

from penstock.base import limits
from penstock.base.errors import dynamodb
from penstock.base.errors.api import ApiError
from penstock.tables.provision import Maxima, Units
from penstock.wire.shapes import Integer, Structure, required

_POSITIVE = Integer(low=1, java_type="Long")
_LONG = Integer(java_type="Long")

PROVISIONED = Structure(
    "ProvisionedThroughput",
    ReadCapacityUnits=required(_POSITIVE),
    WriteCapacityUnits=required(_POSITIVE),
)
ON_DEMAND = Structure("OnDemandThroughput", MaxReadRequestUnits=_LONG, MaxWriteRequestUnits=_LONG)
WARM = Structure("WarmThroughput", ReadUnitsPerSecond=_LONG, WriteUnitsPerSecond=_LONG)

NO_UNITS = Units(0, 0)
ON_DEMAND_WARM = Units(limits.on_demand_warm_read_units, limits.on_demand_warm_write_units)
REMOVED = -1
"""What a maximum is set to in order to remove it."""

Given = Mapping[str, Any]


def provisioned(given: Given | None, index: str | None = None) -> Units:
    """Return the units of a ProvisionedThroughput; none for no such member.

    ValidationException where there are too many.
    """
    if given is None:
        return NO_UNITS
    of = "" if index is None else f" for index {index}"
    for name, units in given.items():
        if units > limits.capacity_units_max:
            raise dynamodb.validation(f"Given value {units} for {name} is out of bounds{of}")
    return Units(given["ReadCapacityUnits"], given["WriteCapacityUnits"])


def check_table_units(billing_mode: str, given: Given | None) -> None:
    """Raise ValidationException where the billing mode of a new table forbids its throughput."""
    if billing_mode == "PAY_PER_REQUEST" and given is not None:
        raise not_for_on_demand()
    if billing_mode == "PROVISIONED" and given is None:
        raise dynamodb.parameter_values_invalid(
            "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is"
            " PROVISIONED"
        )


def check_index_units(billing_mode: str, given: Given | None, index: str) -> None:
    """Raise ValidationException where the billing mode forbids the throughput of a new index."""
    if billing_mode == "PAY_PER_REQUEST" and given is not None:
        raise dynamodb.parameter_values_invalid(
            f"ProvisionedThroughput should not be specified for index: {index} when BillingMode is"
            " PAY_PER_REQUEST"
        )
    if billing_mode == "PROVISIONED" and given is None:
        raise dynamodb.parameter_values_invalid(
            f"ProvisionedThroughput is not specified for index: {index}"
        )


def not_for_on_demand(index: str | None = None) -> ApiError:
    """Return the error for giving units to an on-demand table, or to an index of one."""
    of = "" if index is None else f" for index: {index}"
    return dynamodb.parameter_values_invalid(
        f"Neither ReadCapacityUnits nor WriteCapacityUnits can be specified{of} when BillingMode is"
        " PAY_PER_REQUEST"
    )


def new_maxima(given: Given | None, billing_mode: str, index: str | None = None) -> Maxima:
    """Return the maxima of a new table or index; ValidationException for what they cannot be."""
    for name in given or ():
        if billing_mode == "PROVISIONED":
            raise dynamodb.parameter_values_invalid(
                f"{name} for OnDemandThroughput cannot be specified when table BillingMode is"
                " PROVISIONED."
            )
    return _maxima(given or {}, index, low=1)


def changed_maxima(
    given: Given, old: Maxima, billing_mode: str, index: str | None = None
) -> Maxima:
    """Return `old` with the maxima that `given` names, REMOVED where one is to go.

    ValidationException for what they cannot be.
    """
    for name in given:
        if billing_mode == "PROVISIONED":
            raise dynamodb.parameter_values_invalid(
                f"{name} for OnDemandThroughput cannot be specified when the table BillingMode is"
                " PROVISIONED"
            )
    new = _maxima(given, index, low=REMOVED)
    return Maxima(
        old.read if new.read is None else new.read, old.write if new.write is None else new.write
    )


def without_removed(maxima: Maxima) -> Maxima:
    """Return `maxima` without those that are REMOVED."""
    read, write = (None if most == REMOVED else most for most in (maxima.read, maxima.write))
    return Maxima(read, write)


def _maxima(given: Given, index: str | None, *, low: int) -> Maxima:
    of = "table" if index is None else f"index: {index}"
    for name, most in given.items():
        if most < low or most == 0 or most > limits.capacity_units_max:
            raise dynamodb.parameter_values_invalid(
                f"Requested {name} for OnDemandThroughput for {of} is outside of valid range"
            )
    return Maxima(given.get("MaxReadRequestUnits"), given.get("MaxWriteRequestUnits"))


def base_warmth(billing_mode: str, units: Units) -> Units:
    """Return the warm throughput that a table or index has without asking for more."""
    return ON_DEMAND_WARM if billing_mode == "PAY_PER_REQUEST" else units


def warmth(given: Given | None, current: Units, index: str | None = None) -> Units | None:
    """Return the warm throughput that is asked for, None where nothing is.

    ValidationException where that is less than `current`, or more than there can be.
    """
    if not given:
        return None
    of = "table" if index is None else f"index: {index}"
    asked = Units(
        given.get("ReadUnitsPerSecond", current.read),
        given.get("WriteUnitsPerSecond", current.write),
    )
    for name, units, least in zip(
        ("ReadUnitsPerSecond", "WriteUnitsPerSecond"), asked, current, strict=True
    ):
        if units < least:
            raise dynamodb.parameter_values_invalid(
                f"Requested {name} for WarmThroughput for {of} is lower than current"
                " WarmThroughput, decreasing WarmThroughput is not supported"
            )
        if units > limits.capacity_units_max:
            raise dynamodb.parameter_values_invalid(
                f"Requested {name} for WarmThroughput for {of} is outside of valid range"
            )
    return asked
