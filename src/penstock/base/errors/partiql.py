"""The errors of PartiQL for DynamoDB: one constructor each.

Texts: DynamoDB Local 2.6 (2026-11), with which AWS's own agree where they are publicly reported;
where a constructor names another source, that one. `at` is the place in the statement, as the
service writes it: ` at line:column:length`.
"""

from typing import Any

from penstock.base.errors.api import ApiError
from penstock.base.errors.dynamodb import request_invalid, validation

# --- the text of a statement


def not_well_formed(detail: str) -> ApiError:
    """Return the error for a statement that cannot be parsed; the details: AWS, 2023 and 2026."""
    return validation(f"Statement wasn't well formed, can't be processed: {detail}")


def too_many_operators(count: int) -> ApiError:
    """Return the error for more operators than a statement may have; text as for expressions."""
    return validation(f"The expression contains too many operators; operator count: {count}")


def clause_unsupported(clause: str, at: str) -> ApiError:
    """Return the error for a clause of SQL that DynamoDB does not have."""
    return validation(f"Unsupported clause: {clause}{at}")


def token_unsupported(token: str) -> ApiError:
    """Return the error for a word of SQL that DynamoDB does not have."""
    return validation(f"Unsupported token in expression: {token}")


def aliased() -> ApiError:
    """Return the error for giving something another name."""
    return validation("Aliasing is not supported")


# --- what a statement is about


def source_joined() -> ApiError:
    """Return the error for a SELECT from several tables."""
    return validation("Only select from a single table or index is supported.")


def source_unexpected() -> ApiError:
    """Return the error for a SELECT from what is no table."""
    return validation("Unexpected from source")


def source_too_long() -> ApiError:
    """Return the error for more than the names of a table and of an index."""
    return validation("A path may contain at most 2 components in the FROM clause")


def insert_into_index() -> ApiError:
    """Return the error for an INSERT into an index."""
    return validation(
        "FROM clause may only contain a single table name in data manipulation statements"
    )


def change_of_index() -> ApiError:
    """Return the error for an UPDATE or DELETE of an index."""
    return validation("This operation is not supported on an index")


# --- columns and order


def columns_unsupported() -> ApiError:
    """Return the error for SELECT VALUE."""
    return validation("Select projection doesn't support value or pivot keywords")


def column_unexpected(at: str) -> ApiError:
    """Return the error for a column that is no path."""
    return validation(f"Unexpected path component{at}")


def column_of_members() -> ApiError:
    """Return the error for all members of a map as columns."""
    return validation("Changing item's hierarchy while reading isn't supported")


def column_twice(name: str) -> ApiError:
    """Return the error for two columns that would have one name."""
    return validation(f"Duplicate identifiers in select clause: {name}")


def order_without_where() -> ApiError:
    """Return the error for ORDER BY without WHERE."""
    return validation("Must have WHERE clause in the statement when using ORDER BY clause.")


def order_without_partition() -> ApiError:
    """Return the error for ORDER BY where WHERE does not say which partitions."""
    return validation(
        "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY"
        " clause."
    )


def order_of_other(name: str) -> ApiError:
    """Return the error for ORDER BY an attribute that is not of the key."""
    return validation(
        f"Variable reference {name} in ORDER BY clause must be part of the primary key"
    )


def order_term(at: str) -> ApiError:
    """Return the error for ORDER BY what is no attribute; a text of our own."""
    return validation(f"Only attributes of the primary key may stand in an ORDER BY clause{at}")


# --- values


def type_unsupported(term: str, key: str, at: str) -> ApiError:
    """Return the error for a term that is no value where a value stands."""
    return validation(f"Unsupported data type: {term} under key {key}{at}")


def tuple_key_type(kind: str, key: str, at: str) -> ApiError:
    """Return the error for the name of a member that is no text."""
    return validation(f"Tuple keys must be of type String. Actual type: {kind} under {key}{at}")


def tuple_key_twice(name: str, key: str, at: str) -> ApiError:
    """Return the error for two members of one name."""
    return validation(f"Duplicate keys in tuple. Key: {name} under {key}{at}")


