"""The errors of DynamoDB's expressions: one constructor each.

Most open with the request member that they are about (`kind`, as `ConditionExpression`). Texts:
AWS, 2026-10, as quoted in public issues and the facts, except where a constructor says otherwise.
"""

from penstock.base.errors.api import ApiError
from penstock.base.errors.dynamodb import (
    parameter_values_invalid,
    request_invalid,
    validation,
)
from penstock.base.limits import attribute_name_bytes_max


def invalid_expression(kind: str, detail: str) -> ApiError:
    """Return the error for an expression, with `detail` after the clause that all of them share."""
    return validation(f"Invalid {kind}: {detail}")


# --- the text of an expression


def empty_expression(kind: str) -> ApiError:
    """Return the error for an expression without anything in it."""
    return invalid_expression(kind, "The expression can not be empty;")


def expression_too_long(kind: str, size_bytes: int | None) -> ApiError:
    """Return the error for an expression above 4 KB; only a filter of Scan is told its size."""
    tail = "" if size_bytes is None else f" expression size: {size_bytes}"
    return invalid_expression(kind, f"Expression size has exceeded the maximum allowed size;{tail}")


def syntax_error(kind: str, token: str, near: str) -> ApiError:
    """Return the error for a token that cannot stand where it does; `near` shows its neighbours."""
    return invalid_expression(kind, f'Syntax error; token: "{token}", near: "{near}"')


def redundant_parentheses(kind: str) -> ApiError:
    """Return the error for parentheses right inside parentheses."""
    return invalid_expression(kind, "The expression has redundant parentheses;")


def too_many_operators(kind: str, count: int) -> ApiError:
    """Return the error for more operators and functions than an expression may have."""
    return invalid_expression(
        kind, f"The expression contains too many operators; operator count: {count}"
    )


def list_index_too_large(kind: str, index: int) -> ApiError:
    """Return the error for a list index above the largest one."""
    return invalid_expression(
        kind, f"List index is not within the allowable range; index: [{index}]"
    )


def path_too_deep(kind: str, elements: int) -> ApiError:
    """Return the error for a path of more names and indexes than it may have; DynamoDB Local,
    2026-11.
    """
    return invalid_expression(
        kind, f"The document path has too many nesting levels; nesting levels: {elements}"
    )


def reserved_keyword(kind: str, word: str) -> ApiError:
    """Return the error for a bare attribute name that is a reserved word."""
    return invalid_expression(
        kind, f"Attribute name is a reserved keyword; reserved keyword: {word}"
    )


def section_used_twice(kind: str, section: str) -> ApiError:
    """Return the error for an update expression with two sections of one keyword."""
    return invalid_expression(
        kind, f'The "{section}" section can only be used once in an update expression;'
    )


# --- functions, operators and their operands


def invalid_function_name(kind: str, function: str) -> ApiError:
    """Return the error for a function that does not exist."""
    return invalid_expression(kind, f"Invalid function name; function: {function}")


def function_misused(kind: str, function: str) -> ApiError:
    """Return the error for a function that stands where its result cannot be used."""
    return invalid_expression(
        kind,
        f"The function is not allowed to be used this way in an expression; function: {function}",
    )


def function_not_in_update(kind: str, function: str) -> ApiError:
    """Return the error for a function of conditions in an update expression."""
    return invalid_expression(
        kind, f"The function is not allowed in an update expression; function: {function}"
    )


def function_not_in_condition(kind: str, function: str) -> ApiError:
    """Return the error for a function of updates in a condition; the text is unconfirmed."""
    return invalid_expression(
        kind, f"The function is not allowed in a condition expression; function: {function}"
    )


def wrong_operand_count(kind: str, function: str, count: int) -> ApiError:
    """Return the error for too few or too many operands."""
    return invalid_expression(
        kind,
        "Incorrect number of operands for operator or function; "
        f"operator or function: {function}, number of operands: {count}",
    )


def too_many_in_operands(kind: str, count: int) -> ApiError:
    """Return the error for IN with more candidates than it may have."""
    return invalid_expression(
        kind, f"The IN operator is provided with too many operands; number of operands: {count}"
    )


def wrong_operand_type(kind: str, operation: str, operand_type: str) -> ApiError:
    """Return the error for a value that an operator or function cannot take."""
    return invalid_expression(
        kind,
        "Incorrect operand type for operator or function; "
        f"operator or function: {operation}, operand type: {operand_type}",
    )


