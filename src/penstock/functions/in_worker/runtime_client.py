"""What the compiled half of AWS's Python client does, where there is none of it for a platform.

On macOS `awslambdaric` has no `runtime_client`; the launcher gives it this one. It is run in the
worker, by its interpreter, and takes the standard library alone.
"""

import http.client
import os

_DEADLINE = "Lambda-Runtime-Deadline-Ms"
_PATH = "/2018-06-01/runtime/invocation/"
_state = {"agent": ""}
_connections: "list[http.client.HTTPConnection]" = []


def initialize_client(user_agent: str) -> None:
    """Know how to name the client."""
    _state["agent"] = user_agent


def next() -> "tuple[bytes, dict[str, object]]":  # noqa: A001 - its name in the compiled half
    """Wait for an invocation; return its event and its headers."""
    status, headers, body = _ask("GET", "next", None, {})
    if status != http.client.OK:
        raise RuntimeError(f"Failed to get next, response code: {status}")
    return body, {**headers, _DEADLINE: int(headers[_DEADLINE])}


def post_invocation_result(
    request_id: str, body: bytes, content_type: str, invocation_id: "str | None" = None
) -> None:
    """Tell what the function has answered."""
    del invocation_id  # of workers with several invocations at once, which there are none here
    _post(f"{request_id}/response", body, {"Content-Type": content_type})


def post_error(
    request_id: str, error: str, xray_fault: str, invocation_id: "str | None" = None
) -> None:
    """Tell what the function has failed with; its error is a JSON object."""
    del invocation_id
    headers = {
        "Content-Type": "application/json",
        "Lambda-Runtime-Function-Error-Type": "Unhandled",
        "Lambda-Runtime-Function-XRay-Error-Cause": xray_fault.encode("ascii", "ignore").decode(),
    }
    _post(f"{request_id}/error", error.encode(), headers)


def _post(path: str, body: bytes, headers: "dict[str, str]") -> None:
    status, _, _ = _ask("POST", path, body, headers)
    if status != http.client.ACCEPTED:
        raise RuntimeError(f"Failed to post invocation response, response code: {status}")


def _ask(
    method: str, path: str, body: "bytes | None", headers: "dict[str, str]"
) -> "tuple[int, dict[str, str], bytes]":
    if not _connections:
        _connections.append(http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"]))
    connection = _connections[0]
    connection.request(method, _PATH + path, body, {"User-Agent": _state["agent"], **headers})
    response = connection.getresponse()
    return response.status, dict(response.headers.items()), response.read()
