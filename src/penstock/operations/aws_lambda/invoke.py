"""Invoke: run a function, or take in an event for it, or find out whether one could."""

import base64
import binascii
from typing import Any

import msgspec

from penstock.base import limits
from penstock.base.errors import aws_lambda
from penstock.base.errors.api import ApiError
from penstock.functions.catalog import Found
from penstock.functions.events import Event
from penstock.functions.invoker import NotInvoked, Outcome
from penstock.operations.aws_lambda.members import (
    ANYTHING,
    NAMESPACED_NAME,
    QUALIFIER,
    lacking,
    refuse_lacking,
)
from penstock.operations.aws_lambda.target import Target, target_of
from penstock.operations.operation import Context
from penstock.operations.rest import RestAnswer, Route
from penstock.wire.shapes import String, Structure, required

_LACKING = ("TenantId", "DurableExecutionName")

ROUTE = Route(
    "POST",
    "/2015-03-31/functions/{FunctionName}/invocations",
    200,
    query=("Qualifier",),
    headers={
        "X-Amz-Invocation-Type": "InvocationType",
        "X-Amz-Log-Type": "LogType",
        "X-Amz-Client-Context": "ClientContext",
        "X-Amz-Tenant-Id": "TenantId",
        "X-Amz-Durable-Execution-Name": "DurableExecutionName",
    },
    payload="Payload",
)
SHAPE = Structure(
    "InvocationRequest",
    FunctionName=required(NAMESPACED_NAME),
    Qualifier=QUALIFIER,
    InvocationType=String(values=("Event", "RequestResponse", "DryRun")),
    LogType=String(values=("None", "Tail")),
    ClientContext=String(),
    Payload=ANYTHING,
    **lacking(*_LACKING),
)


async def run(context: Context, request: dict[str, Any]) -> RestAnswer:
    """Answer with what the function answered; Event and DryRun have no body.

    1. The function is there. 2. The payload is JSON, and not too large.
    """
    refuse_lacking(request, _LACKING)
    target = target_of(context, request)
    found = _found(context, target)  # 1
    kind = request.get("InvocationType", "RequestResponse")
    payload = _payload(request["Payload"], kind)  # 2
    client_context = _client_context(request.get("ClientContext"))
    if kind == "DryRun":
        return RestAnswer(204, {}, b"")
    if kind == "Event":
        event = Event(
            context.request_id,
            target.arn,
            payload,
            context.tables.clock.now_ms(),
            client_context,
        )
        await context.functions.events.add(event)
        return RestAnswer(202, {}, b"")
    tail = request.get("LogType") == "Tail"
    try:
        outcome = await context.functions.invoker.invoke(
            target.arn,
            payload,
            tail=tail,
            client_context=client_context,
            request_id=context.request_id,
        )
    except NotInvoked as error:
        raise _error(error, target, found) from None
    return _answer(outcome, tail=tail)


def _found(context: Context, target: Target) -> Found | None:
    """Return what is to run; None where the function lives elsewhere, and says itself."""
    if target.name in context.services.remote_functions:
        return None
    return context.tables.read(target.found)


def _payload(body: bytes, kind: str) -> bytes:
    """Return the payload of a request, which is an empty object where there is none."""
    most = limits.event_bytes_max if kind == "Event" else limits.invocation_bytes_max
    if len(body) > most:
        raise aws_lambda.payload_too_large(most)
    if not body:
        return b"{}"
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
        body.decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise aws_lambda.request_body_not_json(str(error)) from None
    return body


def _client_context(text: str | None) -> bytes | None:
    """Return the JSON that a client's context is, in base64, in the request."""
    if text is None:
        return None
    if len(text) > limits.client_context_chars_max:
        raise aws_lambda.invalid_client_context()
    try:
        plain = base64.b64decode(text, validate=True)
        msgspec.json.decode(plain, type=msgspec.Raw)
        plain.decode()
    except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError):
        raise aws_lambda.invalid_client_context() from None
    return plain


def _answer(outcome: Outcome, *, tail: bool) -> RestAnswer:
    headers = {
        "Content-Type": "application/json",
        "X-Amz-Executed-Version": outcome.executed_version,
    }
    if outcome.error is not None:
        headers["X-Amz-Function-Error"] = outcome.error
    if tail:
        headers["X-Amz-Log-Result"] = base64.b64encode(outcome.log_tail).decode()
    return RestAnswer(outcome.status, headers, outcome.payload)


def _error(error: NotInvoked, target: Target, found: Found | None) -> ApiError:
    """Return the error of a function that did not run."""
    if error.reason == "missing":
        return aws_lambda.resource_not_found(f"Function not found: {target.arn}")
    if error.reason == "unavailable":
        return aws_lambda.service_exception(error.text)
    reserved = found is not None and found.latest.concurrency_max is not None
    return aws_lambda.throttled(reserved=reserved)
