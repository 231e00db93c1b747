"""The pool: who is started, used again, replaced and ended, and what workers are given."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.base import limits
from penstock.base.background import Background
from penstock.functions import worker
from penstock.functions.invoker import NotInvoked
from unit.functions.worker_rig import DEADLINE_SECONDS, rig, run

pytest.importorskip("awslambdaric", reason="AWS's client for Python has no wheel for this platform")

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs what Linux shows of processes")

PID = """
    import os
    def handler(event, context):
        return os.getpid()
"""
GATE = """
    import os, pathlib, time
    def handler(event, context):
        pathlib.Path(f"began-{event}").touch()
        while not pathlib.Path(f"go-{event}").exists():
            time.sleep(0.005)
        return os.getpid()
"""


async def until_there(path: Path) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not path.exists():
            await asyncio.sleep(0.005)


async def until_gone(*pids: int) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while any(Path(f"/proc/{pid}").exists() for pid in pids):
            await asyncio.sleep(0.005)


def test_a_worker_is_used_again_and_logs_each_invocation_to_one_stream(tmp_path: Path) -> None:
    async def check() -> None:
        async with rig(tmp_path) as it:
            spec = it.python("def handler(e, c): print('hello'); print(e)")
            for event in range(2):
                await it.call(spec, event, request_id=f"id-{event}")
            assert it.pool.workers == 1
            assert it.logs.groups == {("eu-west-1", "/aws/lambda/thing")}
            (stream,) = it.logs.streams
            assert re.fullmatch(r"2026/09/21/\[\$LATEST\][0-9a-f]{32}", stream)
            lines = it.logs.lines
            assert lines[0] == f"INIT_START Runtime Version: {spec.runtime}"
            assert lines[1:5] == [
                "START RequestId: id-0 Version: $LATEST",
                "hello",
                "0",
                "END RequestId: id-0",
            ]
            number = r"[0-9]+\.[0-9]{2}"
            cold = (
                rf"REPORT RequestId: id-0\tDuration: {number} ms\tBilled Duration: [0-9]+ ms\t"
                rf"Memory Size: 128 MB\tMax Memory Used: [0-9]+ MB\tInit Duration: {number} ms\t"
            )
            assert re.fullmatch(cold, lines[5])
            warm = cold.replace("id-0", "id-1").replace(rf"Init Duration: {number} ms\t", "")
            assert re.fullmatch(warm, lines[-1])

    run(check())


def test_the_tail_is_the_last_4_kb_of_its_own_invocation(tmp_path: Path) -> None:
    source = """
        import sys
        def handler(event, context):
            print(event * 3000)
            print("to the other", file=sys.stderr)
    """

    async def check() -> None:
        async with rig(tmp_path) as it:
            spec = it.python(source)
            await it.call(spec, "a")
            tail = (await it.invoke(spec, "b", tail=True)).log_tail.decode()
            assert tail.startswith("START")
            assert "b" * 3000 + "\nto the other\nEND RequestId" in tail
            assert "aaa" not in tail
            tail = (await it.invoke(spec, "ccc", tail=True)).log_tail.decode()
            assert len(tail) == limits.log_tail_bytes_max
            assert tail.startswith("ccc")
            assert tail.endswith("\t\n")
            assert (await it.invoke(spec, "d")).log_tail == b""

    run(check())


def test_as_many_run_as_are_asked_for_and_the_last_idle_one_is_taken_first(tmp_path: Path) -> None:
    async def check() -> None:
        async with rig(tmp_path) as it:
            spec = it.python(GATE)
            calls = [asyncio.create_task(it.call(spec, name)) for name in "abc"]
            for name in "abc":
                await until_there(spec.code / f"began-{name}")
            assert it.pool.busy == 3
            pids = []
            for name, call in zip("abc", calls, strict=True):
                (spec.code / f"go-{name}").touch()
                pids.append(await call)
            assert len(set(pids)) == 3
            assert it.pool.busy == 0
            assert await it.call(spec, "a") == pids[2]
            assert await it.call(spec, "b") == pids[2]
            assert it.pool.workers == 3

    run(check())


@linux
def test_idle_workers_end_after_a_while_by_the_clock(tmp_path: Path) -> None:
    async def check() -> None:
        async with rig(tmp_path) as it:
            background = Background([it.pool.job()])
            await background.start()
            old = await it.call(it.python(PID, "old"))
            it.clock.advance(int(limits.worker_idle_ms) - 1000)
            new = await it.call(it.python(PID, "new"))
            await background.catch_up()
            assert it.pool.workers == 2
            it.clock.advance(1000)
            await background.catch_up()
            assert it.pool.workers == 1
            await until_gone(old)
            assert await it.call(it.python(PID, "new")) == new
            it.clock.advance(int(limits.worker_idle_ms))
            await background.catch_up()
            assert it.pool.workers == 0
            await until_gone(new)
            await background.stop()

    run(check())


def test_a_function_has_no_more_invocations_at_once_than_it_may(tmp_path: Path) -> None:
    async def check() -> None:
        async with rig(tmp_path) as it:
            spec = it.python(GATE)
            first = asyncio.create_task(it.call(spec, "a", concurrency_max=1))
            await until_there(spec.code / "began-a")
            with pytest.raises(NotInvoked) as refused:
                await it.call(it.python(GATE, version="7"), "b", concurrency_max=1)
            assert refused.value.reason == "throttled"
            (spec.code / "go-a").touch()
            await first
            assert await it.call(spec, "a", concurrency_max=1)
            with pytest.raises(NotInvoked) as refused:
                await it.call(spec, "a", concurrency_max=0)
            assert refused.value.reason == "throttled"

    run(check())


def test_who_is_told_an_outcome_finds_the_worker_idle(tmp_path: Path) -> None:
    """With a concurrency of one, the next invocation is never refused and never starts another."""

    async def check() -> None:
        async with rig(tmp_path) as it:
            spec = it.python(PID)
            pids = {await it.call(spec, number, concurrency_max=1) for number in range(50)}
            assert len(pids) == 1

    run(check())


@linux
def test_a_node_has_no_more_workers_than_it_may_and_the_longest_idle_one_makes_room(
    tmp_path: Path,
) -> None:
    async def check() -> None:
        async with rig(tmp_path, workers_max=2) as it:
            first = await it.call(it.python(PID, "first"))
            it.clock.advance(1)
            second = await it.call(it.python(PID, "second"))
            it.clock.advance(1)
            third = it.python(GATE, "third")
            busy = asyncio.create_task(it.call(third, "a"))
            await until_there(third.code / "began-a")
            await until_gone(first)
            assert await it.call(it.python(PID, "second")) == second
            also_busy = asyncio.create_task(it.call(third, "b"))
            await until_there(third.code / "began-b")
            with pytest.raises(NotInvoked) as refused:
                await it.call(third, "c")
            assert refused.value.reason == "throttled"
            for name in "ab":
                (third.code / f"go-{name}").touch()
            await busy
            await also_busy
            assert it.pool.workers == 2

    run(check())


@linux
def test_a_newer_revision_replaces_idle_workers_and_lets_busy_ones_finish(tmp_path: Path) -> None:
    async def check() -> None:
        async with rig(tmp_path) as it:
            older = it.python(GATE, revision="1")
            (older.code / "go-idle").touch()
            busy = asyncio.create_task(it.call(older, "busy"))
            await until_there(older.code / "began-busy")
            idle = await it.call(older, "idle")
            newer = await it.call(it.python(PID, revision="2"))
            await until_gone(idle)
            (older.code / "go-busy").touch()
            await until_gone(await busy)
            assert await it.call(it.python(PID, revision="2")) == newer

    run(check())


@linux
def test_versions_of_a_function_keep_their_own_workers(tmp_path: Path) -> None:
    async def check() -> None:
        async with rig(tmp_path) as it:
            latest, published = it.python(PID), it.python(PID, version="1")
            pids = [await it.call(latest), await it.call(published)]
            assert [await it.call(latest), await it.call(published)] == pids
            assert (await it.invoke(published)).executed_version == "1"

    run(check())


@linux
def test_retired_workers_are_not_used_again(tmp_path: Path) -> None:
    async def check() -> None:
        async with rig(tmp_path) as it:
            spec = it.python(GATE)
            (spec.code / "go-idle").touch()
            busy = asyncio.create_task(it.call(spec, "busy"))
            await until_there(spec.code / "began-busy")
            idle = await it.call(spec, "idle")
            other = await it.call(it.python(PID, "other"))
            it.pool.retire("thing")
            await until_gone(idle)
            assert await it.call(spec, "idle") != idle
            (spec.code / "go-busy").touch()
            await until_gone(await busy)
            assert await it.call(it.python(PID, "other")) == other

    run(check())


def test_who_gives_up_waiting_lets_the_function_go_on(tmp_path: Path) -> None:
    async def check() -> None:
        async with rig(tmp_path) as it:
            spec = it.python(GATE)
            call = asyncio.create_task(it.call(spec, "a"))
            await until_there(spec.code / "began-a")
            call.cancel()
            await asyncio.wait([call])
            assert it.pool.busy == 1
            (spec.code / "go-a").touch()
            async with asyncio.timeout(DEADLINE_SECONDS):
                await it.logs.until("REPORT")
            assert it.pool.busy == 0
            assert it.pool.workers == 1

    run(check())


@linux
def test_the_stop_ends_all_at_once_and_tells_who_waits(tmp_path: Path) -> None:
    async def check() -> None:
        async with rig(tmp_path) as it:
            stubborn = """
                import os, pathlib, signal, time
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                def handler(event, context):
                    pathlib.Path("pid").write_text(str(os.getpid()))
                    pathlib.Path("began-a").touch()
                    time.sleep(600)
            """
            spec = it.python(stubborn)
            idle = await it.call(it.python(PID, "idle"))
            call = asyncio.create_task(it.call(spec, "a"))
            await until_there(spec.code / "began-a")
            await it.pool.stop()
            with pytest.raises(NotInvoked) as refused:
                await call
            assert refused.value.reason == "unavailable"
            await until_gone(idle, int((spec.code / "pid").read_text()))
            with pytest.raises(NotInvoked):
                await it.call(it.python(PID, "idle"))
            await it.pool.stop()

    run(check())


@linux
def test_workers_end_with_a_server_that_is_killed(tmp_path: Path) -> None:
    server = """