def wrong_section_operand(kind: str, section: str, type_name: str) -> ApiError:
    """Return the error for a value that ADD or DELETE cannot take."""
    return invalid_expression(
        kind,
        "Incorrect operand type for operator or function; "
        f"operator: {section}, operand type: {type_name}, typeSet: ALLOWED_FOR_{section}_OPERAND",
    )


def path_required(kind: str, function: str) -> ApiError:
    """Return the error for a function whose operand must be a document path and is not."""
    return invalid_expression(
        kind,
        f"Operator or function requires a document path; operator or function: {function}",
    )


def operands_not_distinct(kind: str, operation: str, path: str) -> ApiError:
    """Return the error for an operator whose first operand stands a second time."""
    return invalid_expression(
        kind,
        "The first operand must be distinct from the remaining operands for this operator or "
        f"function; operator: {operation}, first operand: {path}",
    )


def between_bounds_reversed(kind: str, low: str, high: str) -> ApiError:
    """Return the error for a BETWEEN whose bounds hold nothing; bounds as `{N:5}`."""
    return invalid_expression(
        kind,
        "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
        f"lower bound operand: AttributeValue: {low}, upper bound operand: AttributeValue: {high}",
    )


def between_bounds_differ(kind: str, low: str, high: str) -> ApiError:
    """Return the error for a BETWEEN whose bounds have two types; bounds as `{N:5}`."""
    return invalid_expression(
        kind,
        "The BETWEEN operator requires same data type for lower and upper bounds; "
        f"lower bound operand: AttributeValue: {low}, upper bound operand: AttributeValue: {high}",
    )


def invalid_type_name(kind: str, name: str) -> ApiError:
    """Return the error for an operand of attribute_type that names no type."""
    return invalid_expression(
        kind,
        f"Invalid attribute type name found; type: {name}, "
        "valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
    )


def paths_overlap(kind: str, first: str, second: str) -> ApiError:
    """Return the error for two paths of which one lies in the other; paths as `[a, [1], b]`."""
    return _paths_clash(kind, "overlap", first, second)


def paths_conflict(kind: str, first: str, second: str) -> ApiError:
    """Return the error for two paths that take one attribute for a list and for a map."""
    return _paths_clash(kind, "conflict", first, second)


def _paths_clash(kind: str, how: str, first: str, second: str) -> ApiError:
    return invalid_expression(
        kind,
        f"Two document paths {how} with each other; must remove or rewrite one of these paths; "
        f"path one: {first}, path two: {second}",
    )


# --- placeholders; `member` is ExpressionAttributeNames or ExpressionAttributeValues


def undefined_name(kind: str, placeholder: str) -> ApiError:
    """Return the error for a name placeholder that the request does not define."""
    return invalid_expression(
        kind,
        "An expression attribute name used in the document path is not defined; "
        f"attribute name: {placeholder}",
    )


def undefined_value(kind: str, placeholder: str) -> ApiError:
    """Return the error for a value placeholder that the request does not define."""
    return invalid_expression(
        kind,
        "An expression attribute value used in expression is not defined; "
        f"attribute value: {placeholder}",
    )


def names_without_expression() -> ApiError:
    """Return the error for names in a request that has no expression."""
    return validation("ExpressionAttributeNames can only be specified when using expressions")


def values_without_expression(kinds: list[str]) -> ApiError:
    """Return the error for values in a request without one of the `kinds` that could use them."""
    verb = "is" if len(kinds) == 1 else "are"
    return validation(
        "ExpressionAttributeValues can only be specified when using expressions: "
        f"{' and '.join(kinds)} {verb} null"
    )


def empty_substitutions(member: str) -> ApiError:
    """Return the error for a map of placeholders with nothing in it."""
    return validation(f"{member} must not be empty")


def invalid_placeholder(member: str, placeholder: str) -> ApiError:
    """Return the error for a key that is not a placeholder."""
    return validation(f'{member} contains invalid key: Syntax error; key: "{placeholder}"')


def empty_placeholder(member: str) -> ApiError:
    """Return the error for a placeholder without a character; DynamoDB Local, 2026-11."""
    return validation(
        f"{member} contains invalid key: The expression attribute map contains an empty key;"
    )


def placeholder_too_long(member: str) -> ApiError:
    """Return the error for a placeholder above 255 bytes; DynamoDB Local, 2026-11."""
    return validation(
        f"{member} contains invalid key: The expression attribute map contains a key that is too"
        " long;"
    )


def invalid_substitute(member: str, why: str, placeholder: str) -> ApiError:
    """Return the error for what a placeholder stands for."""
    return validation(f"{member} contains invalid value: {why} for key {placeholder}")


