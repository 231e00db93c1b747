"""The catalogue of functions: how a function is found, made and changed.

Every function works inside a transaction or a snapshot of its caller's; who writes holds
`function_lock`. A function lives in the region that the request was signed for.
"""

from collections.abc import Iterator

from penstock.base import limits
from penstock.functions.function import Function, decode_function, function_key
from penstock.storage.waist import Reader, Span


def functions(reader: Reader, region: str, after: str = "") -> Iterator[Function]:
    """Yield the functions of a region with names above `after`, in byte order."""
    span = Span.of_prefix(function_key(region))
    if after:
        span = Span(function_key(region, after) + b"\0", span.end)
    while rows := reader.scan(span, limits.scan_rows_max):
        for _, stored in rows:
            yield decode_function(stored)
        span = Span(rows[-1][0] + b"\0", span.end)
