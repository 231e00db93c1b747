"""REST requests: which action a path leads to, where its members stand, how it is answered."""

import json
from typing import Any

import pytest

from penstock.base.errors import aws_lambda
from penstock.base.errors.engine import EngineFull, EngineUnavailable, StoreCorrupt
from penstock.base.ids import Entropy
from penstock.edge.dispatch import Dispatch
from penstock.edge.rest_dispatch import RestDispatch, Router
from penstock.operations.operation import EMPTY_BODY, Context, Services
from penstock.operations.rest import AbsentOperation, RestAnswer, RestOperation, Route
from penstock.wire.shapes import Boolean, Integer, ListOf, String, Structure, required
from unit.edge.serving import Answer, connected, healthy, request, run, serving

SHAPE = Structure(
    "Input",
    Name=String(1, 140),
    Qualifier=String(1, 128),
    MaxItems=Integer(1, 50),
    Dry=Boolean(),
    tagKeys=ListOf(String()),
    Kind=String(values=("Event", "DryRun")),
    Text=String(),
)
QUERY = ("Qualifier", "MaxItems", "Dry", "tagKeys")
LAMBDA = "AKIDEXAMPLE/20261001/eu-west-1/lambda/aws4_request"
AUTHORIZATION = (
    f"AWS4-HMAC-SHA256 Credential={LAMBDA}, SignedHeaders=host;x-amz-date, Signature=0a1b2c"
)


def operation(path: str, run_it: Any, shape: Structure = SHAPE, **route: Any) -> RestOperation:
    method, _, path = path.partition(" ")
    services: Services = None  # type: ignore[assignment]  # none of them asks for it
    return RestOperation(services, "Act", Route(method, path, **route), shape, run_it)


async def show(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    return {"Region": context.region, "Id": context.request_id, "Request": request}


def asked(data: bytes, *operations: RestOperation | AbsentOperation) -> Answer:
    """Return what a server with these actions answers, having checked that it lives on."""
    answers: list[Answer] = []
    rest = RestDispatch(operations, "lambda", Entropy(7))
    dispatch = Dispatch({}, engine="memory", health=healthy(), entropy=Entropy(7), rest=rest)

    async def work() -> None:
        async with serving(dispatch) as server, connected(server) as client:
            answers.append(await client.ask(data))
            assert (await client.ask(request())).status == 400

    run(work())
    return answers[0]


def call(method: str, target: str, body: bytes = b"", **headers: Any) -> bytes:
    return request(
        body, action=None, method=method, target=target, Authorization=AUTHORIZATION, **headers
    )


ROUTES = [
    "GET /2015/functions",
    "POST /2015/functions",
    "GET /2015/functions/{Name}",
    "GET /2015/functions/{Name}/aliases/{Alias}",
    "GET /2015/functions/special/aliases",
]


@pytest.mark.parametrize(
    ("method", "path", "route", "labels"),
    [
        ("GET", "/2015/functions", "GET /2015/functions", {}),
        ("GET", "/2015/functions/", "GET /2015/functions", {}),
        ("POST", "/2015/functions/", "POST /2015/functions", {}),
        ("GET", "/2015/functions/f", "GET /2015/functions/{Name}", {"Name": "f"}),
        ("GET", "/2015/functions/a%3Ab%20", "GET /2015/functions/{Name}", {"Name": "a:b "}),
        ("GET", "/2015/functions/a:b", "GET /2015/functions/{Name}", {"Name": "a:b"}),
        ("GET", "/2015/functions/a%2Fb", "GET /2015/functions/{Name}", {"Name": "a/b"}),
        (
            "GET",
            "/2015/functions/special/aliases/x",
            "GET /2015/functions/{Name}/aliases/{Alias}",
            {"Name": "special", "Alias": "x"},
        ),
        ("GET", "/2015/functions/special/aliases", "GET /2015/functions/special/aliases", {}),
    ],
)
def test_a_path_leads_to_its_action(
    method: str, path: str, route: str, labels: dict[str, str]
) -> None:
    found = Router([operation(each, show) for each in ROUTES]).find(method.encode(), path.encode())
    assert found is not None
    assert f"{found.action.route.method} {found.action.route.path}" == route
    assert found.labels == labels


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/2015/functions"),
        ("GET", "/2015"),
        ("GET", "/2015/functions//"),
        ("GET", "/2015/functions//aliases/x"),
        ("GET", "/2015/functions/f/aliases"),
        ("GET", "/2015/functions/f/aliases/x/y"),
        ("GET", "/"),
        ("GET", "*"),
    ],
)
def test_other_paths_lead_nowhere(method: str, path: str) -> None:
    router = Router([operation(each, show) for each in ROUTES])
    assert router.find(method.encode(), path.encode()) is None


