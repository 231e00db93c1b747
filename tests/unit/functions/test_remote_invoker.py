"""Invoking functions at URLs: real servers, their answers, and what they do wrong."""

import asyncio
import base64
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from penstock.base import limits
from penstock.functions.invoker import Invoker, NotInvoked, Outcome
from penstock.functions.remote_function import HttpFunction
from penstock.functions.remote_invoker import Invokers, RemoteInvoker
from unit.functions.scripted_server import Asked, Said, Script, ScriptedServer

ARN = "arn:aws:lambda:us-east-1:000000000000:function:elsewhere"
EMULATOR_PATH = "/2015-03-31/functions/function/invocations"
SECONDS_MAX = 30.0


def call(url: str, *arns: str, seconds_max: float = SECONDS_MAX, **more: Any) -> list[Outcome]:
    """Return what came of invoking the function at `url` once for each of `arns`, in a row."""

    async def invoke() -> list[Outcome]:
        invoker = RemoteInvoker({"elsewhere": HttpFunction(url)}, seconds_max)
        try:
            return [await invoker.invoke(arn, b'{"n":1}', **more) for arn in arns or (ARN,)]
        finally:
            invoker.close()

    return asyncio.run(invoke())


def called(script: Script, path: str = "/", **more: Any) -> Outcome:
    """Return what came of invoking the function of a server that answers by `script`."""
    with ScriptedServer(script) as server:
        return call(server.url + path, **more)[0]


def not_called(script: Script, path: str = "/", **more: Any) -> NotInvoked:
    with pytest.raises(NotInvoked) as caught:
        called(script, path, **more)
    return caught.value


def error_of(outcome: Outcome) -> dict[str, str]:
    """Return the object that tells the error of an outcome, which has one."""
    assert outcome.error == "Unhandled"
    told: dict[str, str] = json.loads(outcome.payload)
    return told


def hanging_server() -> ScriptedServer:
    """Return a server that answers once it is released."""

    def script(asked: Asked) -> Said:
        return Said(str(server.released.wait(SECONDS_MAX)).encode())

    server = ScriptedServer(script)
    return server


@contextmanager
def raw_server(answer: bytes, *, then_waits: bool = False) -> Iterator[str]:
    """A server that sends `answer` to whoever connects, and closes, or keeps silent."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        released = threading.Event()

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)
                if then_waits:
                    released.wait(SECONDS_MAX)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        released.set()
        thread.join()


def test_the_event_is_posted_and_the_answer_is_the_functions() -> None:
    with ScriptedServer(lambda asked: Said(b'{"batchItemFailures":[]}')) as server:
        (outcome,) = call(f"{server.url}/in?a=1", request_id="r-1", client_context=b'{"c":1}')
    assert outcome == Outcome(b'{"batchItemFailures":[]}')
    (asked,) = server.asked
    assert (asked.path, asked.body) == ("/in?a=1", b'{"n":1}')
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["lambda-runtime-aws-request-id"] == "r-1"
    assert asked.headers["lambda-runtime-invoked-function-arn"] == ARN
    assert json.loads(base64.b64decode(asked.headers["x-amz-client-context"])) == {"c": 1}


def test_an_answer_without_a_body_is_null() -> None:
    assert called(lambda asked: Said(status=204)).payload == b"null"


def test_connections_are_used_again() -> None:
    with ScriptedServer(lambda asked: Said(b"1")) as server:
        call(server.url, ARN, ARN, ARN)
    assert len({asked.client for asked in server.asked}) == 1


def test_a_connection_that_the_server_has_closed_is_not_used_again() -> None:
    with ScriptedServer(lambda asked: Said(b"1", closes=True)) as server:
        assert [outcome.payload for outcome in call(server.url, ARN, ARN)] == [b"1", b"1"]
    assert len({asked.client for asked in server.asked}) == 2


def test_a_connection_that_closes_instead_of_an_answer_is_made_anew_once() -> None:
    """The server keeps it after an answer, and closes it when the next request comes."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        accepted = []

        def serve() -> None:
            for answers in (1, 1):
                connection, address = listening.accept()
                accepted.append(address)
                with connection:
                    for _ in range(answers):
                        connection.recv(65536)
                        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n7")
                    connection.recv(65536)

        thread = threading.Thread(target=serve)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        assert [outcome.payload for outcome in call(url, ARN, ARN)] == [b"7", b"7"]
        thread.join()
    assert len(accepted) == 2


@pytest.mark.parametrize("told", ["Handled", "Unhandled"])
def test_the_header_of_lambda_tells_a_functions_error(told: str) -> None:
    headers = (
        ("X-Amz-Function-Error", told),
        ("X-Amz-Executed-Version", "7"),
        ("X-Amz-Log-Result", base64.b64encode(b"the end of the log").decode()),
    )
    script = Said(b'{"errorMessage":"no"}', headers=headers)
    outcome = called(lambda asked: script, tail=True)
    assert (outcome.error, outcome.payload) == (told, b'{"errorMessage":"no"}')
    assert (outcome.executed_version, outcome.log_tail) == ("7", b"the end of the log")


