"""Keys in requests: AttributeDefinitions, and the KeySchema of tables and indexes.

Facts: AWS, 2026-10: a table and a local index have a HASH and at most one RANGE attribute, a global
index up to four of each since 2025-11. Texts: dynalite and public issues that quote AWS.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from penstock.base import limits
from penstock.base.errors import dynamodb
from penstock.items.keys import KeyAttribute, KeySchema
from penstock.wire.shapes import ListOf, String, Structure, required

_KEY_NAME = String(1, limits.key_attribute_name_bytes_max)
_ELEMENT = Structure(
    "KeySchemaElement",
    AttributeName=required(_KEY_NAME),
    KeyType=required(String(values=("HASH", "RANGE"))),
)

DEFINITIONS = ListOf(
    Structure(
        "AttributeDefinition",
        AttributeName=required(_KEY_NAME),
        AttributeType=required(String(values=("B", "N", "S"))),
    )
)
KEY_SCHEMA = ListOf(_ELEMENT, low=1, high=2)
GLOBAL_KEY_SCHEMA = ListOf(_ELEMENT, low=1)

Types = Mapping[str, Any]
"""The type of each attribute that is defined."""

_INVALID = "Invalid KeySchema: "


def types_of(definitions: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the type of each attribute of AttributeDefinitions."""
    return {given["AttributeName"]: given["AttributeType"] for given in definitions}


def names_of(schema: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the names of a KeySchema's attributes in their order."""
    return [element["AttributeName"] for element in schema]


def check_definitions(definitions: Sequence[Mapping[str, Any]]) -> None:
    """Raise ValidationException where an attribute is defined twice, of one type or of two.

    Text: AWS, as quoted in scylladb issue 13870.
    """
    defined: set[str] = set()
    for given in definitions:
        name = given["AttributeName"]
        if name in defined:
            raise dynamodb.validation(f"Attribute Name is duplicated: {name}")
        defined.add(name)


def check_pair(schema: Sequence[Mapping[str, Any]]) -> None:
    """Raise ValidationException unless `schema` is one HASH and at most one RANGE attribute."""
    kinds = [element["KeyType"] for element in schema]
    _check_first(kinds)
    if len(kinds) > 1 and kinds[1] != "RANGE":
        raise dynamodb.parameter_values_invalid(
            f"{_INVALID}The second KeySchemaElement is not a RANGE key type"
        )
    _check_distinct(schema)


def check_global(schema: Sequence[Mapping[str, Any]]) -> None:
    """Raise ValidationException unless `schema` can be that of a global index."""
    kinds = [element["KeyType"] for element in schema]
    _check_first(kinds)
    if "HASH" in kinds[kinds.count("HASH") :]:
        raise dynamodb.parameter_values_invalid(
            f"{_INVALID}All HASH key attributes must precede RANGE key attributes in the KeySchema"
        )
    for kind in ("HASH", "RANGE"):
        if kinds.count(kind) > limits.index_key_attributes_max:
            raise dynamodb.parameter_values_invalid(
                f"{_INVALID}The KeySchema exceeds the maximum allowed number of {kind} key"
                " attributes"
            )
    _check_distinct(schema)


def check_defined(names: Sequence[str], types: Types) -> None:
    """Raise ValidationException where an attribute of an index's key is not defined."""
    if any(name not in types for name in names):
        raise dynamodb.parameter_values_invalid(
            "Some index key attributes are not defined in AttributeDefinitions. Keys:"
            f" [{', '.join(names)}], AttributeDefinitions: [{', '.join(types)}]"
        )


def check_table_defined(names: Iterable[str], types: Types) -> None:
    """Raise ValidationException where an attribute of the key of a table or new index is missing.

    Text: AWS, 2026-10, for a new index and for a table that has indexes.
    """
    if any(name not in types for name in names):
        raise dynamodb.validation("Invalid KeySchema: Some index key attribute have no definition")


def check_used(definitions: Sequence[Mapping[str, Any]], names: Iterable[str]) -> None:
    """Raise ValidationException where something is defined that no key uses."""
    used = list(dict.fromkeys(names))
    defined = [given["AttributeName"] for given in definitions]
    if set(defined) - set(used):
        raise dynamodb.parameter_values_invalid(
            "Some AttributeDefinitions are not used. AttributeDefinitions:"
            f" [{', '.join(defined)}], keys used: [{', '.join(used)}]"
        )


def key_schema_of(schema: Iterable[Mapping[str, Any]], types: Types) -> KeySchema:
    """Return the key of a sound KeySchema whose attributes are defined."""
    sides: dict[str, list[KeyAttribute]] = {"HASH": [], "RANGE": []}
    for element in schema:
        name = element["AttributeName"]
        sides[element["KeyType"]].append(KeyAttribute(name, types[name]))
    return KeySchema(tuple(sides["HASH"]), tuple(sides["RANGE"]))


def _check_first(kinds: Sequence[str]) -> None:
    if kinds[0] != "HASH":
        raise dynamodb.parameter_values_invalid(
            f"{_INVALID}The first KeySchemaElement is not a HASH key type"
        )


def _check_distinct(schema: Sequence[Mapping[str, Any]]) -> None:
    names = names_of(schema)
    if len(set(names)) < len(names):
        raise dynamodb.validation(
            "Both the Hash Key and the Range Key element in the KeySchema have the same name"
        )
