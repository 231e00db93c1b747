"""What handlers do wrong: each is told to who asked as AWS tells it, and the next call is served.

Real processes run AWS's own client for Python.
"""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from penstock.base import limits
from unit.functions.worker_rig import Rig, processes_with, rig, run

pytest.importorskip("awslambdaric", reason="AWS's client for Python has no wheel for this platform")

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs what Linux shows of processes")


async def serves(it: Rig) -> None:
    """Show that the pool serves the next call, and that nothing is counted as busy any more."""
    assert await it.call(it.python("def handler(e, c): return e", "next"), 1) == 1
    assert it.pool.busy == 0


def test_one_that_raises_tells_its_error_and_its_worker_goes_on(tmp_path: Path) -> None:
    source = """
        import os
        def handler(event, context):
            if event:
                raise ValueError("no such thing")
            return os.getpid()
    """

    async def check() -> None:
        async with rig(tmp_path) as it:
            spec = it.python(source)
            before = await it.call(spec, None)
            error = await it.fail(spec, 1)
            assert error["errorType"] == "ValueError"
            assert error["errorMessage"] == "no such thing"
            assert "app.py" in error["stackTrace"][0]
            assert any("[ERROR] ValueError: no such thing" in line for line in it.logs.lines)
            assert await it.call(spec, None) == before

    run(check())


def test_one_that_takes_too_long_is_killed_and_so_told(tmp_path: Path) -> None:
    source = """
        import time
        def handler(event, context):
            print("waiting", flush=True)
            time.sleep(event)
            return context.get_remaining_time_in_millis()
    """

    async def check() -> None:
        async with rig(tmp_path) as it:
            spec = it.python(source, timeout_seconds=1)
            assert 0 < await it.call(spec, 0) <= 1000
            outcome = await it.invoke(spec, 60, tail=True, request_id="id-9")
            assert outcome.error == "Unhandled"
            assert outcome.payload == (
                b'{"errorType":"Sandbox.Timedout","errorMessage":'
                b'"RequestId: id-9 Error: Task timed out after 1.00 seconds"}'
            )
            lines = outcome.log_tail.decode().splitlines()
            assert lines[:2] == ["START RequestId: id-9 Version: $LATEST", "waiting"]
            assert lines[2].endswith("Z id-9 Task timed out after 1.00 seconds")
            assert lines[3] == "END RequestId: id-9"
            assert lines[4].startswith("REPORT RequestId: id-9\tDuration: 10")
            assert lines[4].endswith("\tStatus: timeout\t")
            assert it.pool.workers == 0
            await serves(it)

    run(check())


@pytest.mark.parametrize(
    ("action", "text"),
    [
        ("os._exit(3)", "Runtime exited with error: exit status 3"),
        ("os._exit(0)", "Runtime exited without providing a reason"),
        ("sys.exit(5)", "Runtime exited with error: exit status 5"),
        ("os.kill(os.getpid(), 9)", "Runtime exited with error: signal: killed"),
        ("ctypes.string_at(0)", "Runtime exited with error: signal: segmentation fault"),
        ("os.abort()", "Runtime exited with error: signal: aborted"),
        ("sys.setrecursionlimit(10**9); f = lambda: g(); g = lambda: f(); f()", ""),
    ],
)
def test_one_that_ends_its_process_is_replaced(tmp_path: Path, action: str, text: str) -> None:
    """The last one brings its process down one way or another: any way it is told."""
    source = f"""
        import ctypes, os, sys
        def handler(event, context):
            if event:
                {action}
            return os.getpid()
    """

    async def check() -> None:
        async with rig(tmp_path) as it:
            spec = it.python(source)
            before = await it.call(spec, None)
            error = await it.fail(spec, 1, request_id="id-9")
            if text:
                assert error == {
                    "errorType": "Runtime.ExitError",
                    "errorMessage": f"RequestId: id-9 Error: {text}",
                }
                assert f"RequestId: id-9 Error: {text}\nRuntime.ExitError" in it.logs.lines
            assert await it.call(spec, None) != before

    run(check())


