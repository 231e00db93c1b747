"""Every action of Lambda's model is either there or refused by its name, at its own path."""

import botocore.session
import pytest

from penstock.operations.aws_lambda.absent import ABSENT
from penstock.operations.registry import REST_ACTIONS

MODEL = botocore.session.get_session().get_service_model("lambda")
LACKED = {name: route for names, route in ABSENT.items() for name in names.split(" or ")}
ROUTES = {name: module.ROUTE for name, module in REST_ACTIONS.items()} | LACKED


def test_no_action_is_both_there_and_absent() -> None:
    assert not REST_ACTIONS.keys() & LACKED.keys()


@pytest.mark.parametrize("name", MODEL.operation_names)
def test_the_path_of_an_action_is_that_of_the_model(name: str) -> None:
    http = MODEL.operation_model(name).http
    route = ROUTES[name]
    assert route.method == http["method"]
    assert _shape(route.path) == _shape(http["requestUri"].partition("?")[0])
    if name in REST_ACTIONS and name != "DeleteFunction":  # its status is a member of its answer
        assert route.status == http.get("responseCode", 200)


def _shape(path: str) -> list[str]:
    """Return the parts of a path, labels without their names."""
    return ["{}" if part.startswith("{") else part for part in path.strip("/").split("/")]
