"""What the runtimes of functions run on: which interpreter, what is missing, and what is told."""

import importlib.util
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from penstock.functions.invoker import NotInvoked
from penstock.functions.runtimes import CannotRun, Runtimes
from unit.functions.node_client import ALL_SECONDS_MAX, compiled_client
from unit.functions.worker_rig import Rig, own_runtime, rig, run

needs_client = pytest.mark.skipif(
    importlib.util.find_spec("awslambdaric") is None,
    reason="AWS's client for Python has no wheel for this platform",
)


def script(path: Path, text: str) -> Path:
    path.write_text(dedent(text))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@needs_client
def test_a_python_that_is_not_here_is_told_and_replaced_by_the_servers_own(tmp_path: Path) -> None:
    async def check() -> None:
        async with rig(tmp_path) as it:
            spec = it.python("def handler(e, c): return e", runtime="python3.5")
            assert await it.call(spec, 1) == 1
            own = own_runtime().removeprefix("python")
            assert it.logs.lines[1] == (
                "[penstock] There is no python3.5 with awslambdaric on PATH:"
                f" this function runs on Python {own}"
            )

    run(check())


@needs_client
def test_a_python_on_path_that_has_the_client_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another version is played by a program of its name that says it is one."""
    script(
        tmp_path / "python3.5",
        f"""\
        #!{sys.executable}
        import os, sys
        if sys.argv[1] == "-c":
            print('["{tmp_path}/python3.5", "3.5", "/nowhere"]')
        else:
            os.environ["RAN_BY"] = "3.5"
            os.execv({sys.executable!r}, [{sys.executable!r}, *sys.argv[1:]])
        """,
    )
    monkeypatch.setenv("PATH", str(tmp_path))

    async def check() -> None:
        async with rig(tmp_path / "rig") as it:
            source = "import os\ndef handler(e, c): return os.environ['RAN_BY']"
            assert await it.call(it.python(source, runtime="python3.5")) == "3.5"

    # The launcher ends where its parent is another than it was told; `exec` keeps the process.
    run(check())


@pytest.mark.parametrize("said", ["", "[]", '["/p", "3.6", "/f"]', "not json"])
def test_a_python_that_says_something_else_is_not_taken(tmp_path: Path, said: str) -> None:
    script(tmp_path / "python3.5", f"#!/bin/sh\necho '{said}'\n")
    runtimes = Runtimes(str(tmp_path))
    command = runtimes.command(Rig(tmp_path).python("", runtime="python3.5"))
    assert command.program == sys.executable


@needs_client
def test_the_client_works_without_its_compiled_half(tmp_path: Path) -> None:
    """As on macOS. The function's own directory stands for an interpreter without it."""
    source = """
        import sys
        assert "runtime_client" in sys.modules
        assert sys.modules["runtime_client"].__file__.endswith("in_worker/runtime_client.py")
        def handler(event, context):
            if event == "fail":
                raise ValueError("no")
            return [event, context.aws_request_id, context.get_remaining_time_in_millis() > 0]
    """

    async def check() -> None:
        async with rig(tmp_path) as it:
            hidden = "raise ImportError('none for this platform')"
            spec = it.function({"app.py": source, "runtime_client.py": hidden})
            assert await it.call(spec, "é" * 100_000, request_id="id-1") == [
                "é" * 100_000,
                "id-1",
                True,
            ]
            assert (await it.fail(spec, "fail"))["errorType"] == "ValueError"
            assert await it.call(spec, 1, request_id="id-2") == [1, "id-2", True]
            error = await it.fail(spec, "x" * 5 * 1024 * 1024 + "\U0001f600" * 400_000)
            assert error["errorType"] == "Function.ResponseSizeTooLarge"

    run(check())


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is absent")
def test_a_bootstrap_in_a_shell_serves_one_invocation_after_the_other(tmp_path: Path) -> None:
    source = """#!/bin/sh
        set -eu
        url=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime
        cd "$TMPDIR"
        while true; do
            curl -sS -D headers -o event "$url/invocation/next"
            id=$(tr -d '\\r' <headers | sed -n 's/^Lambda-Runtime-Aws-Request-Id: //p')
            echo "had $(cat event)"
            if [ "$(cat event)" = '"fail"' ]; then
                curl -sS -H 'Lambda-Runtime-Function-Error-Type: My.Error' -o answer \\
                    -d '{"errorType":"My.Error","errorMessage":"no"}' "$url/invocation/$id/error"
            else
                curl -sS -o answer --data-binary @event "$url/invocation/$id/response"
            fi
        done
    """

    async def check() -> None:
        async with rig(tmp_path) as it:
            spec = it.bootstrap(source)
            assert await it.call(spec, {"a": 1}) == {"a": 1}
            assert await it.fail(spec, "fail") == {"errorType": "My.Error", "errorMessage": "no"}
            assert await it.call(spec, 2) == 2
            assert it.pool.workers == 1
            assert 'had {"a":1}' in it.logs.lines

    run(check())


@pytest.mark.parametrize("mode", [None, 0o644])
def test_a_bootstrap_that_is_not_there_or_no_program_fails_as_on_aws(
    tmp_path: Path, mode: int | None
) -> None:
    async def check() -> None:
        async with rig(tmp_path) as it:
            spec = it.bootstrap("#!/bin/sh\n")
            path = spec.code / "bootstrap"
            path.unlink() if mode is None else path.chmod(mode)
            text = f"Couldn't find valid bootstrap(s): [{path}]"
            assert await it.fail(spec, request_id="id-1") == {
                "errorType": "Runtime.InvalidEntrypoint",
                "errorMessage": f"RequestId: id-1 Error: {text}",
            }
            assert it.pool.workers == 0

    run(check())