@pytest.mark.parametrize("status", [302, 400, 404, 413, 500, 502, 504])
def test_any_other_status_is_a_functions_error(status: int) -> None:
    outcome = called(lambda asked: Said(b"what\nhappened", status))
    assert outcome.status == status
    error = error_of(outcome)
    assert error["errorType"] == f"Http.Status{status}"
    assert error["errorMessage"].endswith(": what happened")


@pytest.mark.parametrize(("status", "reason"), [(429, "throttled"), (503, "unavailable")])
def test_a_server_that_cannot_take_it_now_has_not_run_it(status: int, reason: str) -> None:
    failure = not_called(lambda asked: Said(b"later", status))
    assert failure.reason == reason
    assert f"answered {status}" in failure.text


def test_a_server_that_is_not_there_has_not_run_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(NotInvoked) as caught:
        call(f"http://127.0.0.1:{port}/")
    assert caught.value.reason == "unavailable"
    assert caught.value.text.startswith(f"cannot connect to http://127.0.0.1:{port}/: ")


def test_a_server_that_hangs_is_a_time_out() -> None:
    with hanging_server() as server:
        (outcome,) = call(server.url, seconds_max=0.2)
    error = error_of(outcome)
    assert error["errorType"] == "Sandbox.Timedout"
    assert error["errorMessage"] == f"{server.url} did not answer within 0.2 s"


def test_a_server_that_sends_a_little_and_hangs_is_a_time_out() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12"
    with raw_server(answer, then_waits=True) as url:
        (outcome,) = call(url, seconds_max=0.2)
    assert error_of(outcome)["errorType"] == "Sandbox.Timedout"


def test_a_call_that_is_cancelled_leaves_no_thread_waiting() -> None:
    with hanging_server() as server:

        async def cancel() -> None:
            invoker = RemoteInvoker({"elsewhere": HttpFunction(server.url)})
            under_way = asyncio.create_task(invoker.invoke(ARN, b"{}"))
            while not server.asked:
                await asyncio.sleep(0)
            under_way.cancel()
            with pytest.raises(asyncio.CancelledError):
                await under_way
            invoker.close()

        asyncio.run(cancel())
        for thread in threading.enumerate():
            if thread.name.startswith("penstock-remote-call"):
                thread.join(SECONDS_MAX)
                assert not thread.is_alive()


def test_a_call_under_way_at_the_end_has_not_failed() -> None:
    """It may have run; counted as an error it might be given up, and its records with it."""
    with hanging_server() as server:

        async def end() -> list[Outcome | BaseException]:
            invoker = RemoteInvoker({"elsewhere": HttpFunction(server.url)})
            under_way = asyncio.create_task(invoker.invoke(ARN, b"{}"))
            while not server.asked:
                await asyncio.sleep(0)
            invoker.close()
            ended = await asyncio.gather(under_way, return_exceptions=True)
            later = await asyncio.gather(invoker.invoke(ARN, b"{}"), return_exceptions=True)
            return [*ended, *later]

        for failure in asyncio.run(end()):
            assert isinstance(failure, NotInvoked)
            assert failure.reason == "unavailable"
            assert failure.text.endswith(" is not called any more: the process stops")
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00\x01\x02 garbage",
        b"HTTP/1.1 twohundred OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 1000 + b"\r\n",
    ],
)
def test_what_is_no_http_is_a_functions_error(answer: bytes) -> None:
    with raw_server(answer) as url:
        (outcome,) = call(url)
    error = error_of(outcome)
    assert error["errorType"] == "Http.NoAnswer"
    assert error["errorMessage"].startswith(f"{url} gave no answer: ")


def test_an_answer_may_have_six_megabytes_and_no_more() -> None:
    most = limits.function_answer_bytes_max
    whole = called(lambda asked: Said(b"1" * most))
    assert (whole.error, len(whole.payload)) == (None, most)
    error = error_of(called(lambda asked: Said(b"1" * (most + 1))))
    assert error["errorType"] == "Function.ResponseSizeTooLarge"
    assert "(6291556 bytes)" in error["errorMessage"]
    larger = error_of(called(lambda asked: Said(b"1" * 7_000_000)))
    assert larger["errorType"] == "Function.ResponseSizeTooLarge"


def test_a_function_at_a_url_has_no_versions() -> None:
    with ScriptedServer(lambda asked: Said(b"1")) as server:
        assert call(server.url, f"{ARN}:$LATEST")[0].payload == b"1"
        with pytest.raises(NotInvoked) as caught:
            call(server.url, f"{ARN}:live")
    assert caught.value.reason == "missing"
    assert len(server.asked) == 1


