"""The policies of functions: stored and shown, for tools that grant before they use.

Nobody is refused by them: signatures are not checked yet, so there is nobody to tell apart.
"""

import json
from typing import Any

import msgspec

from penstock.base import limits
from penstock.base.errors import aws_lambda
from penstock.functions.function import Function, Policy
from penstock.operations.aws_lambda.target import Target

_PRINCIPAL_SERVICE = ".amazonaws.com"


def policy_of(target: Target, function: Function) -> Policy:
    """Return the policy of a function, version or alias; ResourceNotFoundException for none."""
    policy = function.policies.get(target.qualifier or "")
    if policy is None or not policy.statements:
        raise aws_lambda.resource_not_found("The resource you requested does not exist.")
    return policy


def with_policy(target: Target, function: Function, policy: Policy) -> Function:
    """Return a function with another policy; PolicyLengthExceededException for a long one."""
    if sum(map(len, policy.statements.values())) > limits.function_policy_bytes_max:
        raise aws_lambda.policy_too_long()
    policies = function.policies | {target.qualifier or "": policy}
    return msgspec.structs.replace(function, policies=policies)


def statement_of(target: Target, request: dict[str, Any]) -> str:
    """Return the statement of a policy that AddPermission asks for, as JSON."""
    principal = request["Principal"]
    statement: dict[str, Any] = {
        "Sid": request["StatementId"],
        "Effect": "Allow",
        "Principal": _principal(principal),
        "Action": request["Action"],
        "Resource": target.arn,
    }
    conditions: dict[str, dict[str, str]] = {}
    for member, operator, key in (
        ("SourceAccount", "StringEquals", "AWS:SourceAccount"),
        ("SourceArn", "ArnLike", "AWS:SourceArn"),
        ("EventSourceToken", "StringEquals", "lambda:EventSourceToken"),
        ("PrincipalOrgID", "StringEquals", "aws:PrincipalOrgID"),
    ):
        if member in request:
            conditions.setdefault(operator, {})[key] = request[member]
    if conditions:
        statement["Condition"] = conditions
    return json.dumps(statement, separators=(",", ":"))


def _principal(text: str) -> Any:
    if text == "*":
        return text
    if text.endswith(_PRINCIPAL_SERVICE):
        return {"Service": text}
    return {"AWS": f"arn:aws:iam::{text}:root" if text.isdecimal() else text}
