"""A small client of Lambda's API that repeats no request, and functions that keep a journal."""

import base64
import http.client
import io
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

from fault.raw_client import NoAnswer

ROLE = "arn:aws:iam::000000000000:role/any"
_FUNCTIONS = "/2015-03-31/functions"
_MAPPINGS = "/2015-03-31/event-source-mappings"
_HEADERS = {
    "Content-Type": "application/json",
    "X-Amz-Date": "20261001T120000Z",
    "Authorization": (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261001/us-east-1/lambda/aws4_request,"
        " SignedHeaders=host;x-amz-date, Signature=0a1b2c"
    ),
}
_SECONDS_MAX = 30.0


class LambdaRefused(Exception):
    """The server answered with an error."""

    def __init__(self, status: int, kind: str, body: bytes) -> None:
        super().__init__(f"{status} {kind} {body.decode('utf-8', 'replace')}")
        self.status = status
        self.kind = kind


class LambdaClient:
    """Asks the server at a port, on a new connection each time."""

    def __init__(self, port: int) -> None:
        self._port = port

    def create_function(self, name: str, journal: Path, **environment: str) -> None:
        """Make a function of `journaling_function.py`."""
        self._ask(
            "POST",
            _FUNCTIONS,
            FunctionName=name,
            Runtime=f"python{sys.version_info[0]}.{sys.version_info[1]}",
            Role=ROLE,
            Handler="journaling_function.handler",
            Timeout=60,
            Code={"ZipFile": base64.b64encode(_code()).decode()},
            Environment={"Variables": {"JOURNAL": str(journal), **environment}},
        )

    def create_mapping(self, function: str, stream: str, **settings: Any) -> str:
        """Let a function have all records of a stream; return the mapping's UUID."""
        answer = self._ask(
            "POST",
            _MAPPINGS,
            FunctionName=function,
            EventSourceArn=stream,
            StartingPosition="TRIM_HORIZON",
            **settings,
        )
        uuid: str = answer["UUID"]
        return uuid

    def state(self, uuid: str) -> str | None:
        """Return the state of a mapping, None where it is no more."""
        try:
            return str(self._ask("GET", f"{_MAPPINGS}/{uuid}")["State"])
        except LambdaRefused as refused:
            if refused.status == http.client.NOT_FOUND:
                return None
            raise

    def update_mapping(self, uuid: str, **settings: Any) -> None:
        """Change a mapping."""
        self._ask("PUT", f"{_MAPPINGS}/{uuid}", **settings)

    def delete_mapping(self, uuid: str) -> None:
        """Take a mapping away."""
        self._ask("DELETE", f"{_MAPPINGS}/{uuid}")

    def _ask(self, method: str, path: str, **members: Any) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_SECONDS_MAX)
        try:
            body = json.dumps(members) if members else None
            connection.request(method, path, body, _HEADERS)
            response = connection.getresponse()
            data = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer(str(error)) from error
        finally:
            connection.close()
        if response.status >= http.client.BAD_REQUEST:
            raise LambdaRefused(response.status, response.getheader("x-amzn-ErrorType", ""), data)
        answer: dict[str, Any] = json.loads(data or b"{}")
        return answer


def _code() -> bytes:
    """Return the zip file of the function."""
    source = Path(__file__).with_name("journaling_function.py")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(source.name, source.read_bytes())
    return file.getvalue()
