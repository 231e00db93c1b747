"""Whatever a request for a function holds, it is answered or refused: it is never a bug."""

import asyncio
import base64
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.base.errors.api import ApiError
from penstock.base.ids import Entropy
from penstock.operations.operation import Services
from penstock.operations.registry import REST_ACTIONS
from penstock.operations.rest import RestOperation, RestRequest
from penstock.storage.memory import MemoryEngine
from penstock.tables.tables import Tables
from penstock.testing.clock import FakeClock
from penstock.wire.json_protocol import encode_result
from penstock.wire.sigv4 import Caller
from wire.aws_lambda.code import parameters, zip_of

ACCOUNT = "000000000000"
ARN = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"
ACTIONS = sorted(
    name
    for name in REST_ACTIONS
    if "EventSourceMapping" not in name and name not in ("Invoke", "DeleteFunction")
)
"""Those that need no workers."""

USUAL: dict[str, st.SearchStrategy[Any]] = {
    "FunctionName": st.sampled_from(["f", "f:1", "f:live", ARN, f"{ARN}:live", "g", "a b"]),
    "Qualifier": st.sampled_from(["$LATEST", "1", "live", "2"]),
    "Name": st.sampled_from(["live", "other", "1"]),
    "FunctionVersion": st.sampled_from(["$LATEST", "1", "9" * 40, "ALL"]),
    "Resource": st.sampled_from([ARN, f"{ARN}:1", "arn"]),
    "StatementId": st.sampled_from(["s", "t"]),
    "Action": st.just("lambda:InvokeFunction"),
    "Principal": st.sampled_from(["*", "s3.amazonaws.com", ACCOUNT]),
    "Role": st.just(parameters("f")["Role"]),
    "Runtime": st.sampled_from(["python3.12", "java21"]),
    "Handler": st.just("app.handler"),
    "Marker": st.sampled_from(["", "Zg==", "f", "\u00ff"]),
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3)
    ),
    max_leaves=8,
)


def members_of(action: str) -> st.SearchStrategy[dict[str, Any]]:
    names = [name for name, _, _ in REST_ACTIONS[action].SHAPE._members]
    usual_or_any = {name: USUAL.get(name, JSON) | JSON for name in names}
    usual = {name: USUAL[name] for name in names if name in USUAL}
    others = {name: JSON for name in names if name not in USUAL}
    return st.fixed_dictionaries({}, optional=usual_or_any) | st.fixed_dictionaries(
        usual, optional=others
    )


REQUESTS = st.lists(
    st.sampled_from(ACTIONS).flatmap(lambda action: st.tuples(st.just(action), members_of(action))),
    min_size=1,
    max_size=6,
)


def operations() -> dict[str, RestOperation]:
    clock = FakeClock()
    engine = MemoryEngine(clock, rehearse=True)
    services = Services(Tables(engine, clock, Entropy(7), ACCOUNT), 4)
    return {
        name: RestOperation(services, name, module.ROUTE, module.SHAPE, module.run)
        for name, module in REST_ACTIONS.items()
    }


async def call(operation: RestOperation, members: dict[str, Any]) -> int:
    """Call an action with all members as they are; return the status."""
    request = RestRequest({}, b"", {}, encode_result(members))
    route = operation.route
    bare = type(route)(route.method, route.path, route.status)  # all stands in the body
    operation.route, operation._headers = bare, {}
    try:
        encode_result(await operation.call(Caller("us-east-1", "key", "host"), request, "id"))
    except ApiError as error:
        return error.status
    return route.status


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(REQUESTS)
def test_no_request_is_a_bug(requests: list[tuple[str, dict[str, Any]]]) -> None:
    async def work() -> None:
        made = operations()
        zipped = {"ZipFile": base64.b64encode(zip_of()).decode()}
        created = parameters("f", Code=zipped, Publish=True)
        assert await call(made["CreateFunction"], created) == 201
        for action, members in requests:
            status = await call(made[action], members)
            assert 200 <= status < 500, (action, members)

    asyncio.run(work())