def test_one_that_closes_all_files_of_its_process_is_answered_and_ends(tmp_path: Path) -> None:
    """Its client answers on a new connection, and then waits on one that is no more."""
    source = """
        import os
        def handler(event, context):
            os.closerange(3, 1000)
            return event
    """

    async def check() -> None:
        async with rig(tmp_path, answer_wait_seconds=0.01) as it:
            spec = it.python(source, timeout_seconds=1)
            assert await it.call(spec, 1) == 1
            assert await it.call(spec, 2) == 2
            async with asyncio.timeout(30):
                while it.pool.workers:
                    await asyncio.sleep(0.01)

    run(check())


def test_what_it_does_after_its_answer_delays_the_answer_but_a_little(tmp_path: Path) -> None:
    source = f"""#!{sys.executable}
        import http.client, os, time
        def ask(method, verb, body=None):
            api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
            api.request(method, "/2018-06-01/runtime/invocation/" + verb, body)
            return api.getresponse()
        told = ask("GET", "next").getheader("Lambda-Runtime-Aws-Request-Id")
        ask("POST", told + "/response", '"early"').read()
        time.sleep(60)
    """

    async def check() -> None:
        async with rig(tmp_path, answer_wait_seconds=0.01) as it:
            spec = it.bootstrap(source, timeout_seconds=60)
            assert await it.call(spec, tail=True) == "early"
            assert it.pool.busy == 1

    run(check())


@pytest.mark.parametrize(
    ("answer", "error_type"),
    [
        ("object()", "Runtime.MarshalError"),
        ("{1, 2}", "Runtime.MarshalError"),
        ("(lambda a: a.append(a) or a)([])", "Runtime.MarshalError"),
        ("'x' * (7 * 1024 * 1024)", "Function.ResponseSizeTooLarge"),
    ],
)
def test_one_that_returns_what_can_not_be_told_fails(
    tmp_path: Path, answer: str, error_type: str
) -> None:
    source = f"""
        def handler(event, context):
            return {answer} if event else "well"
    """

    async def check() -> None:
        async with rig(tmp_path) as it:
            spec = it.python(source)
            assert (await it.fail(spec, 1))["errorType"] == error_type
            assert await it.call(spec, None) == "well"

    run(check())


@pytest.mark.parametrize(
    ("answer", "payload"),
    [
        (r"b'\xff\x00'", b"\xff\x00"),
        ("float('nan')", b"NaN"),
        ("None", b"null"),
        (r"'\ud83d\ude00'", b'"\\ud83d\\ude00"'),
        ("''", b'""'),
    ],
)
def test_what_the_client_sends_is_handed_on_as_it_is(
    tmp_path: Path, answer: str, payload: bytes
) -> None:
    async def check() -> None:
        async with rig(tmp_path) as it:
            spec = it.python(f"def handler(event, context): return {answer}", runtime="python3.11")
            outcome = await it.invoke(spec)
            assert (outcome.error, outcome.payload) == (None, payload)

    run(check())


@pytest.mark.parametrize(
    ("source", "handler", "error_type", "text"),
    [
        ("import nothing_of_this_name", "app.handler", "Runtime.ImportModuleError", "nothing_of"),
        ("def handler(:", "app.handler", "Runtime.UserCodeSyntaxError", "Syntax error in module"),
        ("pass", "app.handler", "Runtime.HandlerNotFound", "'handler' missing on module 'app'"),
        ("pass", "other.handler", "Runtime.ImportModuleError", "Unable to import module 'other'"),
        ("pass", "handler", "Runtime.MalformedHandlerName", "Bad handler 'handler'"),
        ("raise ValueError('at import')", "app.handler", "ValueError", "at import"),
    ],
)
def test_one_whose_module_is_wrong_fails_as_it_begins(
    tmp_path: Path, source: str, handler: str, error_type: str, text: str
) -> None:
    async def check() -> None:
        async with rig(tmp_path) as it:
            outcome = await it.invoke(it.python(source, handler=handler), request_id="id-9")
            assert outcome.error == "Unhandled"
            assert f'"errorType": "{error_type}"'.encode() in outcome.payload
            assert text.encode() in outcome.payload
            start = it.logs.lines.index("START RequestId: id-9 Version: $LATEST")
            assert it.logs.lines[start + 1] == "END RequestId: id-9"
            assert it.pool.workers == 0
            await serves(it)

    run(check())


