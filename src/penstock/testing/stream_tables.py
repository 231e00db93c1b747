"""Tables for tests: made with few words, named after the test, gone after it."""

import re
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from penstock.base.ids import Entropy

_NAME_CHARS_MAX = 80
_NAME_BITS = 32
Keys = Mapping[str, str]
"""Key attributes and their types, the partition key first: `{"customer": "S", "order": "N"}`."""


class StreamTables:
    """Makes tables, and deletes them again; `resource` is boto3's of DynamoDB."""

    def __init__(self, resource: Any, test_name: str) -> None:
        self._resource = resource
        self._client = resource.meta.client
        self._prefix = re.sub(r"[^a-zA-Z0-9_.-]+", "-", test_name)[:_NAME_CHARS_MAX]
        self._entropy = Entropy()
        self._made: list[str] = []

    def make(
        self,
        name: str | None = None,
        *,
        keys: Keys | None = None,
        view: str | None = "NEW_AND_OLD_IMAGES",
        global_indexes: Mapping[str, Keys] | None = None,
        local_indexes: Mapping[str, Keys] | None = None,
        **more: Any,
    ) -> Any:
        """Return a new table as boto3's resource, `ACTIVE`, with a stream of `view` if not None.

        `keys` is `{"id": "S"}` by default. Indexes are given by name with their keys and hold all
        attributes; a local one's keys may leave the table's partition key out. `more` are members
        of CreateTable, and replace those made of the other arguments.
        """
        table_keys = dict(keys or {"id": "S"})
        partition = dict(list(table_keys.items())[:1])
        globals_ = {index: dict(its) for index, its in (global_indexes or {}).items()}
        locals_ = {index: {**partition, **its} for index, its in (local_indexes or {}).items()}
        parts: dict[str, Any] = {
            "TableName": name or f"{self._prefix}-{self._entropy.bits(_NAME_BITS):08x}",
            "KeySchema": _schema(table_keys),
            "AttributeDefinitions": _definitions(
                [table_keys, *globals_.values(), *locals_.values()]
            ),
            "BillingMode": "PAY_PER_REQUEST",
        }
        if view is not None:
            parts["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": view}
        if globals_:
            parts["GlobalSecondaryIndexes"] = _indexes(globals_)
        if locals_:
            parts["LocalSecondaryIndexes"] = _indexes(locals_)
        table = self._resource.create_table(**{**parts, **more})
        self._made.append(table.name)
        waiter = self._client.get_waiter("table_exists")
        waiter.wait(TableName=table.name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        return table

    def delete_all(self) -> None:
        """Delete every table that was made here and is still there, protected ones too."""
        while self._made:
            name = self._made.pop()
            try:
                table = self._client.describe_table(TableName=name)["Table"]
                if table.get("DeletionProtectionEnabled"):
                    self._client.update_table(TableName=name, DeletionProtectionEnabled=False)
                self._client.delete_table(TableName=name)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ResourceNotFoundException":
                    raise


def table_name(table: Any) -> str:
    """Return the name of a table that is given by its name or as boto3's resource."""
    name = table if isinstance(table, str) else getattr(table, "name", None)
    if not isinstance(name, str):
        raise TypeError(f"a table is given by its name or as boto3's Table, not as {table!r}")
    return name


def _schema(keys: Keys) -> list[dict[str, str]]:
    kinds = ("HASH", "RANGE")
    if not 1 <= len(keys) <= len(kinds):
        raise TypeError(f"keys are one attribute or two with their types, not {keys!r}")
    return [
        {"AttributeName": name, "KeyType": kind} for name, kind in zip(keys, kinds, strict=False)
    ]


def _definitions(all_keys: list[dict[str, str]]) -> list[dict[str, str]]:
    types: dict[str, str] = {}
    for keys in all_keys:
        for name, kind in keys.items():
            if types.setdefault(name, kind) != kind:
                raise TypeError(f"the key attribute {name!r} is given as {types[name]} and {kind}")
    return [{"AttributeName": name, "AttributeType": kind} for name, kind in types.items()]


def _indexes(indexes: Mapping[str, Keys]) -> list[dict[str, Any]]:
    return [
        {
            "IndexName": name,
            "KeySchema": _schema(keys),
            "Projection": {"ProjectionType": "ALL"},
        }
        for name, keys in indexes.items()
    ]
