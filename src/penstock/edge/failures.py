"""What a client is told of an exception that ended its request: bugs are told apart here."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from penstock.base.errors.api import ApiError
from penstock.base.errors.engine import (
    EngineError,
    EngineFull,
    EngineUnavailable,
    TransactionConflict,
)

log = logging.getLogger(__name__)


def error_told(
    error: Exception,
    request: Mapping[str, Any],
    *,
    unavailable: Callable[[str], ApiError],
    internal: Callable[[], ApiError],
) -> ApiError:
    """Return the error that the client sees for `error`, made by the constructors of its service.

    What is not the client's to see is logged with the fields of `request`.
    """
    match error:
        case ApiError():
            return error
        case EngineUnavailable() | TransactionConflict():
            return unavailable("The store cannot answer now")
        case EngineFull():
            return unavailable("The store is full")
        case EngineError():  # it needs its operator, and no trace says more than its text
            log.error("The store failed a request", extra={**request, "error": str(error)})
        case _:  # the one place where a bug becomes a 500
            log.error("A request failed by a bug", extra=dict(request), exc_info=error)
    return internal()