def test_one_whose_module_ends_the_process_fails_as_it_begins(tmp_path: Path) -> None:
    async def check() -> None:
        async with rig(tmp_path) as it:
            error = await it.fail(it.python("import os; os._exit(4)"), request_id="id-9")
            assert error == {
                "errorType": "Runtime.ExitError",
                "errorMessage": "RequestId: id-9 Error: Runtime exited with error: exit status 4",
            }
            await serves(it)

    run(check())


def test_what_takes_too_long_to_begin_goes_on_in_the_time_of_its_invocation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "function_init_seconds_max", 0.01)
    source = """
        import pathlib, time
        if not pathlib.Path("ready").exists():
            time.sleep(60)
        def handler(event, context): return event
    """

    async def check() -> None:
        async with rig(tmp_path) as it:
            spec = it.python(source, timeout_seconds=1)
            error = await it.fail(spec)
            assert error["errorType"] == "Sandbox.Timedout"
            late = "INIT_REPORT Init Duration: 10.00 ms\tPhase: init\tStatus: timeout"
            assert late in it.logs.lines
            (spec.code / "ready").touch()
            assert await it.call(it.python(source, timeout_seconds=60, revision="1"), 1) == 1
            assert it.logs.lines.count(late) == 2

    run(check())


def test_a_runtime_that_never_asks_is_ended_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "function_init_seconds_max", 0.1)

    async def check() -> None:
        async with rig(tmp_path) as it:
            spec = it.bootstrap("#!/bin/sh\nexec sleep 60\n", timeout_seconds=1)
            assert (await it.fail(spec))["errorType"] == "Sandbox.Timedout"
            await serves(it)

    run(check())


def test_one_that_asks_for_the_next_invocation_itself_is_given_its_own_again(
    tmp_path: Path,
) -> None:
    source = """
        import http.client, os
        def handler(event, context):
            api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
            api.request("GET", "/2018-06-01/runtime/invocation/next")
            response = api.getresponse()
            told = response.getheader("Lambda-Runtime-Aws-Request-Id")
            return [told == context.aws_request_id, response.read().decode()]
    """

    async def check() -> None:
        async with rig(tmp_path) as it:
            spec = it.python(source)
            assert await it.call(spec, 1) == [True, "1"]
            assert await it.call(spec, 2) == [True, "2"]

    run(check())


def test_one_that_answers_itself_and_then_again_has_answered_once(tmp_path: Path) -> None:
    """Its client is refused the second answer, and ends; what counts was told before."""
    source = """
        import http.client, os
        def handler(event, context):
            api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
            path = f"/2018-06-01/runtime/invocation/{context.aws_request_id}/response"
            api.request("POST", path, '"first"')
            assert api.getresponse().status == 202
            return "second"
    """

    async def check() -> None:
        async with rig(tmp_path) as it:
            spec = it.python(source)
            assert await it.call(spec) == "first"
            assert await it.call(spec) == "first"

    run(check())


def test_one_that_prints_without_end_is_read_on_and_its_log_stays_small(tmp_path: Path) -> None:
    """A part of a gigabyte proves it: what is kept is bounded by time, not by what is printed."""
    printed = 256 * 1024 * 1024
    source = f"""
        import os
        line = b"x" * 1023 + b"\\n"
        def handler(event, context):
            for _ in range({printed} // (1024 * 1024)):
                os.write(1, line * 1024)
            return "done"
    """

    async def check() -> None:
        async with rig(tmp_path) as it:
            loud = asyncio.create_task(it.call(it.python(source)))
            quiet = it.python("def handler(e, c): return e", "quiet")
            for number in range(20):
                assert await it.call(quiet, number) == number
            assert await loud == "done"
            kept = sum(map(len, it.logs.lines))
            assert kept < printed / 8
            notices = [line for line in it.logs.lines if "bytes of output dropped" in line]
            dropped = sum(int(line.split()[1]) for line in notices)
            assert printed - dropped - kept < printed / 100  # the rest is line ends
            assert len(notices) < 30

    run(check())


