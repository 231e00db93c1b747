"""A reader that notes how many rows are asked of it at once."""

from penstock.storage.waist import Reader, Span


class NotingReader:
    """Reads from another reader and appends the limit of each scan to `asked`."""

    def __init__(self, reader: Reader, asked: list[int]) -> None:
        self._reader = reader
        self._asked = asked

    def get(self, key: bytes) -> bytes | None:
        """Return the value at `key`."""
        return self._reader.get(key)

    def scan(self, span: Span, limit: int, backward: bool = False) -> list[tuple[bytes, bytes]]:
        """Return at most `limit` pairs of `span`, and note it."""
        self._asked.append(limit)
        return self._reader.scan(span, limit, backward)
