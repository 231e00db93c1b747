"""Where requests go and which error answers what, in DynamoDB's order."""

import asyncio
import gzip
import json
import logging
from typing import Any

import pytest

import penstock
from penstock.base.errors import dynamodb
from penstock.base.errors.engine import EngineError, EngineFull, EngineUnavailable, StoreCorrupt
from penstock.base.ids import Entropy
from penstock.edge.dispatch import Dispatch
from penstock.wire.sigv4 import Caller
from unit.edge.serving import (
    Act,
    Answer,
    connected,
    crc32_matches,
    dispatch_of,
    echo,
    healthy,
    request,
    run,
    serving,
)

CORAL = "com.amazon.coral.service#"


def answer_to(data: bytes, **acts: Any) -> Answer:
    """Return what a new server answers, having checked that the connection lives on."""
    answers: list[Answer] = []

    async def work() -> None:
        async with serving(dispatch_of(**acts)) as server, connected(server) as client:
            answers.append(await client.ask(data))
            assert (await client.ask(request())).status == 200

    run(work())
    return answers[0]


def page(target: str, method: str = "GET", host: str = "localhost:8000") -> bytes:
    return f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("localhost:8000", "us-east-1"),
        ("dynamodb.eu-west-1.amazonaws.com", "eu-west-1"),
        ("streams.dynamodb.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("dynamodb.<script>.amazonaws.com", "us-east-1"),
    ],
)
def test_root_page_says_healthy_as_dynamodb_does(host: str, region: str) -> None:
    answer = answer_to(page("/", host=host))
    assert answer.status == 200
    assert answer.body.decode() == f"healthy: dynamodb.{region}.amazonaws.com "
    assert len(answer.headers["x-amzn-requestid"]) == 52


def test_health_page_names_version_and_engine() -> None:
    answer = answer_to(page("/_penstock/health"))
    assert answer.status == 200
    assert answer.json == {
        "status": "ready",
        "version": penstock.__version__,
        "engine": "memory",
    }


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_health_page_says_503_where_requests_should_go_elsewhere(method: str) -> None:
    """While everything else is answered as ever."""
    health = healthy()
    health.stop()
    dispatch = Dispatch({}, engine="memory", health=health, entropy=Entropy(7))

    async def work() -> None:
        async with serving(dispatch) as server, connected(server) as client:
            client.send(page("/_penstock/health", method=method))
            answer = await client.receive(body=method == "GET")
            assert answer.status == 503
            assert answer.headers["content-type"] == "application/json"
            assert method == "HEAD" or answer.json == {
                "status": "stopping",
                "version": penstock.__version__,
                "engine": "memory",
                "reason": "the server is about to stop",
            }
            assert (await client.ask(page("/"))).status == 200

    run(work())


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_a_page_that_the_server_was_given_is_shown(method: str) -> None:
    """As a JSON object, made anew for every request; nothing is sent to it."""
    shown = iter(range(9))
    dispatch = Dispatch(
        {},
        engine="memory",
        health=healthy(),
        entropy=Entropy(7),
        pages={"/_penstock/more": lambda: {"n": next(shown)}},
    )

    async def work() -> None:
        async with serving(dispatch) as server, connected(server) as client:
            client.send(page("/_penstock/more", method))
            answer = await client.receive(body=method != "HEAD")
            assert answer.status == (404 if method == "POST" else 200)
            following = await client.ask(page("/_penstock/more"))
            assert following.json == {"n": 0 if method == "POST" else 1}
            assert following.headers["content-type"] == "application/json"

    run(work())


@pytest.mark.parametrize(
    "data",
    [
        page("/nowhere"),
        page("/", "PUT"),
        page("/", "OPTIONS"),
        page("*", "OPTIONS"),
        request(target="/nowhere"),
        request(Content_Type="text/plain"),
        request(Content_Type="application/x-amz-json-1.1"),
        request(without=("Content-Type",)),
    ],
)
def test_what_is_no_api_call_is_an_unknown_operation_page(data: bytes) -> None:
    answer = answer_to(data)
    assert (answer.status, answer.body) == (404, b"<UnknownOperationException/>\n")
    assert "x-amzn-requestid" in answer.headers


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b"\xff\xfe",
        b'{"a": "\xed\xa0\x80"}',
        b'{"a": 1} {}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"1" * 5000,
        b"[]",
        b'"text"',
        b"null",
        b"7",
    ],
    ids=lambda body: repr(body[:12]),
)
def test_body_that_is_no_json_object_is_a_serialization_exception(body: bytes) -> None:
    answer = answer_to(request(body))
    assert answer.status == 400
    assert answer.json == {"__type": CORAL + "SerializationException"}
    assert crc32_matches(answer)


@pytest.mark.parametrize(
    "body",
    [
        b"not gzip",
        b"",
        gzip.compress(b"{}", mtime=0)[:-1],
        gzip.compress(b"{}", mtime=0) + b"more",
        gzip.compress(b"{}", mtime=0)[:-8] + b"\0" * 8,
    ],
)
def test_bad_gzip_is_a_clean_400(body: bytes) -> None:
    answer = answer_to(request(body, Content_Encoding="gzip"))
    assert (answer.status, answer.json) == (400, {"__type": CORAL + "SerializationException"})


