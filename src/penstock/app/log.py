"""The log of a server: one line on stderr for each event, its fields behind the static text."""

import logging
from logging import LogRecord

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class FieldsFormatter(logging.Formatter):
    """Writes `time level text name=value ...`, then the trace of an exception if there is one."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")

    def formatMessage(self, record: LogRecord) -> str:  # noqa: N802 - logging's own name
        """Return the line of `record`; fields are what the caller gave as `extra`."""
        fields = (f" {name}={value!r}" for name, value in vars(record).items() if name not in _OWN)
        return super().formatMessage(record) + "".join(fields)


def log_to_stderr() -> None:
    """Write what is logged at INFO and above to stderr."""
    handler = logging.StreamHandler()
    handler.setFormatter(FieldsFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
