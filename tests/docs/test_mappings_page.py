"""The page docs/mappings.md does what it says: its Python is run, and after it its commands."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from docs.page_reader import blocks
from penstock.testing.server import RunningServer
from wire.aws_cli import AWS
from wire.aws_lambda.mapping_requests import gone, settled

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "mappings.md").read_text("utf-8")
ENDPOINT = "http://127.0.0.1:8000"
(PYTHON,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
BEGIN, COMMANDS = blocks(PAGE, "From a table to a function")
_SECONDS_MAX = 100


def commands(block: str) -> str:
    """Return the shell's part of a block."""
    return re.sub(r"^\$ ", "", block, flags=re.MULTILINE)


def shell(script: str, directory: Path, **more: str) -> str:
    """Run commands in a directory, the `aws` of this environment among them; all have to work."""
    environment = {
        "PATH": f"{AWS.parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(directory),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
        **more,
    }
    done = subprocess.run(
        ["bash", "-euc", script],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS_MAX,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The function, the mapping by boto3, then everything by the command line."""
    serve, write = commands(BEGIN).split("\n", 1)
    assert serve == "penstock serve --data ./penstock-data"
    shell(write, tmp_path)
    monkeypatch.chdir(tmp_path)
    with RunningServer(data=tmp_path / "penstock-data") as server:
        made: dict[str, Any] = {}
        exec(PYTHON.replace(ENDPOINT, server.url), made)
        functions, uuid = made["functions"], made["mapping"]["UUID"]
        assert settled(functions, uuid)["State"] == "Enabled"
        functions.delete_event_source_mapping(UUID=uuid)
        gone(functions, uuid)
        functions.delete_function(FunctionName="ship")

        begin, update, delete = commands(COMMANDS).replace(ENDPOINT, server.url).rsplit("\naws ", 2)
        begin += '\necho "UUID=$(aws lambda list-event-source-mappings --query'
        begin += " 'EventSourceMappings[0].UUID' --output text)\""
        told = shell(begin, tmp_path)
        uuid = told.rpartition("UUID=")[2].strip()
        assert settled(functions, uuid)["State"] == "Enabled"
        exports = "\n".join(line for line in begin.split("\n") if line.startswith("export "))
        shell(f"{exports}\naws {update}".replace("UUID", uuid), tmp_path)
        assert settled(functions, uuid)["State"] == "Disabled"
        shell(f"{exports}\naws {delete}".replace("UUID", uuid), tmp_path)
        gone(functions, uuid)
