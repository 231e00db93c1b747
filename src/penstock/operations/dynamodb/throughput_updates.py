"""UpdateTable's changes of throughput and billing mode: pure, on what is stored of a table.

Facts: AWS, 2026-10: throughput that stays is an error; how often it may be lowered is limited, and
so is how often a table is made on-demand; on the way to provisioned every global index needs
throughput of its own; a new mode clears the throughput of the old one.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from msgspec.structs import replace

from penstock.base import limits
from penstock.base.clock import utc_sentence
from penstock.base.errors import dynamodb
from penstock.base.errors.tables import limit_exceeded
from penstock.operations.dynamodb import throughput_specification as throughput
from penstock.tables.descriptor import Descriptor
from penstock.tables.index import IndexDescriptor
from penstock.tables.provision import History, Maxima, Units, is_decrease

T = TypeVar("T", Descriptor, IndexDescriptor)


def changed_units(of: T, given: Mapping[str, Any], now_ms: int, index: str | None = None) -> T:
    """Return a table or index with the provisioned units of `given`.

    ValidationException where they are what they were, LimitExceededException where they were
    lowered too often.
    """
    old, new = of.units, throughput.provisioned(given, index)
    if new == old:
        noun = "table" if index is None else "index"
        which = "the table" if index is None else f"the index {index}"
        raise dynamodb.validation(
            f"The provisioned throughput for {which} will not change. The requested value equals"
            f" the current value. Current ReadCapacityUnits provisioned for the {noun}: {old.read}."
            f" Requested ReadCapacityUnits: {new.read}. Current WriteCapacityUnits provisioned for"
            f" the {noun}: {old.write}. Requested WriteCapacityUnits: {new.write}. Refer to the"
            " Amazon DynamoDB Developer Guide for current limits and how to request higher limits."
        )
    if is_decrease(old, new):
        _check_decrease(of.history, now_ms)
    history = of.history.after(old, new, now_ms)
    return replace(of, read_units=new.read, write_units=new.write, history=history)


def changed_mode(descriptor: Descriptor, request: Mapping[str, Any], now_ms: int) -> Descriptor:
    """Return the table in the billing mode that the request gives, with its new throughput.

    The throughput of its global indexes is set too. ValidationException where something is missing,
    LimitExceededException where the table was made on-demand too often.
    """
    mode = request.get("BillingMode", descriptor.billing_mode)
    units = request.get("ProvisionedThroughput")
    if mode == "PAY_PER_REQUEST" and units is not None:
        raise throughput.not_for_on_demand()
    if mode == descriptor.billing_mode:
        return descriptor if units is None else changed_units(descriptor, units, now_ms)
    if mode == "PAY_PER_REQUEST":
        return _on_demand(descriptor, now_ms)
    if units is None:
        raise dynamodb.parameter_values_invalid(
            "ProvisionedThroughput must be specified when BillingMode is PROVISIONED"
        )
    return _provisioned(descriptor, request, throughput.provisioned(units), now_ms)


def _on_demand(descriptor: Descriptor, now_ms: int) -> Descriptor:
    recent = within(descriptor.on_demand_ms, now_ms, limits.on_demand_switches_window_ms)
    if len(recent) >= limits.on_demand_switches_max:
        raise limit_exceeded(
            "Update to PayPerRequest mode are limited to"
            f" {limits.on_demand_switches_max} times in 1 day(s)."
        )
    return replace(
        descriptor,
        billing_mode="PAY_PER_REQUEST",
        read_units=0,
        write_units=0,
        history=_without_units(descriptor.history, now_ms),
        warm=None,
        on_demand_since_ms=now_ms,
        on_demand_ms=[*recent, now_ms],
        indexes=[
            replace(
                index,
                read_units=0,
                write_units=0,
                history=_without_units(index.history, now_ms),
                warm=None,
                status="UPDATING" if index.status == "ACTIVE" else index.status,
            )
            if index.kind == "GLOBAL"
            else index
            for index in descriptor.indexes
        ],
    )


def _without_units(history: History, now_ms: int) -> History:
    """Return the history of what lost its units: a decrease that is not counted."""
    return replace(history, decreased_ms=now_ms, decreases=history.decreases_today(now_ms))


def _provisioned(
    descriptor: Descriptor, request: Mapping[str, Any], units: Units, now_ms: int
) -> Descriptor:
    given = {
        update["Update"]["IndexName"]: update["Update"].get("ProvisionedThroughput")
        for update in request.get("GlobalSecondaryIndexUpdates", ())
        if "Update" in update
    }
    indexes = []
    for index in descriptor.indexes:
        if index.kind == "GLOBAL":
            if given.get(index.name) is None:
                raise dynamodb.parameter_values_invalid(
                    f"ProvisionedThroughput must be specified for index: {index.name}"
                )
            index = replace(index, maxima=Maxima(), warm=None)  # noqa: PLW2901 - its next form
        indexes.append(index)
    return replace(
        descriptor,
        billing_mode="PROVISIONED",
        read_units=units.read,
        write_units=units.write,
        history=replace(descriptor.history, increased_ms=now_ms),
        maxima=Maxima(),
        warm=None,
        indexes=indexes,
    )


def changed_class(descriptor: Descriptor, table_class: Any, now_ms: int) -> Descriptor:
    """Return the table in `table_class`; LimitExceededException where that changed too often."""
    if table_class == (descriptor.table_class or "STANDARD"):
        return descriptor
    recent = within(descriptor.class_ms, now_ms, limits.table_class_changes_window_ms)
    if len(recent) >= limits.table_class_changes_max:
        raise limit_exceeded(
            "Updates of the table class are limited to"
            f" {limits.table_class_changes_max} times in 30 day(s)."
        )
    return replace(descriptor, table_class=table_class, class_ms=[*recent, now_ms])


def within(times_ms: list[int], now_ms: int, window_ms: int) -> list[int]:
    """Return those of `times_ms` that are not older than `window_ms`."""
    return [ms for ms in times_ms if ms > now_ms - window_ms]


def _check_decrease(history: History, now_ms: int) -> None:
    next_ms = history.next_decrease_ms(now_ms)
    if now_ms < next_ms:
        raise limit_exceeded(
            "Provisioned throughput decreases are limited within a given UTC day. After the first"
            f" {limits.throughput_decreases_free_max} decreases, each subsequent decrease in the"
            " same UTC day can be performed at most once every"
            f" {limits.throughput_decrease_wait_ms // 1000} seconds. Number of decreases today:"
            f" {history.decreases_today(now_ms)}. Last decrease at"
            f" {utc_sentence(history.decreased_ms)}. Next decrease can be made at"
            f" {utc_sentence(next_ms)}"
        )