import asyncio, pathlib, sys
from unit.functions.worker_rig import rig, run
async def main():
    async with rig(pathlib.Path(sys.argv[1])) as it:
        spec = it.python('import os, time\\n'
            'def handler(e, c): print(os.getpid(), flush=True); time.sleep(e)')
        idle = asyncio.create_task(it.invoke(spec, 0))
        busy = asyncio.create_task(it.invoke(spec, 600))
        while not (idle.done() and sum(line.isdigit() for line in it.logs.lines) == 2):
            await asyncio.sleep(0.01)
        print(*[line for line in it.logs.lines if line.isdigit()], flush=True)
        await busy
asyncio.run(main())
"""
    command = [sys.executable, "-c", server, str(tmp_path)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    try:
        assert process.stdout is not None
        pids = [int(pid) for pid in process.stdout.readline().split()]
    finally:
        process.kill()
        process.communicate(timeout=DEADLINE_SECONDS)
    assert len(pids) == 2
    run(until_gone(*pids))


def test_workers_that_never_begin_are_not_started_without_a_pause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often it is asked: after a failure the next start waits, longer each time."""
    monkeypatch.setattr(limits, "worker_backoff_ms_min", 50.0)
    monkeypatch.setattr(limits, "worker_backoff_ms_max", 150.0)
    source = """
        import pathlib, time
        with pathlib.Path("starts").open("a") as file:
            file.write(f"{time.monotonic()}\\n")
        if not pathlib.Path("mended").exists():
            raise ValueError("never begins")
        def handler(event, context): return event
    """

    async def check() -> None:
        async with rig(tmp_path) as it:
            spec = it.python(source)
            for _ in range(4):
                await it.fail(spec)
            starts = [float(line) for line in (spec.code / "starts").read_text().split()]
            assert starts[1] - starts[0] >= 0.05
            assert starts[2] - starts[1] >= 0.1
            assert starts[3] - starts[2] >= 0.15
            calls = await asyncio.gather(*(it.fail(spec) for _ in range(8)), return_exceptions=True)
            refused = [call for call in calls if isinstance(call, NotInvoked)]
            assert refused
            assert {each.reason for each in refused} == {"throttled"}
            newer = it.python(source, revision="2")
            (newer.code / "mended").touch()
            assert await it.call(newer, 1) == 1

    run(check())


