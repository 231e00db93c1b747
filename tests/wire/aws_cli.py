"""The command line of AWS, pointed at a server under test."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

AWS = Path(sys.executable).parent / "aws"


class Aws:
    """The command line of AWS, pointed at one server; it notes which actions it was used for."""

    def __init__(self, url: str, home: Path) -> None:
        self._url = url
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_PAGER": "",
        }
        self.used: set[str] = set()

    def run(self, service: str, action: str, *arguments: Any) -> Any:
        """Return what `aws SERVICE ACTION ARGUMENTS` printed; it prints nothing for nothing."""
        self.used.add(f"{service} {action}")
        done = self._call(service, action, arguments)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return json.loads(done.stdout) if done.stdout else None

    def refused(self, service: str, action: str, *arguments: Any) -> str:
        """Return what such a command complains of, which must fail at the service."""
        done = self._call(service, action, arguments)
        assert done.returncode in (254, 255), done.stdout  # of its second and first version
        return done.stderr.strip()

    def _call(
        self, service: str, action: str, arguments: tuple[Any, ...]
    ) -> subprocess.CompletedProcess[str]:
        texts = [a if isinstance(a, str) else json.dumps(a) for a in arguments]
        command = [sys.executable, str(AWS), service, action, *texts, "--endpoint-url", self._url]
        return subprocess.run(
            command, env=self._environment, capture_output=True, text=True, check=False, timeout=100
        )

    def together(self, *calls: Callable[[], Any]) -> list[Any]:
        """Return what each of the calls returns, made side by side."""
        with ThreadPoolExecutor(4) as pool:
            return [made.result() for made in [pool.submit(call) for call in calls]]


def hyphenated(action: str) -> str:
    """Return an action's name as the command line spells it."""
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in action).lstrip("-")
