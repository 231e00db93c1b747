"""A server that was started without test controls has none of their paths."""

import pytest

from penstock.operations.control import PATH
from penstock.operations.registry import CONTROLS
from wire.control.conftest import Answer, ask

VARIABLE = {"date", "x-amzn-requestid"}


def _lasting(answer: Answer) -> tuple[int, dict[str, str], bytes]:
    """Return what two answers to the same have in common."""
    headers = {name: value for name, value in answer.headers.items() if name not in VARIABLE}
    return answer.status, headers, answer.body


@pytest.mark.parametrize("action", [*CONTROLS, "Unknown", ""])
@pytest.mark.parametrize("body", [b"{}", b'{"Milliseconds": 1}', b"nonsense", b""])
def test_its_paths_are_answered_as_any_unknown_path(
    endpoint: str, action: str, body: bytes
) -> None:
    answer = ask(endpoint, PATH + action, body)
    assert answer.status == 404
    assert _lasting(answer) == _lasting(ask(endpoint, "/nowhere", body))