@linux
def test_a_worker_sees_no_file_of_the_server(tmp_path: Path) -> None:
    source = """
        import os
        def handler(event, context):
            return [os.readlink(f"/proc/self/fd/{each}") for each in os.listdir("/proc/self/fd")
                    if os.path.islink(f"/proc/self/fd/{each}")]
    """

    async def check() -> None:
        with (tmp_path / "secret").open("w") as secret:
            os.set_inheritable(secret.fileno(), True)
            async with rig(tmp_path) as it:
                files = await it.call(it.python(source))
                ours = [
                    str(each.readlink())
                    for each in Path("/proc/self/fd").iterdir()
                    if each.is_symlink()
                ]
                assert secret.name in ours
                (output,) = {each for each in files if each in ours} - {"/dev/null"}
                assert files.count(output) == 2
                assert output.startswith("pipe:")

    run(check())


def test_its_environment_is_lambdas_and_the_users_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PENSTOCK_ENGINE", "postgresql://me:secret@host/db")
    monkeypatch.setenv("SECRET", "of the server")
    source = """
        import os
        def handler(event, context):
            return [dict(os.environ), os.getcwd(), os.getpgrp() == os.getpid()]
    """

    async def check() -> None:
        async with rig(tmp_path) as it:
            user = {"MINE": "1", "AWS_REGION": "mars-1", "AWS_ACCESS_KEY_ID": "own", "TZ": "CET"}
            spec = it.python(source, environment=user, memory_mb=256)
            environment, folder, has_own_group = await it.call(spec)
            assert has_own_group
            assert folder == str(spec.code)
            own = Path(environment.pop("TMPDIR"))
            assert own.parent == it.root
            assert own.is_dir()
            assert environment.pop("HOME") == str(own)
            assert environment.pop("PATH").startswith("/usr/local/bin:/usr/bin:/bin")
            assert environment.pop("_X_AMZN_TRACE_ID").startswith("Root=1-")
            assert re.fullmatch(r"127\.0\.0\.1:[0-9]+", environment.pop("AWS_LAMBDA_RUNTIME_API"))
            assert environment.pop("AWS_LAMBDA_LOG_STREAM_NAME") == it.logs.streams[0]
            assert (Path(environment.pop("LAMBDA_RUNTIME_DIR")) / "awslambdaric").is_dir()
            environment.pop("LC_CTYPE", None)  # set by Python itself where the locale is not there
            assert environment == {
                "MINE": "1",
                "TZ": "CET",
                "LANG": "en_US.UTF-8",
                "_HANDLER": "app.handler",
                "AWS_ACCESS_KEY_ID": "own",
                "AWS_SECRET_ACCESS_KEY": "penstock",
                "AWS_SESSION_TOKEN": "penstock",
                "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
                "AWS_DEFAULT_REGION": "eu-west-1",
                "AWS_REGION": "eu-west-1",
                "AWS_EXECUTION_ENV": f"AWS_Lambda_{spec.runtime}",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
                "AWS_LAMBDA_FUNCTION_NAME": "thing",
                "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
                "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
                "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/thing",
                "LAMBDA_TASK_ROOT": str(spec.code),
            }

    run(check())