def test_a_line_without_end_comes_in_pieces(tmp_path: Path) -> None:
    source = """
        def handler(event, context):
            print("y" * 1_000_000)
    """

    async def check() -> None:
        async with rig(tmp_path) as it:
            await it.call(it.python(source))
            pieces = [line for line in it.logs.lines if line.startswith("yyy")]
            assert max(map(len, pieces)) == limits.log_line_bytes_max
            assert sum(map(len, pieces)) == 1_000_000

    run(check())


@linux
@pytest.mark.parametrize("detached", [False, True])
def test_what_a_handler_has_forked_ends_with_its_worker(tmp_path: Path, detached: bool) -> None:
    """However it hides: here in a session of its own, its parent gone."""
    source = f"""
        import os, time
        def handler(event, context):
            readable, writable = os.pipe()
            if os.fork() == 0:
                if {detached}:
                    os.setsid()
                    if os.fork():
                        os._exit(0)
                os.write(writable, b"here")
                time.sleep(600)
                os._exit(0)
            os.read(readable, 4)
            return os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
    """

    async def check() -> None:
        async with rig(tmp_path) as it:
            mark = await it.call(it.python(source))
            assert len(list(processes_with(mark))) >= 2
            it.pool.retire("thing")
            async with asyncio.timeout(30):
                while list(processes_with(mark)):
                    await asyncio.sleep(0.01)

    run(check())


@pytest.mark.parametrize("is_blind", [True, False])
def test_the_end_of_a_process_is_known_however_it_can_be_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_blind: bool
) -> None:
    """By a system that cannot look first, and where another part of the program waits for all."""
    if is_blind:
        monkeypatch.delattr(os, "waitid", raising=False)
    else:

        def gone(*_: int) -> None:
            raise ChildProcessError

        monkeypatch.setattr(os, "waitid", gone, raising=False)
    source = """
        import os
        def handler(event, context):
            os._exit(3)
    """

    async def check() -> None:
        async with rig(tmp_path) as it:
            for _ in range(2):
                told = (await it.fail(it.python(source)))["errorMessage"]
                assert told.endswith("Runtime exited with error: exit status 3")
            assert it.pool.workers == 0

    run(check())


@linux
def test_what_a_worker_has_left_behind_when_it_exits_is_killed(tmp_path: Path) -> None:
    source = """
        import os, time
        def handler(event, context):
            if event:
                os._exit(1)
            if os.fork() == 0:
                os.setsid()
                time.sleep(600)
            return os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
    """

    async def check() -> None:
        async with rig(tmp_path) as it:
            spec = it.python(source)
            mark = await it.call(spec, None)
            await it.fail(spec, 1)
            async with asyncio.timeout(30):
                while list(processes_with(mark)):
                    await asyncio.sleep(0.01)

    run(check())


@linux
@pytest.mark.parametrize("in_child", [False, True])
def test_one_that_takes_more_memory_than_it_may_is_killed(tmp_path: Path, in_child: bool) -> None:
    source = f"""
        import os, time
        def handler(event, context):
            if {in_child} and os.fork():
                time.sleep(60)
            kept = []
            while True:
                kept.append(os.urandom(1024 * 1024))
    """

    async def check() -> None:
        async with rig(tmp_path) as it:
            error = await it.fail(it.python(source), request_id="id-9")
            assert error == {
                "errorType": "Runtime.OutOfMemory",
                "errorMessage": "RequestId: id-9 Error: Runtime exited with error: signal: killed",
            }
            report = await it.logs.until("REPORT")
            assert "Memory Size: 128 MB" in report
            assert report.endswith("Status: error\tError Type: Runtime.OutOfMemory\t")
            assert int(report.split("Max Memory Used: ")[1].split()[0]) > 128
            await serves(it)

    run(check())


@linux
def test_one_that_asks_for_very_much_memory_at_once_is_refused_it(tmp_path: Path) -> None:
    source = """
        def handler(event, context):
            return len(bytearray(4 * 1024 ** 3))
    """

    async def check() -> None:
        async with rig(tmp_path) as it:
            assert (await it.fail(it.python(source)))["errorType"] == "MemoryError"

    run(check())
