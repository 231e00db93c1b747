"""The errors of DynamoDB's control plane that no other part has: one constructor each.

Texts: AWS, 2026-10, as measured or as quoted in public issues; what could not be confirmed stands
in docs/differences.md.
"""

from penstock.base.errors.api import CORAL_SERVICE, ApiError

_STATES = {"CREATING": "created", "UPDATING": "updated", "DELETING": "deleted"}


def in_use(what: str) -> ApiError:
    """Return the error for changing something while another change of it is under way."""
    return ApiError(
        "ResourceInUseException",
        f"Attempt to change a resource which is still in use: {what}",
    )


def table_in_use(name: str, status: str) -> ApiError:
    """Return the error for changing a table that is CREATING, UPDATING or DELETING."""
    return in_use(f"Table is being {_STATES[status]}: {name}")


def index_in_use(table: str, index: str, status: str) -> ApiError:
    """Return the error for changing an index that is CREATING, UPDATING or DELETING."""
    return in_use(f"Index is being {_STATES[status]}.  Table: {table} Index: {index}")


def stream_in_use() -> ApiError:
    """Return the error for deleting a table whose stream is being switched."""
    return in_use("Cannot delete table while stream is being enabled/disabled.")


def indexes_in_use() -> ApiError:
    """Return the error for deleting a table with an index that is being made or removed."""
    return in_use("Cannot delete table while indexes are being created, updated, or deleted.")


def limit_exceeded(detail: str) -> ApiError:
    """Return the error for going beyond a quota of the account."""
    return ApiError("LimitExceededException", f"Subscriber limit exceeded: {detail}")


def one_index_at_a_time() -> ApiError:
    """Return the error for making or removing a second index before the first is done."""
    return limit_exceeded("Only 1 online index can be created or deleted simultaneously per table")


def resource_arn_not_found(arn: str) -> ApiError:
    """Return the error of the tag actions for a table that does not exist; spelled as AWS does."""
    return ApiError(
        "ResourceNotFoundException", f"Requested resource not found: ResourcArn: {arn} not found"
    )


def access_denied(action: str, arn: str, account: str) -> ApiError:
    """Return the error for a resource that is not the caller's."""
    return ApiError(
        "AccessDeniedException",
        f"User: arn:aws:iam::{account}:root is not authorized to perform: dynamodb:{action} on"
        f" resource: {arn}",
        prefix=CORAL_SERVICE,
        message_member="Message",
    )


def throttled(detail: str) -> ApiError:
    """Return the error for a request that comes too soon after another."""
    return ApiError("ThrottlingException", detail, prefix=CORAL_SERVICE)


def table_throughput_exceeded() -> ApiError:
    """Return the error for a table whose provisioned throughput is used up."""
    return ApiError(
        "ProvisionedThroughputExceededException",
        "The level of configured provisioned throughput for the table was exceeded. Consider"
        " increasing your provisioning level with the UpdateTable API.",
    )


def index_throughput_exceeded() -> ApiError:
    """Return the error for a global index whose provisioned throughput is used up."""
    return ApiError(
        "ProvisionedThroughputExceededException",
        "The level of configured provisioned throughput for one or more global secondary indexes"
        " of the table was exceeded. Consider increasing your provisioning level for the"
        " under-provisioned global secondary indexes with the UpdateTable API",
    )


def on_demand_maximum_exceeded() -> ApiError:
    """Return the error for an on-demand table or index whose own maximum is reached."""
    return throttled(
        "Throughput exceeds the maximum OnDemandThroughput configured on table or index"
    )