def test_an_unknown_path_is_answered_as_without_rest_actions() -> None:
    answer = asked(call("GET", "/2015/nothing"), operation("GET /2015/functions", show))
    assert answer.status == 404
    assert answer.body == b"<UnknownOperationException/>\n"


def test_members_come_from_path_query_headers_and_body() -> None:
    target = "/x/arn%3Aaws?Qualifier=%24LATEST&MaxItems=5&Dry=true&tagKeys=a&tagKeys=b%20c"
    act = operation("POST /x/{Name}", show, query=QUERY, headers={"X-Amz-Kind": "Kind"}, status=202)
    answer = asked(call("POST", target, b'{"Text": "t"}', X_Amz_Kind="Event"), act)
    assert answer.status == 202
    assert answer.headers["content-type"] == "application/json"
    assert answer.json["Region"] == "eu-west-1"
    assert answer.json["Id"] == answer.headers["x-amzn-requestid"]
    assert len(answer.json["Id"]) == 36
    assert answer.json["Request"] == {
        "Name": "arn:aws",
        "Qualifier": "$LATEST",
        "MaxItems": 5,
        "Dry": True,
        "tagKeys": ["a", "b c"],
        "Kind": "Event",
        "Text": "t",
    }


def test_a_member_of_the_path_or_query_is_not_taken_from_the_body() -> None:
    body = b'{"Name": "other", "Qualifier": "other", "Kind": "other"}'
    act = operation("POST /x/{Name}", show, query=QUERY, headers={"X-Amz-Kind": "Kind"})
    assert asked(call("POST", "/x/f", body), act).json["Request"] == {"Name": "f"}


def test_a_payload_is_the_body_as_it_came() -> None:
    async def payload(context: Context, request: dict[str, Any]) -> RestAnswer:
        return RestAnswer(200, {"X-Told": "yes"}, request["Payload"] + b"!")

    answer = asked(call("POST", "/x", b"no json"), operation("POST /x", payload, payload="Payload"))
    assert (answer.status, answer.headers["x-told"], answer.body) == (200, "yes", b"no json!")


def test_an_answer_without_a_body_has_none() -> None:
    async def nothing(context: Context, request: dict[str, Any]) -> Any:
        return EMPTY_BODY

    answer = asked(call("DELETE", "/x"), operation("DELETE /x", nothing, status=204))
    assert (answer.status, answer.body) == (204, b"")


@pytest.mark.parametrize(
    ("target", "code", "text"),
    [
        (
            "/x?MaxItems=51",
            "ValidationException",
            (
                "1 validation error detected: Value '51' at 'maxItems' failed to satisfy"
                " constraint: Member must have value less than or equal to 50"
            ),
        ),
        (
            "/x?MaxItems=ten",
            "SerializationException",
            "STRING_VALUE cannot be converted to Integer",
        ),
        (f"/x?MaxItems={'9' * 5000}", "SerializationException", None),
        ("/x?Dry=perhaps", "SerializationException", None),
    ],
)
def test_bad_members_are_refused(target: str, code: str, text: str | None) -> None:
    answer = asked(call("GET", target), operation("GET /x", show, query=QUERY))
    assert (answer.status, answer.headers["x-amzn-errortype"]) == (400, code)
    if text is not None:
        assert answer.json.get("message", answer.json.get("Message")) == text


