"""How events are treated, in requests: what the actions have in common, and how it is shown."""

from typing import Any

import msgspec

from penstock.base import limits
from penstock.base.errors import aws_lambda
from penstock.functions import catalog
from penstock.functions.function import LATEST, EventConfig, Function
from penstock.operations.aws_lambda.changes import change
from penstock.operations.aws_lambda.members import (
    NAMESPACED_NAME,
    QUALIFIER,
    lacking,
    refuse_lacking,
)
from penstock.operations.aws_lambda.target import Target, target_of
from penstock.operations.operation import Context
from penstock.storage.waist import Transaction
from penstock.wire.shapes import Integer, Shape, Structure, required

PATH = "/2019-09-25/functions/{FunctionName}/event-invoke-config"
LACKING = ("DestinationConfig",)
SETTINGS: dict[str, Shape] = {
    "MaximumRetryAttempts": Integer(0, limits.event_retry_attempts_max),
    "MaximumEventAgeInSeconds": Integer(limits.event_age_seconds_min, limits.event_age_seconds_max),
    **lacking(*LACKING),
}
PUT_SHAPE = Structure(
    "PutFunctionEventInvokeConfigRequest",
    FunctionName=required(NAMESPACED_NAME),
    Qualifier=QUALIFIER,
    **SETTINGS,
)


def found_config(target: Target, function: Function) -> EventConfig:
    """Return the configuration of a function, version or alias; the error where it has none."""
    config = function.event_configs.get(target.qualifier or LATEST)
    if config is None:
        arn = target._replace(qualifier=target.qualifier or LATEST).arn
        raise aws_lambda.resource_not_found(f"The function {arn} doesn't have an EventInvokeConfig")
    return config


async def store_config(context: Context, request: dict[str, Any], *, anew: bool) -> dict[str, Any]:
    """Store what a request says, in place of what there was or, not `anew`, into it; show it."""
    refuse_lacking(request, LACKING)
    target = target_of(context, request)
    now_ms = context.tables.clock.now_ms()

    def work(txn: Transaction) -> EventConfig:
        function = target.found(txn).latest
        old = EventConfig(now_ms) if anew else found_config(target, function)
        new = EventConfig(
            now_ms,
            request.get("MaximumRetryAttempts", old.retry_attempts_max),
            request.get("MaximumEventAgeInSeconds", old.age_seconds_max),
        )
        configs = function.event_configs | {target.qualifier or LATEST: new}
        catalog.store_function(txn, msgspec.structs.replace(function, event_configs=configs))
        return new

    return shown_config(target, await change(context, target, work))


def shown_config(target: Target, config: EventConfig) -> dict[str, Any]:
    """Return FunctionEventInvokeConfig."""
    answer: dict[str, Any] = {
        "LastModified": config.modified_ms / 1000,
        "FunctionArn": target._replace(qualifier=target.qualifier or LATEST).arn,
        "DestinationConfig": {"OnSuccess": {}, "OnFailure": {}},
    }
    if config.retry_attempts_max is not None:
        answer["MaximumRetryAttempts"] = config.retry_attempts_max
    if config.age_seconds_max is not None:
        answer["MaximumEventAgeInSeconds"] = config.age_seconds_max
    return answer