def test_other_content_codings_are_refused_not_ignored() -> None:
    assert answer_to(request(Content_Encoding="br")).status == 415


@pytest.mark.parametrize("action", ["Nothing", "echo", "", None])
def test_unknown_or_missing_target_is_an_unknown_operation(action: str | None) -> None:
    answer = answer_to(request(action=action))
    assert (answer.status, answer.json) == (400, {"__type": CORAL + "UnknownOperationException"})
    assert crc32_matches(answer)


def test_body_is_looked_at_before_the_target_and_that_before_the_signature() -> None:
    unsigned = ("Authorization", "X-Amz-Date")
    first = answer_to(request(b"{", action="Nothing", without=unsigned))
    assert first.json["__type"] == CORAL + "SerializationException"
    second = answer_to(request(action="Nothing", without=unsigned))
    assert second.json["__type"] == CORAL + "UnknownOperationException"
    third = answer_to(request(without=unsigned))
    assert third.status == 400
    assert third.json == {
        "__type": CORAL + "MissingAuthenticationTokenException",
        "message": "Request is missing Authentication Token",
    }


def test_presigned_call_is_taken() -> None:
    query = (
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20261001T120000Z&X-Amz-SignedHeaders=host"
        "&X-Amz-Credential=AKIDEXAMPLE%2F20261001%2Flocal%2Fdynamodb%2Faws4_request"
        "&X-Amz-Signature=0a1b"
    )
    answer = answer_to(request(target=f"/?{query}", without=("Authorization", "X-Amz-Date")))
    assert (answer.status, answer.json["Region"]) == (200, "local")


def raising(error: BaseException) -> Any:
    def act(_caller: Caller, _body: dict[str, Any]) -> dict[str, Any]:
        raise error

    return act


def test_api_error_of_an_operation_is_its_status_and_body() -> None:
    answer = answer_to(request(action="Act"), Act=raising(dynamodb.condition_failed({"a": {}})))
    assert answer.status == 400
    assert answer.json == {
        "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
        "message": "The conditional request failed",
        "Item": {"a": {}},
    }
    assert crc32_matches(answer)


@pytest.mark.parametrize("error", [EngineUnavailable("x"), EngineFull("x")])
def test_engine_that_cannot_serve_is_a_503_that_clients_retry(error: Exception) -> None:
    answer = answer_to(request(action="Act"), Act=raising(error))
    assert (answer.status, answer.json["__type"]) == (503, CORAL + "ServiceUnavailable")


def late(error: Exception) -> Any:
    async def act(_caller: Caller, _body: dict[str, Any]) -> dict[str, Any]:
        await asyncio.sleep(0)
        raise error

    return act


