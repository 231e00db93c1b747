"""A table of many items, so that the same load can be measured on small and on large ones."""

from bench.filling import Progress, create_table, switch_stream_on, write_batches

__all__ = ["fill", "switch_stream_on"]


def fill(
    host: str,
    port: int,
    table: str,
    items: int,
    progress: Progress | None = None,
) -> None:
    """Make a table of `items` items of 500 bytes.

    Keys are `key-%010d`, from 0 on, without a gap. There is no stream yet, which would have a
    record of every item: `switch_stream_on` gives it one.
    """
    create_table(host, port, table, streamed=False)
    write_batches(host, port, table, range(items), max(items, 1), progress)