def name_too_long() -> ApiError:
    """Return the error for an attribute name above 64 KB."""
    return validation(
        "1 validation error detected: Attribute name is too large, must be less than "
        f"{attribute_name_bytes_max + 1} bytes"
    )


def unused_placeholders(member: str, placeholders: list[str]) -> ApiError:
    """Return the error for placeholders that no expression uses."""
    return validation(
        f"Value provided in {member} unused in expressions: keys: {{{', '.join(placeholders)}}}"
    )


# --- key conditions


def key_operator_invalid(operator: str) -> ApiError:
    """Return the error for an operator or function that a key condition cannot use."""
    return _key_condition(f"Invalid operator used in KeyConditionExpression: {operator}")


def key_operation_nested() -> ApiError:
    """Return the error for an operand of a key condition that is itself computed."""
    return _key_condition("KeyConditionExpressions cannot contain nested operations")


def key_path_nested() -> ApiError:
    """Return the error for a key condition on a part of an attribute."""
    return _key_condition("KeyConditionExpressions cannot have conditions on nested attributes")


def key_attributes_many() -> ApiError:
    """Return the error for a key condition that compares two attributes."""
    return _key_condition(
        "Invalid condition in KeyConditionExpression: "
        "Multiple attribute names used in one condition"
    )


def key_attribute_missing() -> ApiError:
    """Return the error for a key condition that names no attribute."""
    return _key_condition("Invalid condition in KeyConditionExpression: No key attribute specified")


def key_attribute_not_first(operator: str) -> ApiError:
    """Return the error for BETWEEN and begins_with on a value; the text is unconfirmed."""
    return _key_condition(
        f"Invalid condition in KeyConditionExpression: {operator} operator must have the key "
        "attribute as its first operand"
    )


def key_conditioned_twice() -> ApiError:
    """Return the error for two conditions on one attribute."""
    return _key_condition("KeyConditionExpressions must only contain one condition per key")


def key_conditions_many() -> ApiError:
    """Return the error for conditions on more attributes than a key has."""
    return validation("Conditions can be of length 1 or 2 only")


def key_value_empty(attribute: str, type_name: str) -> ApiError:
    """Return the error for an empty value of a key attribute; `type_name` is string or binary."""
    return validation(
        "One or more parameter values are not valid. The AttributeValue for a key attribute "
        f"cannot contain an empty {type_name} value. Key: {attribute}"
    )


def _key_condition(detail: str) -> ApiError:
    return invalid_expression("KeyConditionExpression", detail)


def query_key_missing(attribute: str) -> ApiError:
    """Return the error for a key condition without the attribute that it must have."""
    return validation(f"Query condition missed key schema element: {attribute}")


def query_condition_unsupported() -> ApiError:
    """Return the error for a key condition that a query cannot follow."""
    return validation("Query key condition not supported")


def query_type_mismatch() -> ApiError:
    """Return the error for a value of another type than the key's."""
    return parameter_values_invalid("Condition parameter type does not match schema type")


def key_not_scalar(attribute: str) -> ApiError:
    """Return the error for a path into a key attribute; DynamoDB Local, 2026-11."""
    return _not_scalar(f"Key: {attribute}")


def index_key_not_scalar(attribute: str) -> ApiError:
    """Return the error for a path into a key attribute of an index; DynamoDB Local, 2026-11."""
    return _not_scalar(f"IndexKey: {attribute}")


def _not_scalar(which: str) -> ApiError:
    return request_invalid(
        "Key attributes must be scalars; list random access '[]' and map lookup '.' are not"
        f" allowed: {which}"
    )


# --- running an update


def update_path_invalid() -> ApiError:
    """Return the error for a path to update whose parent is not there or is of another type."""
    return validation("The document path provided in the update expression is invalid for update")


def update_operand_wrong() -> ApiError:
    """Return the error for an attribute whose type an update cannot compute with."""
    return validation("An operand in the update expression has an incorrect data type")


def update_too_large() -> ApiError:
    """Return the error for an update that makes an item of more than 400 KB."""
    return validation("Item size to update has exceeded the maximum allowed size")


def update_attribute_missing() -> ApiError:
    """Return the error for reading an attribute that the item does not have."""
    return validation(
        "The provided expression refers to an attribute that does not exist in the item"
    )


def update_of_key(attribute: str) -> ApiError:
    """Return the error for an update that would change a key attribute."""
    return parameter_values_invalid(
        f"Cannot update attribute {attribute}. This attribute is part of the key"
    )