@pytest.mark.parametrize("act", [raising, late])
@pytest.mark.parametrize("error", [KeyError("secret"), RecursionError()])
def test_bug_is_a_500_logged_once_with_its_request_id(
    act: Any, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    answer = answer_to(request(action="Act"), Act=act(error))
    assert answer.status == 500
    assert answer.json["__type"].endswith("#InternalServerError")
    assert b"secret" not in answer.body
    assert crc32_matches(answer)
    records = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(records) == 1
    assert records[0].message == "A request failed by a bug"
    assert vars(records[0])["request_id"] == answer.headers["x-amzn-requestid"]
    assert records[0].exc_info is not None


@pytest.mark.parametrize("error", [StoreCorrupt("secret"), EngineError("secret")])
def test_store_that_needs_its_operator_is_a_500_told_to_the_log_in_one_line(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """Such as a data directory that was removed: every request would log a trace of no use."""
    answer = answer_to(request(action="Act"), Act=raising(error))
    assert answer.status == 500
    assert answer.json["__type"].endswith("#InternalServerError")
    assert b"secret" not in answer.body
    (record,) = caplog.records
    assert record.message == "The store failed a request"
    assert record.exc_info is None
    assert vars(record)["error"] == "secret"
    assert vars(record)["request_id"] == answer.headers["x-amzn-requestid"]


def test_result_that_json_cannot_hold_is_a_500_like_any_bug() -> None:
    def act(_caller: Caller, _body: dict[str, Any]) -> dict[str, Any]:
        return {"a": object()}

    assert answer_to(request(action="Act"), Act=act).status == 500


def test_failing_requests_do_not_disturb_their_neighbours_in_the_pipeline() -> None:
    async def work() -> None:
        acts = {"Now": raising(KeyError()), "Late": late(KeyError())}
        names = ["Now", "Echo", "Late", "Echo", "Nothing", "Echo"]
        async with serving(dispatch_of(**acts)) as server, connected(server) as client:
            client.send(b"".join(request(action=name) for name in names))
            statuses = [(await client.receive()).status for _ in names]
            assert statuses == [500, 200, 500, 200, 400, 200]

    run(work())


def test_cancelled_operation_ends_its_own_connection_only() -> None:
    async def cancelled(_caller: Caller, _body: dict[str, Any]) -> dict[str, Any]:
        await asyncio.sleep(0)
        raise asyncio.CancelledError

    async def work() -> None:
        acts = {"Now": raising(asyncio.CancelledError()), "Late": cancelled}
        async with serving(dispatch_of(**acts)) as server, connected(server) as other:
            for name in acts:
                async with connected(server) as client:
                    client.send(request(action=name))
                    assert await client.is_closed()
            assert (await other.ask(request())).status == 200

    run(work())


def test_request_ids_differ() -> None:
    async def work() -> None:
        async with serving(dispatch_of()) as server, connected(server) as client:
            ids = {(await client.ask(request())).headers["x-amzn-requestid"] for _ in range(20)}
            assert len(ids) == 20

    run(work())


def test_operation_may_wait_many_times_and_get_what_it_waited_for() -> None:
    async def act(_caller: Caller, _body: dict[str, Any]) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        seen = []
        for n in range(5):
            future = loop.create_future()
            loop.call_soon(future.set_result, n)
            seen.append(await future)
            failed = loop.create_future()
            loop.call_soon(failed.set_exception, ValueError(str(n)))
            try:
                await failed
            except ValueError as error:
                seen.append(str(error))
        return {"seen": seen}

    answer = answer_to(request(action="Act"), Act=act)
    assert json.loads(answer.body)["seen"] == [0, "0", 1, "1", 2, "2", 3, "3", 4, "4"]


def control_answer(data: bytes, **acts: Any) -> Answer:
    """Return what a server with these test controls answers."""
    answers: list[Answer] = []
    controls = {name: Act(act) for name, act in acts.items()}
    dispatch = Dispatch(
        {}, engine="memory", health=healthy(), entropy=Entropy(7), controls=controls
    )

    async def work() -> None:
        async with serving(dispatch) as server, connected(server) as client:
            answers.append(await client.ask(data))

    run(work())
    return answers[0]


def control(name: str, body: bytes = b"{}", method: str = "POST", more: str = "") -> bytes:
    """Return a request of a test control as curl would send it, with a line more of headers."""
    return (
        f"{method} /_penstock/control/{name} HTTP/1.1\r\nHost: here\r\n{more}"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def test_a_test_control_needs_no_signature_and_any_content_type() -> None:
    answer = control_answer(control("Echo", b'{"a": 1}'), Echo=echo)
    assert answer.status == 200
    assert answer.json == {"Region": "us-east-1", "Key": "", "Body": {"a": 1}}
    assert answer.headers["content-type"] == "application/x-amz-json-1.0"
    assert crc32_matches(answer)


def test_a_test_control_fails_as_an_operation_does() -> None:
    refused = raising(dynamodb.validation("no"))
    answer = control_answer(control("Act"), Act=refused)
    assert (answer.status, answer.json["message"]) == (400, "no")
    assert control_answer(control("Act"), Act=raising(KeyError())).status == 500
    assert control_answer(control("Act"), Act=raising(EngineUnavailable("x"))).status == 503
    answer = control_answer(control("Act", b"{"), Act=refused)
    assert answer.json == {"__type": CORAL + "SerializationException"}
    answer = control_answer(control("Other"), Act=refused)
    assert (answer.status, answer.json) == (400, {"__type": CORAL + "UnknownOperationException"})


@pytest.mark.parametrize("origin", ["http://evil.example", "http://here", "null", ""])
@pytest.mark.parametrize(("name", "body"), [("Act", b"{}"), ("Act", b"{"), ("Other", b"{}")])
def test_a_test_control_that_a_page_asks_for_is_refused_and_not_done(
    origin: str, name: str, body: bytes
) -> None:
    """A browser sends such a POST without asking first, and says from where in Origin."""
    done: list[str] = []

    def act(_caller: Caller, _body: dict[str, Any]) -> dict[str, Any]:
        done.append("done")
        return {}

    answer = control_answer(control(name, body, more=f"Origin: {origin}\r\n"), Act=act)
    assert (answer.status, done) == (400, [])
    assert answer.json == {
        "__type": "com.amazonaws.dynamodb.v20120810#AccessDeniedException",
        "message": "Test controls are not for pages in a browser: the request has an Origin header",
    }


def test_pages_about_the_server_are_shown_wherever_they_are_asked_from() -> None:
    health = b"GET /_penstock/health HTTP/1.1\r\nHost: here\r\nOrigin: http://there\r\n\r\n"
    assert control_answer(health, Echo=echo).status == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_a_test_control_is_posted_only(method: str) -> None:
    assert control_answer(control("Echo", b"", method), Echo=echo).status == 404


def test_a_test_control_is_no_target_of_the_api() -> None:
    data = request(action="Echo", target="/")
    assert control_answer(data, Echo=echo).json["__type"] == CORAL + "UnknownOperationException"


def test_without_test_controls_their_paths_are_unknown() -> None:
    answer = answer_to(control("Echo"))
    assert (answer.status, answer.body) == (404, b"<UnknownOperationException/>\n")