def test_a_missing_member_is_refused() -> None:
    shape = Structure("Input", Text=required(String()))
    answer = asked(call("POST", "/x", b"{}"), operation("POST /x", show, shape))
    assert answer.headers["x-amzn-errortype"] == "ValidationException"


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b"1", b'{"Text": "\xff"}', b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_refused(body: bytes) -> None:
    answer = asked(call("POST", "/x", body), operation("POST /x", show))
    assert (answer.status, answer.headers["x-amzn-errortype"]) == (
        400,
        "InvalidRequestContentException",
    )
    assert answer.json["Type"] == "User"
    assert answer.json["message"].startswith("Could not parse request body into json: ")


@pytest.mark.parametrize(
    ("without", "changed", "code"),
    [
        (("Authorization",), {}, "MissingAuthenticationTokenException"),
        ((), {"Authorization": "AWS4-HMAC-SHA256 x"}, "IncompleteSignatureException"),
        (
            (),
            {"Authorization": AUTHORIZATION.replace("/lambda/", "/dynamodb/")},
            "InvalidSignatureException",
        ),
    ],
)
def test_who_did_not_sign_for_lambda_is_answered_403(
    without: tuple[str, ...], changed: dict[str, Any], code: str
) -> None:
    headers = {"Authorization": AUTHORIZATION} | changed
    data = request(b"", action=None, method="GET", target="/x", without=without, **headers)
    answer = asked(data, operation("GET /x", show))
    assert (answer.status, answer.headers["x-amzn-errortype"]) == (403, code)
    assert list(answer.json) == ["message"]


def test_some_actions_need_no_signature() -> None:
    data = request(b"", action=None, method="GET", target="/x", without=("Authorization",))
    assert asked(data, operation("GET /x", show, signed=False)).status == 200


def test_an_action_that_we_lack_is_refused_by_its_name() -> None:
    absent = AbsentOperation("PublishLayerVersion", Route("POST", "/l/{LayerName}/versions"))
    answer = asked(call("POST", "/l/x/versions", b"{}"), absent)
    assert (answer.status, answer.headers["x-amzn-errortype"]) == (404, "UnknownOperationException")
    assert answer.json == {
        "Type": "User",
        "message": "PublishLayerVersion is not supported by this release of Penstock",
    }


@pytest.mark.parametrize(
    ("error", "status", "body"),
    [
        (
            aws_lambda.resource_not_found("Function not found: f"),
            404,
            {"Type": "User", "Message": "Function not found: f"},
        ),
        (
            EngineUnavailable("x"),
            500,
            {"Type": "Service", "Message": "The store cannot answer now"},
        ),
        (EngineFull("x"), 500, {"Type": "Service", "Message": "The store is full"}),
        (
            StoreCorrupt("x"),
            500,
            {"Type": "Service", "Message": "The request failed because of an unknown error"},
        ),
        (
            KeyError("x"),
            500,
            {"Type": "Service", "Message": "The request failed because of an unknown error"},
        ),
    ],
)
def test_failures_are_told_as_lambda_tells_them(
    error: Exception, status: int, body: dict[str, str]
) -> None:
    async def fail(context: Context, request: dict[str, Any]) -> Any:
        raise error

    answer = asked(call("GET", "/x"), operation("GET /x", fail))
    assert (answer.status, answer.json) == (status, body)
    assert "x-amzn-errortype" in answer.headers


def test_a_body_may_be_compressed_and_another_coding_is_refused() -> None:
    data = call("POST", "/x", b"{}", Content_Encoding="br")
    assert asked(data, operation("POST /x", show)).status == 415


def test_an_answer_is_the_bytes_that_were_announced() -> None:
    answer = asked(call("GET", "/x"), operation("GET /x", show))
    assert json.loads(answer.body) == answer.json
    assert int(answer.headers["content-length"]) == len(answer.body)