def test_its_own_directory_goes_with_it_and_what_a_killed_server_left_goes_at_the_start(
    tmp_path: Path,
) -> None:
    source = """
        import os, pathlib
        def handler(event, context):
            (pathlib.Path(os.environ["TMPDIR"]) / "file").write_text("x")
            return os.environ["TMPDIR"]
    """

    async def check() -> None:
        async with rig(tmp_path) as it:
            (it.root / "worker-old").mkdir(parents=True)
            (it.root / "mine").touch()
            own = Path(await it.call(it.python(source)))
            assert (own / "file").exists()
            assert sorted(each.name for each in it.root.iterdir()) == ["mine", own.name]
            it.pool.retire("thing")
            async with asyncio.timeout(DEADLINE_SECONDS):
                while own.exists():
                    await asyncio.sleep(0.005)
            shutil.rmtree(it.root)

    run(check())


def test_without_a_directory_for_workers_none_is_started_until_there_is_one(
    tmp_path: Path,
) -> None:
    async def check() -> None:
        (tmp_path / "workers").touch()
        async with rig(tmp_path) as it:
            spec = it.python(PID)
            with pytest.raises(NotInvoked, match="no directory") as refused:
                await it.call(spec)
            assert refused.value.reason == "unavailable"
            it.root.unlink()
            assert await it.call(spec) > 0

    run(check())