def test_a_bootstrap_that_can_not_be_run_ends_as_one_that_exits(tmp_path: Path) -> None:
    async def check() -> None:
        async with rig(tmp_path) as it:
            error = await it.fail(it.bootstrap("#!/nowhere/at/all\n"), request_id="id-1")
            assert error["errorType"] == "Runtime.ExitError"
            assert any("No such file or directory" in line for line in it.logs.lines)

    run(check())


def test_code_that_has_gone_is_not_run(tmp_path: Path) -> None:
    async def check() -> None:
        async with rig(tmp_path) as it:
            spec = it.python("def handler(e, c): return e")
            shutil.rmtree(spec.code)
            with pytest.raises(NotInvoked, match="could not be started") as refused:
                await it.call(spec)
            assert refused.value.reason == "unavailable"

    run(check())


@pytest.mark.parametrize(
    ("runtime", "text"),
    [
        ("java21", "nothing to run java21 on"),
        ("python2.7", "nothing to run python2.7 on"),
        ("nodejs20.x", "need node on PATH"),
    ],
)
def test_what_can_not_run_here_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime: str, text: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    async def check() -> None:
        async with rig(tmp_path) as it:
            with pytest.raises(NotInvoked, match=text) as refused:
                await it.call(it.python("", runtime=runtime))
            assert refused.value.reason == "unavailable"
            assert it.pool.workers == 0

    run(check())


def test_without_awss_client_for_python_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    async def check() -> None:
        async with rig(tmp_path) as it:
            with pytest.raises(NotInvoked, match=r"install penstock\[functions\]"):
                await it.call(it.python(""))

    run(check())


@needs_client
def test_awss_client_for_python_is_found_once_it_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtimes = Runtimes(str(tmp_path))
    spec = Rig(tmp_path).python("", runtime=own_runtime())
    with monkeypatch.context() as absent:
        absent.setattr(importlib.util, "find_spec", lambda name: None)
        with pytest.raises(CannotRun):
            runtimes.command(spec)
    assert runtimes.command(spec).program == sys.executable


def node_program(folder: Path) -> None:
    script(folder / "node", "#!/bin/sh\necho v99.1.0\n")


def client_at(folder: Path) -> Path:
    path = folder / "aws-lambda-ric" / "bin" / "index.mjs"
    path.parent.mkdir(parents=True)
    path.touch()
    return path


def test_the_client_for_node_is_the_settings_the_functions_or_npms(tmp_path: Path) -> None:
    node_program(tmp_path)
    it = Rig(tmp_path / "rig")
    spec = it.function({}, runtime="nodejs20.x")
    with pytest.raises(Exception, match="need aws-lambda-ric"):
        Runtimes(str(tmp_path)).command(spec)
    (tmp_path / "global").mkdir()
    script(tmp_path / "npm", f"#!/bin/sh\necho {tmp_path}/global\n")
    shared = client_at(tmp_path / "global")
    assert str(shared) in Runtimes(str(tmp_path)).command(spec).rest
    own = client_at(spec.code / "node_modules")
    command = Runtimes(str(tmp_path)).command(spec)
    assert command.rest == (
        str(tmp_path / "node"),
        "--max-old-space-size=115",
        str(own),
        "app.handler",
    )
    assert command.notice == ("Node 20 is not the node on PATH: this function runs on Node 99")
    set_up = client_at(tmp_path / "set" / "node_modules")
    for each in (set_up, set_up.parents[1], set_up.parents[2], set_up.parents[3]):
        assert str(set_up) in Runtimes(str(tmp_path), each).command(spec).rest
    with pytest.raises(Exception, match="--node-ric: there is no aws-lambda-ric at"):
        Runtimes(str(tmp_path), tmp_path / "nowhere").command(spec)


@pytest.mark.slow
@pytest.mark.timeout(ALL_SECONDS_MAX)
def test_node_runs_with_awss_own_client(tmp_path: Path) -> None:
    client = compiled_client()
    major = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    runtime = f"nodejs{major.stdout.lstrip('v').split('.')[0]}.x"
    source = """
        exports.handler = async (event, context) => {
            console.log("had", event);
            if (event === "fail") throw new TypeError("no");
            if (event === "exit") process.exit(3);
            if (event === "fill") for (const kept = []; ; ) kept.push(Buffer.alloc(1e6, 1));
            return [event, context.awsRequestId, context.getRemainingTimeInMillis() > 0];
        };
    """

    async def check() -> None:
        async with rig(tmp_path, node_ric=client) as it:
            spec = it.function({"app.js": source}, runtime=runtime)
            assert await it.call(spec, {"a": "é"}, request_id="id-1") == [{"a": "é"}, "id-1", True]
            assert any(line.endswith("\tid-1\tINFO\thad { a: 'é' }") for line in it.logs.lines)
            error = await it.fail(spec, "fail")
            assert (error["errorType"], error["errorMessage"]) == ("TypeError", "no")
            assert await it.call(spec, 2, request_id="id-2") == [2, "id-2", True]
            assert it.pool.workers == 1
            error = await it.fail(spec, "exit", request_id="id-3")
            assert error["errorMessage"] == (
                "RequestId: id-3 Error: Runtime exited with error: exit status 3"
            )
            if sys.platform == "linux":
                assert (await it.fail(spec, "fill"))["errorType"] == "Runtime.OutOfMemory"
            missing = it.function({}, "empty", runtime=runtime)
            assert (await it.fail(missing))["errorType"] == "Runtime.ImportModuleError"

    run(check())
