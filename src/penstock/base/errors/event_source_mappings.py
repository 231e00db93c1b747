"""The errors of event source mappings: one constructor each.

Texts: AWS, as quoted in public issues and recorded snapshots, 2026-11, where nothing else is said.
"""

from penstock.base.errors.api import ApiError
from penstock.base.errors.aws_lambda import (
    invalid_parameter,
    resource_conflict,
    resource_in_use,
    resource_not_found,
)


def unsupported_parameter(name: str) -> ApiError:
    """Return the error for a parameter that is of sources of another kind."""
    return invalid_parameter(f"Unsupported {name} parameter for given event source mapping type.")


def no_source() -> ApiError:
    """Return the error for a mapping without an event source (text unconfirmed)."""
    return invalid_parameter("Unrecognized event source.")


def foreign_source(service: str, arn: str) -> ApiError:
    """Return the error for a source of a service that mappings here do not read: our own text."""
    return invalid_parameter(
        f"Event sources of {service} are not supported, only streams of DynamoDB: {arn}"
    )


def stream_not_found(arn: str) -> ApiError:
    """Return the error for the ARN of a stream that is not there."""
    return invalid_parameter(f"Stream not found: {arn}")


def starting_position_missing() -> ApiError:
    """Return the error for a mapping of a stream that does not say where to begin."""
    return invalid_parameter(
        "1 validation error detected: Value null at 'startingPosition' failed to satisfy "
        "constraint: Member must not be null."
    )


def starting_position_unsupported(arn: str) -> ApiError:
    """Return the error for a starting position that a source of its kind does not have."""
    return invalid_parameter(f"Unsupported starting position for arn type: {arn}")


def record_age_out_of_range(seconds_min: int, seconds_max: int) -> ApiError:
    """Return the error for an age of records that the model alone would allow."""
    return invalid_parameter(
        "MaximumRecordAgeInSeconds must be either -1 (forever) or between "
        f"{seconds_min} and {seconds_max} (inclusive)"
    )


def windows_in_parallel() -> ApiError:
    """Return the error for tumbling windows beside several lanes of a shard: our own text."""
    return invalid_parameter(
        "ParallelizationFactor must be 1 where TumblingWindowInSeconds is more than 0."
    )


def invalid_pattern() -> ApiError:
    """Return the error for a filter whose pattern is none."""
    return invalid_parameter("Invalid filter pattern definition.")


def too_many_filters(count_max: int) -> ApiError:
    """Return the error for more filters than a mapping may have: our own text."""
    return invalid_parameter(f"FilterCriteria has more than {count_max} filters.")


def metric_unsupported(metric: str) -> ApiError:
    """Return the error for a metric that is of Kafka's sources alone: our own text."""
    return invalid_parameter(f"Unsupported metric {metric} for given event source mapping type.")


def encryption_unsupported() -> ApiError:
    """Return the error for filters that shall be encrypted: a text of our own."""
    return invalid_parameter(
        "KMSKeyArn is not supported: this server does not encrypt FilterCriteria."
    )


def invalid_destination(text: str, why: str) -> ApiError:
    """Return the error for a failure destination that is none, or cannot be reached: our text."""
    return invalid_parameter(f"Invalid destination {text}: {why}")


def function_missing() -> ApiError:
    """Return the error for a mapping to a function, version or alias that is not there."""
    return invalid_parameter("Function does not exist")


def no_versions(name: str) -> ApiError:
    """Return the error for a version or alias of a function that is a URL: our own text."""
    return invalid_parameter(
        f"The function {name} has no versions and no aliases: --remote-functions says that it "
        "lives at a plain URL."
    )


def too_many_mappings(count_max: int) -> ApiError:
    """Return the error for more mappings than a region may have: our own limit and text."""
    return invalid_parameter(f"There are {count_max} event source mappings in this region already.")


def mapping_not_found() -> ApiError:
    """Return the error for an id that no mapping has."""
    return resource_not_found("The resource you requested does not exist.")


def mapping_in_use(verb: str) -> ApiError:
    """Return the error for a change (`update`, `delete`) of a mapping whose state is changing."""
    return resource_in_use(f"Cannot {verb} the event source mapping because it is in use.")


def mapping_exists(source_arn: str, function: str, uuid: str) -> ApiError:
    """Return the error for a second mapping of one source to one function."""
    return resource_conflict(
        f'The event source arn (" {source_arn} ") and function (" {function} ") provided mapping '
        f"already exists. Please update or delete the existing mapping with UUID {uuid}"
    )