def test_where_no_thread_is_left_the_invocation_is_refused_and_no_worker_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def check() -> None:
        async with rig(tmp_path) as it:
            spec = it.python(PID)
            with monkeypatch.context() as patch:

                def full(*_: object) -> None:
                    raise RuntimeError("can't start new thread")

                patch.setattr(worker, "WorkerProcess", full)
                with pytest.raises(NotInvoked, match="can't start new thread") as refused:
                    await it.call(spec)
            assert refused.value.reason == "unavailable"
            assert it.pool.workers == 0
            assert "A worker could not be started" in caplog.text
            assert await it.call(spec) > 0

    run(check())


def test_what_no_process_can_be_given_is_told_at_once(tmp_path: Path) -> None:
    async def check() -> None:
        async with rig(tmp_path) as it:
            spec = it.python(PID, environment={"NAME": "a\0b"})
            with pytest.raises(NotInvoked, match="embedded null byte") as refused:
                await it.call(spec)
            assert refused.value.reason == "unavailable"
            async with asyncio.timeout(30):  # its directory goes after the answer
                while list(it.root.glob("worker-*")):
                    await asyncio.sleep(0.01)
            assert await it.call(it.python(PID, "next"))

    run(check())


def test_relative_directories_are_those_of_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    async def check() -> None:
        async with rig(Path("below")) as it:
            source = "import os\ndef handler(e, c): return [os.getcwd(), os.environ['TMPDIR']]"
            spec = it.python(source)
            code, own = await it.call(spec)
            assert code == str(tmp_path / spec.code)
            assert Path(own).parent == tmp_path / "below" / "workers"
            boot = it.bootstrap("#!/bin/sh\nexit 7\n", "boot")
            assert "exit status 7" in (await it.fail(boot))["errorMessage"]

    run(check())


def test_a_handler_is_told_its_context(tmp_path: Path) -> None:
    source = """
        def handler(event, context):
            return [context.aws_request_id, context.invoked_function_arn, context.function_name,
                    context.function_version, context.memory_limit_in_mb, context.log_group_name,
                    context.client_context.custom, event]
    """

    async def check() -> None:
        async with rig(tmp_path) as it:
            spec = it.python(source)
            aliased = spec._replace(arn=f"{spec.arn}:live")
            context = b'{"custom":{"a":"b"}}'
            for each in (spec, aliased):
                told = await it.call(each, {"é": 1}, request_id="id-1", client_context=context)
                assert told == [
                    "id-1",
                    each.arn,
                    "thing",
                    "$LATEST",
                    "128",
                    "/aws/lambda/thing",
                    {"a": "b"},
                    {"é": 1},
                ]
            assert it.pool.workers == 1

    run(check())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_worker_that_is_signalled_with_its_server_has_not_failed(
    tmp_path: Path, number: signal.Signals
) -> None:
    source = f"""
        import os, signal, time

        def handler(event, context):
            signal.signal({number.value}, signal.SIG_DFL)
            os.kill(os.getpid(), {number.value})
            time.sleep(60)
    """

    async def check() -> None:
        async with rig(tmp_path) as it:
            spec = it.python(source)
            error = await it.fail(spec)
            assert error["errorType"] == "Runtime.ExitError"  # nobody but itself
            under_way = asyncio.create_task(it.call(spec))
            await asyncio.sleep(0)
            it.pool.leave()  # as where a service manager signals all processes of a service
            with pytest.raises(NotInvoked, match="stopping"):
                await under_way
            assert it.pool.workers == 0

    run(check())