def bag_empty(at: str) -> ApiError:
    """Return the error for a set without members."""
    return validation(f"Empty bags are not supported{at}")


def bag_member(at: str) -> ApiError:
    """Return the error for members that a set cannot have, or that differ in type (no place)."""
    return validation(
        "Unsupported data type in Bag. DynamoDB only supports either numbers or strings in bags"
        f"{at}"
    )


def bag_duplicates() -> ApiError:
    """Return the error for a set that has a member twice."""
    return validation("Input collection contains duplicates")


def number_too_precise() -> ApiError:
    """Return the error for a number of more than 38 digits."""
    return validation("DynamoDB only supports precision up to 38 digits")


def name_empty() -> ApiError:
    """Return the error for an empty name."""
    return validation("Path component cannot be an empty string")


def item_unexpected(at: str) -> ApiError:
    """Return the error for inserting what is no item."""
    return validation(
        "Unsupported format in item expression. Please use struct format {...} to express item"
        f" values for insert statement.{at}"
    )


def parameters_differ() -> ApiError:
    """Return the error for another number of parameters than the statement has places for."""
    return validation("Number of parameters in request and statement don't match.")


# --- conditions and changes


def where_no_condition() -> ApiError:
    """Return the error for a WHERE clause that is neither true nor false."""
    return validation("WHERE clause must contain an expression that resolves to a boolean")


def operator_unsupported(operator: str, *, in_update: bool) -> ApiError:
    """Return the error for an operator that DynamoDB does not have where it stands."""
    kind = "Update" if in_update else "Condition"
    return validation(f"Unsupported operator in {kind} Expression. Operator: {operator}")


def function_unknown(function: str) -> ApiError:
    """Return the error for a function that does not exist."""
    return validation(f"Unrecognized function: {function}")


def operands_missing(operator: str, count: int) -> ApiError:
    """Return the error for an operator with too few operands."""
    return validation(
        "Incorrect number of operands for operator or function; operator or function:"
        f" {operator}, number of operands: {count}"
    )


def in_operands() -> ApiError:
    """Return the error for IN without a path before it and a list after it."""
    return validation(
        "IN operator must have a left hand argument of type Variable Reference and right hand"
        " argument of type Seq with at least one member"
    )


def too_many_partitions(count: int) -> ApiError:
    """Return the error for more partition keys than a SELECT may name; text as for other lists."""
    return validation(
        f"The IN operator is provided with too many operands; number of operands: {count}"
    )


def missing_compared() -> ApiError:
    """Return the error for MISSING as a value."""
    return validation("MISSING must be compared using IS operator")


def set_function_path(function: str, at: str) -> ApiError:
    """Return the error for SET_ADD or SET_DELETE of another path; its place: AWS, 2026-09."""
    return validation(
        f"The first argument to {function.upper()} must equal the assignment value{at}"
    )


def set_function_value(function: str, at: str) -> ApiError:
    """Return the error for SET_ADD or SET_DELETE with what is no set."""
    return validation(
        f"The second argument to {function.upper()} must be a value with type SET{at}"
    )


def key_missing() -> ApiError:
    """Return the error for an UPDATE or DELETE that does not say which item."""
    return validation("Where clause does not contain a mandatory equality on all key attributes")


def key_twice(name: str) -> ApiError:
    """Return the error for an UPDATE or DELETE that names two items."""
    return validation(
        f"Multiple conditions on same key {name}. Only single item Update/Insert/Delete are"
        " supported"
    )


def key_type(name: str) -> ApiError:
    """Return the error for a key attribute of another type than the table's."""
    return validation(
        f"Key attribute's data type should match its data type in table's schema: Key {name}"
    )


def key_absent(name: str) -> ApiError:
    """Return the error for inserting an item without a key attribute."""
    return validation(f"Key attribute should be present in the item: Key {name}")


# --- RETURNING


def returning_of_insert() -> ApiError:
    """Return the error for an INSERT with RETURNING."""
    return validation("RETURNING is not supported in INSERT")


