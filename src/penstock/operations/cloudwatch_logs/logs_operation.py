"""How CloudWatch Logs tells what is wrong with a request: by errors of its own names."""

from collections.abc import Coroutine
from typing import Any

from penstock.base.errors import logs
from penstock.base.errors.api import ApiError
from penstock.operations.operation import Context, Operation
from penstock.wire.sigv4 import Caller

_NAMES = {
    "ValidationException": logs.invalid_parameter,
    "SerializationException": logs.serialization,
}


class LogsOperation(Operation):
    """One action of CloudWatch Logs."""

    def call(self, caller: Caller, body: dict[str, Any]) -> Coroutine[Any, Any, dict[str, Any]]:
        try:
            request = self._shape.request(body)
        except ApiError as error:
            raise _NAMES[error.code](error.message or "") from None
        return self._run(Context(self._services, caller), request)
