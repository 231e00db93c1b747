"""The settings of a function: what requests may say of them, and how they are shown."""

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from penstock.base import limits
from penstock.base.errors import aws_lambda
from penstock.functions.function import LATEST, Function
from penstock.operations.aws_lambda.members import ANYTHING, DESCRIPTION, lacking
from penstock.wire.shapes import Integer, ListOf, MapOf, Shape, String, Structure, required

ROLE = String(0, 10_000, r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+")
LACKING = (
    "VpcConfig",
    "DeadLetterConfig",
    "KMSKeyArn",
    "TracingConfig",
    "Layers",
    "FileSystemConfigs",
    "ImageConfig",
    "SnapStart",
    "CapacityProviderConfig",
    "DurableConfig",
    "RuntimeConfig",
    "AcceleratorConfig",
)
SETTINGS: dict[str, Shape] = {
    "Runtime": String(),
    "Handler": String(0, 128, r"[^\s]+"),
    "Description": DESCRIPTION,
    "Timeout": Integer(1, limits.function_seconds_max),
    "MemorySize": Integer(limits.function_memory_mb_min, limits.function_memory_mb_max),
    "Environment": Structure("Environment", Variables=MapOf(String(), "java.lang.String")),
    "EphemeralStorage": Structure(
        "EphemeralStorage",
        Size=required(Integer(limits.function_storage_mb_min, limits.function_storage_mb_max)),
    ),
    "LoggingConfig": Structure(
        "LoggingConfig",
        LogFormat=String(values=("JSON", "Text")),
        ApplicationLogLevel=ANYTHING,
        SystemLogLevel=ANYTHING,
        LogGroup=String(1, 512, r"[\.\-_/#A-Za-z0-9]+"),
    ),
    **lacking(*LACKING),
}
ARCHITECTURES = ListOf(String(values=("x86_64", "arm64")), 1, 1)

_RUNTIME = re.compile(r"python3\.\d{1,2}|nodejs\d{1,2}\.x|provided(\.al2|\.al2023)?")
_VARIABLE = re.compile(r"[a-zA-Z]([a-zA-Z0-9_])+")
_RESERVED = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    }
)


def changed(function: Function, request: Mapping[str, Any]) -> Function:
    """Return `function` with the settings that a request gives; the error for what cannot be.

    `request` is of the shape SETTINGS, and asks for nothing of LACKING.
    """
    changes: dict[str, Any] = {
        field: request[member]
        for member, field in (
            ("Runtime", "runtime"),
            ("Handler", "handler"),
            ("Role", "role"),
            ("Description", "description"),
            ("Timeout", "timeout_seconds"),
            ("MemorySize", "memory_mb"),
        )
        if member in request
    }
    if "Runtime" in request:
        check_runtime(request["Runtime"])
    if "Environment" in request:
        changes["environment"] = _environment(request["Environment"].get("Variables", {}))
    if "EphemeralStorage" in request:
        changes["storage_mb"] = request["EphemeralStorage"]["Size"]
    if "LoggingConfig" in request:
        changes["log_group"] = _log_group(request["LoggingConfig"])
    return msgspec.structs.replace(function, **changes)


def check_runtime(runtime: str) -> None:
    """Raise the error of a runtime that nothing here runs."""
    if _RUNTIME.fullmatch(runtime) is None:
        raise aws_lambda.invalid_parameter(
            f"Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum "
            "value set: [python3.x, nodejs18.x and later, provided, provided.al2, "
            "provided.al2023], which are those that this release of Penstock runs"
        )


def _environment(variables: dict[str, str]) -> dict[str, str]:
    for name, value in variables.items():
        if _VARIABLE.fullmatch(name) is None:
            raise aws_lambda.invalid_variable(name)
        if "\0" in value:
            raise aws_lambda.invalid_parameter(f"The value of {name} holds U+0000")
    reserved = sorted(_RESERVED & variables.keys())
    if reserved:
        raise aws_lambda.reserved_variables(reserved)
    text = json.dumps(variables, separators=(",", ":"), ensure_ascii=False)
    if len(text.encode("utf-8", "replace")) > limits.function_environment_bytes_max:
        raise aws_lambda.environment_too_large(text)
    return variables


def _log_group(logging: Mapping[str, Any]) -> str | None:
    if logging.get("LogFormat", "Text") != "Text":
        raise aws_lambda.not_yet("LoggingConfig with LogFormat JSON")
    for name in ("ApplicationLogLevel", "SystemLogLevel"):
        if name in logging:
            raise aws_lambda.not_yet(f"LoggingConfig with {name}")
    group: str | None = logging.get("LogGroup")
    return group


def shown(function: Function, qualifier: str | None = None) -> dict[str, Any]:
    """Return FunctionConfiguration; `qualifier` is what stands at the end of its ARN."""
    if qualifier is None and function.version != LATEST:
        qualifier = function.version
    members = {
        "FunctionName": function.name,
        "FunctionArn": function.arn if qualifier is None else f"{function.arn}:{qualifier}",
        "Runtime": function.runtime,
        "Role": function.role,
        "Handler": function.handler,
        "CodeSize": function.code.size_bytes,
        "Description": function.description,
        "Timeout": function.timeout_seconds,
        "MemorySize": function.memory_mb,
        "LastModified": modified(function.modified_ms),
        "CodeSha256": code_sha256(function),
        "Version": function.version,
        "TracingConfig": {"Mode": "PassThrough"},
        "RevisionId": function.revision_id,
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "PackageType": "Zip",
        "Architectures": [function.architecture],
        "EphemeralStorage": {"Size": function.storage_mb},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": function.own_log_group},
    }
    if function.environment:
        members["Environment"] = {"Variables": function.environment}
    return members


def code_sha256(function: Function) -> str:
    """Return the digest of a function's code as it is shown."""
    return b64encode(bytes.fromhex(function.code.digest)).decode()


def modified(at_ms: int) -> str:
    """Return a time as it is shown: `2026-11-28T06:00:00.000+0000`."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}+0000"