def returning_of_delete(clause: str) -> ApiError:
    """Return the error for a DELETE that returns anything but the old item; AWS, 2026-07."""
    return validation(
        f"Invalid returning clause: {clause}. Only RETURNING ALL OLD * is allowed in DELETE"
        " statements."
    )


def returning_part() -> ApiError:
    """Return the error for returning a part of an item."""
    return validation("Expected '*' after ( MODIFIED | ALL ) ( NEW | OLD ) in RETURNING clause")


def returning_twice() -> ApiError:
    """Return the error for returning several things."""
    return validation("Invalid syntax with multiple returning elements in RETURNING clause")


# --- running statements


def duplicate_item() -> ApiError:
    """Return the error for inserting an item whose key is taken."""
    return ApiError("DuplicateItemException", "Duplicate primary key exists in table")


def exists_misplaced() -> ApiError:
    """Return the error for EXISTS outside of a transaction."""
    return validation("EXISTS can only be used in ExecuteTransaction write requests.")


def token_invalid() -> ApiError:
    """Return the error for a NextToken that this service did not give out."""
    return validation("Invalid NextToken")


def token_of_other_request() -> ApiError:
    """Return the error for the NextToken of another statement or of other parameters.

    That AWS refuses it is reported (2026-07); the text is unconfirmed.
    """
    return validation("NextToken does not match request")


def batch_mixed() -> ApiError:
    """Return the error for a batch of reads and writes."""
    return validation("Read and write requests together in the same batch is not supported.")


def batch_duplicates() -> ApiError:
    """Return the error for a batch with two statements about one item."""
    return validation("Provided list of item keys contains duplicates")


def batch_select() -> ApiError:
    """Return the error for a SELECT in a batch that does not ask for just one item by its key."""
    return validation("Only single item select is supported")


def transaction_mixed() -> ApiError:
    """Return the error for a transaction of reads and writes."""
    return validation(
        "ExecuteTransaction API does not support both read and write operations in the same"
        " request."
    )


def transaction_select(place: int) -> ApiError:
    """Return the error for a SELECT in a transaction that does not ask for just one item."""
    return _in_transaction(
        place,
        "Select statements within ExecuteTransaction must specify the primary key in the where"
        " clause.",
    )


def transaction_index(place: int) -> ApiError:
    """Return the error for a SELECT of an index in a transaction."""
    return _in_transaction(place, "Reads on indices are not supported within transactions.")


def transaction_exists(place: int) -> ApiError:
    """Return the error for an EXISTS of a transaction without one item and a condition on it."""
    return _in_transaction(
        place, "EXISTS() must contain a single item read with additional condition"
    )


def transaction_returning(place: int) -> ApiError:
    """Return the error for RETURNING in a transaction."""
    return _in_transaction(place, "RETURNING clause is not supported in ExecuteTransaction.")


def _in_transaction(place: int, detail: str) -> ApiError:
    return request_invalid(f"Validation failed in TransactStatements[{place}]: {detail}")


STATEMENT_CODES: dict[str, str] = {
    "ConditionalCheckFailedException": "ConditionalCheckFailed",
    "DuplicateItemException": "DuplicateItem",
    "InternalServerError": "InternalServerError",
    "ItemCollectionSizeLimitExceededException": "ItemCollectionSizeLimitExceeded",
    "ProvisionedThroughputExceededException": "ProvisionedThroughputExceeded",
    "RequestLimitExceeded": "RequestLimitExceeded",
    "ResourceNotFoundException": "ResourceNotFound",
    "ThrottlingException": "ThrottlingError",
    "TransactionConflictException": "TransactionConflict",
    "ValidationException": "ValidationError",
}
"""What a batch calls the error of one of its statements, by the error's own code."""


def of_statement(error: ApiError) -> dict[str, Any] | None:
    """Return the Error of one statement of a batch; None for what fails the whole batch."""
    code = STATEMENT_CODES.get(error.code)
    if code is None:
        return None
    return {"Code": code, "Message": error.message, **error.members}