def test_a_name_that_is_not_known_is_missing() -> None:
    with pytest.raises(NotInvoked) as caught:
        call("http://127.0.0.1:1/", ARN.replace("elsewhere", "nowhere"))
    assert (caught.value.reason, caught.value.text) == (
        "missing",
        "no function nowhere is known elsewhere",
    )


def test_more_than_there_is_room_for_are_throttled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "remote_invocations_max", 2)
    monkeypatch.setattr(limits, "remote_queue_seconds_max", 0.05)
    with hanging_server() as server:

        async def three() -> list[Outcome | BaseException]:
            invoker = RemoteInvoker({"elsewhere": HttpFunction(server.url)}, SECONDS_MAX)
            first = [asyncio.create_task(invoker.invoke(ARN, b"{}")) for _ in range(2)]
            while len(server.asked) < 2:
                await asyncio.sleep(0)
            third = await asyncio.gather(invoker.invoke(ARN, b"{}"), return_exceptions=True)
            given_up = asyncio.create_task(invoker.invoke(ARN, b"{}"))
            await asyncio.sleep(0)
            given_up.cancel()
            monkeypatch.setattr(limits, "remote_queue_seconds_max", SECONDS_MAX)
            waits = [asyncio.create_task(invoker.invoke(ARN, b"{}")) for _ in range(3)]
            await asyncio.sleep(0)
            server.released.set()
            ended = await asyncio.gather(*first, *waits)
            invoker.close()
            return [*third, *ended]

        third, *others = asyncio.run(three())
    assert isinstance(third, NotInvoked)
    assert third.reason == "throttled"
    assert [other.payload for other in others if isinstance(other, Outcome)] == [b"True"] * 5


def test_an_invocation_needs_no_task() -> None:
    """The edge steps an action outside of any, until its second wait."""
    with ScriptedServer(lambda asked: Said(b"1")) as server:

        async def step() -> Outcome:
            invoker = RemoteInvoker({"elsewhere": HttpFunction(server.url)})
            invocation = invoker.invoke(ARN, b"{}")
            ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

            def go_on(_: object = None) -> None:
                try:
                    waits_for = invocation.send(None)
                except StopIteration as end:
                    ended.set_result(end.value)
                    return
                waits_for.add_done_callback(go_on)

            asyncio.get_running_loop().call_soon(go_on)
            outcome = await ended
            invoker.close()
            return outcome

        assert asyncio.run(step()).payload == b"1"


# --- the Runtime Interface Emulator, which says less than Lambda does


def test_an_error_of_the_emulator_is_known_by_its_body() -> None:
    body = b'{"errorType":"ValueError","errorMessage":"bad","stackTrace":[]}'
    assert called(lambda asked: Said(body), EMULATOR_PATH).error == "Unhandled"
    assert called(lambda asked: Said(body), "/own/path").error is None


def test_a_time_out_of_the_emulator_is_known_by_its_text() -> None:
    outcome = called(lambda asked: Said(b"Task timed out after 1.00 seconds"), EMULATOR_PATH)
    assert error_of(outcome)["errorType"] == "Sandbox.Timedout"
    assert "Task timed out after 1.00 seconds" in error_of(outcome)["errorMessage"]


def test_an_answer_of_the_emulator_is_the_functions() -> None:
    def answered(body: bytes) -> Outcome:
        return called(lambda asked: Said(body), EMULATOR_PATH)

    for body in (b'{"batchItemFailures":[]}', b"null", b'"errorType"'):
        assert answered(body) == Outcome(body)
    assert answered(b"") == Outcome(b"null")


def test_an_emulator_that_is_busy_has_not_run_it() -> None:
    assert not_called(lambda asked: Said(b"", 400), EMULATOR_PATH).reason == "throttled"
    assert called(lambda asked: Said(b"", 400), "/own/path").error == "Unhandled"


# --- who invokes which


class Local(Invoker):
    """Answers with what it was given."""

    async def invoke(self, function_arn: str, payload: bytes, **more: Any) -> Outcome:
        return Outcome(json.dumps([function_arn, payload.decode(), more["request_id"]]).encode())


def test_a_name_elsewhere_is_invoked_there_and_all_others_here() -> None:
    with ScriptedServer(lambda asked: Said(b'"there"')) as server:

        async def both() -> tuple[Outcome, Outcome]:
            remote = RemoteInvoker({"elsewhere": HttpFunction(server.url)})
            invokers = Invokers(remote, Local())
            here = ARN.replace("elsewhere", "here")
            outcomes = await invokers.invoke(ARN, b"{}"), await invokers.invoke(here, b"{}")
            remote.close()
            return outcomes

        there, here = asyncio.run(both())
    assert there.payload == b'"there"'
    assert json.loads(here.payload) == [ARN.replace("elsewhere", "here"), "{}", None]
