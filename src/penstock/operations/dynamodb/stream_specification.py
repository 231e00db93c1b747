"""StreamSpecification: when a table's stream may be switched on or off, and the texts when not.

All texts were measured on AWS, 2026-10.
"""

from collections.abc import Iterable
from typing import Any

from penstock.base.errors import dynamodb
from penstock.operations.operation import LsiStreamRule
from penstock.tables.descriptor import Descriptor
from penstock.tables.index import IndexDescriptor
from penstock.wire.shapes import Boolean, String, Structure, required

STREAM_SPECIFICATION = Structure(
    "StreamSpecification",
    StreamEnabled=required(Boolean()),
    StreamViewType=String(values=("OLD_IMAGE", "KEYS_ONLY", "NEW_AND_OLD_IMAGES", "NEW_IMAGE")),
)


def check_create(specification: dict[str, Any] | None) -> None:
    """Raise ValidationException for a specification that a table cannot be created with."""
    if specification is None:
        return
    enabled, view_type = specification["StreamEnabled"], specification.get("StreamViewType")
    if enabled and view_type is None:
        raise dynamodb.parameter_values_invalid(
            "Table is being created with a stream enabled, UpdateViewType is required"
        )
    if not enabled and view_type is not None:
        raise dynamodb.parameter_values_invalid(
            "Table is being created with a stream disabled, UpdateViewType should not be specified"
        )


def check_update(specification: dict[str, Any]) -> None:
    """Raise ValidationException for a specification that says nothing that could be done."""
    enabled, view_type = specification["StreamEnabled"], specification.get("StreamViewType")
    if enabled and view_type is None:
        raise dynamodb.parameter_values_invalid(
            "If stream is being enabled then UpdateViewType is required"
        )
    if not enabled and view_type is not None:
        raise dynamodb.parameter_values_invalid(
            "If stream is being disabled, then UpdateViewType must not be specified"
        )


def check_change(specification: dict[str, Any], descriptor: Descriptor) -> None:
    """Raise ValidationException where the table's stream already is as the specification asks."""
    if specification["StreamEnabled"] and descriptor.stream is not None:
        raise dynamodb.validation(
            f"Table already has an enabled stream: TableName: {descriptor.name}"
        )
    if not specification["StreamEnabled"] and descriptor.stream is None:
        raise dynamodb.validation(f"Table has no stream to disable: TableName: {descriptor.name}")


def check_local_indexes(indexes: Iterable[IndexDescriptor], rule: LsiStreamRule) -> None:
    """Raise ValidationException where a table with these indexes may have no stream.

    The rule is that of the service description which Penstock implements; AWS itself has no such
    rule, and `aws` follows it. The text is our own.
    """
    if rule == "aws":
        return
    for index in indexes:
        if index.kind == "LOCAL" and index.projection == "INCLUDE":
            raise dynamodb.parameter_values_invalid(
                "A table whose local secondary index projects non-key attributes (INCLUDE) can have"
                f" no stream: IndexName: {index.name} (a server started with --lsi-stream-rule aws"
                " allows it, as AWS does)"
            )
