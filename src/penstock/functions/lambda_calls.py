"""Invoke at an endpoint of Lambda's API, by boto3, whose calls block: each on a thread.

boto3 is loaded with the first such call: who has no such function never loads it.
"""

import asyncio
import base64
import ipaddress
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from penstock.base import limits
from penstock.functions.invoker import FunctionError, NotInvoked, Outcome
from penstock.functions.remote_function import LambdaFunction
from penstock.functions.remote_outcome import (
    function_error,
    log_tail,
    no_outcome,
    too_large,
)

_LOOPBACK_REGION = "us-east-1"
_REFUSED_FOR_GOOD = {
    "InvalidRequestContentException",
    "RequestEntityTooLargeException",
    "RequestTooLargeException",
}
"""Refusals of this payload, which no other try would change."""


class LambdaCalls:
    """Invocations of functions at any endpoints of Lambda's API."""

    def __init__(self, seconds_max: float) -> None:
        self._seconds_max = seconds_max
        self._threads = ThreadPoolExecutor(limits.remote_invocations_max, "penstock-lambda")
        self._is_closed = False
        self._guard = threading.Lock()
        self._clients: dict[tuple[str | None, str | None], Any] = {}

    async def invoke(
        self,
        function: LambdaFunction,
        qualifier: str | None,
        payload: bytes,
        *,
        tail: bool,
        client_context: bytes | None,
    ) -> Outcome:
        """Return what came of one synchronous Invoke; NotInvoked where the function did not run."""
        parameters: dict[str, Any] = {
            "FunctionName": function.name,
            "InvocationType": "RequestResponse",
            "LogType": "Tail" if tail else "None",
            "Payload": payload,
        }
        if (asked := qualifier or function.qualifier) is not None:
            parameters["Qualifier"] = asked
        if client_context is not None:
            parameters["ClientContext"] = base64.b64encode(client_context).decode()
        if self._is_closed:
            text = f"{function} is not invoked any more: the process stops"
            raise NotInvoked("unavailable", text)
        future = asyncio.get_running_loop().run_in_executor(
            self._threads, self._perform, function, parameters
        )
        try:  # not `asyncio.timeout`: an action may be under way outside of any task
            ended, _ = await asyncio.wait((future,), timeout=self._seconds_max)
            return future.result() if ended else _late(function, self._seconds_max)
        finally:
            future.cancel()

    def close(self) -> None:
        """Begin no more, safe twice; threads end with the calls that they have under way."""
        self._is_closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)

    # --- on a thread of the pool

    def _perform(self, function: LambdaFunction, parameters: dict[str, Any]) -> Outcome:
        from botocore.exceptions import (  # noqa: PLC0415 - see above
            BotoCoreError,
            ClientError,
            ReadTimeoutError,
        )

        try:
            client = self._client(function)
            answer = client.invoke(**parameters)
            payload = answer["Payload"].read(limits.function_answer_bytes_max + 1)
        except ReadTimeoutError:
            return _late(function, self._seconds_max)
        except ClientError as failure:
            return _refused(function, failure.response)
        except BotoCoreError as failure:
            text = " ".join(f"{function}: {failure}".split())
            raise NotInvoked("unavailable", text) from failure
        if len(payload) > limits.function_answer_bytes_max:
            return too_large(str(function))
        error: FunctionError | None = function_error(answer.get("FunctionError"))
        return Outcome(
            payload or b"null",
            error,
            answer.get("ExecutedVersion") or "$LATEST",
            answer["StatusCode"],
            log_tail(answer.get("LogResult")),
        )

    def _client(self, function: LambdaFunction) -> Any:
        """Return the client of an endpoint; clients may be used by threads, sessions may not."""
        place = (function.endpoint, function.region)
        with self._guard:
            if place not in self._clients:
                self._clients[place] = _make_client(*place, self._seconds_max)
            return self._clients[place]


def _make_client(endpoint: str | None, region: str | None, seconds_max: float) -> Any:
    """Return a client; for this machine's loopback address without asking around for credentials.

    A proxy cannot reach that address, and what listens there seldom cares who signs.
    """
    import boto3  # noqa: PLC0415 - see above
    import botocore.session  # noqa: PLC0415 - see above
    from botocore.config import Config  # noqa: PLC0415 - see above

    config: dict[str, Any] = {
        "connect_timeout": limits.remote_connect_seconds_max,
        "read_timeout": seconds_max,
        "retries": {"mode": "standard", "total_max_attempts": 1},  # whoever invokes tries again
        "max_pool_connections": limits.remote_invocations_max,
        "tcp_keepalive": True,
    }
    core = botocore.session.get_session()
    if endpoint is not None and _is_loopback(endpoint):
        config["proxies"] = {}
        core.get_component("credential_provider").remove("iam-role")
        if core.get_credentials() is None:
            core.set_credentials("local", "local")
        region = region or core.get_config_variable("region") or _LOOPBACK_REGION
    make: Any = boto3.Session(botocore_session=core).client  # any service, not only of the stubs
    return make("lambda", endpoint_url=endpoint, region_name=region, config=Config(**config))


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _refused(function: LambdaFunction, response: Any) -> Outcome:
    error = response.get("Error", {})
    code, status = str(error.get("Code", "")), response["ResponseMetadata"]["HTTPStatusCode"]
    text = " ".join(f"{function}: {code}: {error.get('Message', '')}".split())
    if status == 429:
        raise NotInvoked("throttled", text)
    if code == "ResourceNotFoundException":
        raise NotInvoked("missing", text)
    if code in _REFUSED_FOR_GOOD:
        return no_outcome(code, text, status)
    raise NotInvoked("unavailable", text)


def _late(function: LambdaFunction, seconds_max: float) -> Outcome:
    text = f"{function} did not answer within {seconds_max:g} s"
    return no_outcome("Sandbox.Timedout", text, 200)
