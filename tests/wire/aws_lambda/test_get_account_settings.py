"""GetAccountSettings: the limits of the account, and what of them is used."""

from typing import Any


def test_it_tells_the_limits_of_an_account(functions: Any) -> None:
    answer = functions.get_account_settings()
    assert answer["AccountLimit"]["CodeSizeUnzipped"] == 262_144_000
    assert answer["AccountLimit"]["CodeSizeZipped"] == 52_428_800
    assert answer["AccountLimit"]["TotalCodeSize"] == 80_530_636_800
    assert answer["AccountLimit"]["ConcurrentExecutions"] == 1000
    assert answer["AccountLimit"]["UnreservedConcurrentExecutions"] <= 1000


def test_usage_is_counted(functions: Any) -> None:
    usage = functions.get_account_settings()["AccountUsage"]
    assert usage["FunctionCount"] >= 0
    assert usage["TotalCodeSize"] >= 0
