"""The ARN of a table stands for its name, in every action that takes a name."""

from collections.abc import Callable
from typing import Any

import pytest

from wire.requests import TABLES, valid_requests

PLACEHOLDER = "table-by-name"
KEYS: dict[str, Any] = {
    "KeySchema": [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ],
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "N"},
    ],
}


def naming(value: Any, name: str) -> Any:
    """Return a request that says `name` where it said the placeholder."""
    if isinstance(value, dict):
        return {naming(key, name): naming(each, name) for key, each in value.items()}
    if isinstance(value, list):
        return [naming(each, name) for each in value]
    return name if value == PLACEHOLDER else value


def by_name() -> dict[str, Any]:
    """Return a request of every action of tables that names one."""
    requests = valid_requests(PLACEHOLDER, "", "", "")
    named = {
        target.removeprefix(TABLES): body
        for target, body in requests.items()
        if target.startswith(TABLES) and naming(body, "x") != body
    }
    return {**named, "DeleteTable": {"TableName": PLACEHOLDER}}


@pytest.mark.parametrize("action", sorted(by_name()))
def test_an_arn_does_what_the_name_does(
    raw: Callable[..., Any], new_table: Callable[..., str], ddb: Any, action: str
) -> None:
    """The answer has the same status and the same kind of error."""
    answers = []
    for by_arn in (False, True):
        table = new_table(**KEYS)
        item = {"pk": {"S": "p"}, "sk": {"N": "1"}, "s": {"S": "text"}}
        ddb.put_item(TableName=table, Item=item)
        arn = ddb.describe_table(TableName=table)["Table"]["TableArn"]
        answer = raw(TABLES + action, naming(by_name()[action], arn if by_arn else table))
        answers.append((answer.status, answer.json.get("__type")))
        if action == "DeleteTable":
            ddb.get_waiter("table_not_exists").wait(TableName=table, WaiterConfig={"Delay": 1})
            ddb.create_table(TableName=table, BillingMode="PAY_PER_REQUEST", **KEYS)
            ddb.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1})
    assert answers[0] == answers[1]


def test_no_action_is_left_out() -> None:
    """Those of one table and those of several are among them."""
    assert {"BatchGetItem", "TransactWriteItems", "UpdateTable", "Query"} <= set(by_name())
