"""GetAccountSettings: the limits of the account, and what of them is used in the region."""

import uuid
from typing import Any

from wire.aws_lambda.code import parameters, zip_of


def test_it_tells_the_limits_of_an_account(functions: Any) -> None:
    limits = functions.get_account_settings()["AccountLimit"]
    assert limits["CodeSizeUnzipped"] == 262_144_000
    assert limits["CodeSizeZipped"] == 52_428_800
    assert limits["TotalCodeSize"] == 80_530_636_800
    assert limits["ConcurrentExecutions"] == 1000


def test_usage_is_counted(make_client: Any) -> None:
    region = make_client("lambda", f"test-{uuid.uuid4().hex[:8]}")
    assert region.get_account_settings()["AccountUsage"] == {
        "TotalCodeSize": 0,
        "FunctionCount": 0,
    }
    for name in ("a", "b"):
        region.create_function(**parameters(name))
    region.put_function_concurrency(FunctionName="a", ReservedConcurrentExecutions=10)
    answer = region.get_account_settings()
    assert answer["AccountUsage"] == {"TotalCodeSize": 2 * len(zip_of()), "FunctionCount": 2}
    assert answer["AccountLimit"]["UnreservedConcurrentExecutions"] == 990
