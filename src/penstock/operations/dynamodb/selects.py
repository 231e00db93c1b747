"""How a SELECT is read: where its items stand, in which order, and a page of them.

A SELECT that names partitions reads those and nothing else, each from the first sort key that it
can be about to the last; any other reads all there is. What is read is then asked the whole WHERE.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple

from penstock.base import limits
from penstock.base.errors import dynamodb, partiql
from penstock.items.expressions import KeyRange, Prepared, Projection
from penstock.items.expressions.paths import tree_of
from penstock.items.partiql import Select, key_ranges
from penstock.items.values import Item
from penstock.operations.dynamodb import capacity, pages
from penstock.operations.dynamodb.reads import check_scalar_keys
from penstock.operations.dynamodb.statements import Bound, shown
from penstock.operations.operation import Context
from penstock.storage.waist import Reader, Span
from penstock.tables.read import ItemPage, beyond, read_page
from penstock.tables.source import Source
from penstock.tables.stored_item import StoredItem


class Place(NamedTuple):
    """Where a page goes on: in which of the spans, and after which key; None at its beginning."""

    span: int
    after: Item | None


class Way(NamedTuple):
    """The spans that are read one after the other, and in which direction each.

    `is_filter` says that the WHERE holds for all that is in them.
    """

    spans: list[Span]
    backward: bool
    limit: int | None
    is_filter: bool = False


class Read(NamedTuple):
    """A page, and how many spans it was read from."""

    page: ItemPage
    spans: int


class SelectPage(NamedTuple):
    """A page of a SELECT: the rows, where the next one begins, and what it consumed."""

    rows: list[Any]
    next: Place | None
    consumed: capacity.Consumed


def read_select(
    context: Context, asked: Bound, select: Select, limit: int | None, start: Place
) -> SelectPage:
    """Return the page of `select` that begins at `start`.

    Raises ResourceNotFoundException, and ValidationException for what the table cannot answer, or
    where `start` is no place of this SELECT.
    """
    table = context.tables.table(context.region, asked.table)
    consistent = asked.request.get("ConsistentRead", False)
    index = {} if select.index is None else {"IndexName": select.index}
    source = pages.source_of(table, {**index, "ConsistentRead": consistent})
    prepared = Prepared(filter=select.condition(asked.values), projection=_projection(select))
    for expression in (prepared.projection, prepared.filter):
        if expression is not None:
            check_scalar_keys(table, expression.nested)
    fetching = pages.needs_items(source, None, prepared)
    way = _way(source, asked, select, limit)
    spans = _spans_after(source, way, start)

    def read(reader: Reader) -> Read:
        fetch = partial(source.fetch, reader) if fetching else None
        keep = None if prepared.filter is None or way.is_filter else prepared.filter.holds
        return _read_spans(spans, way.limit, partial(_read_page, reader, way.backward, keep, fetch))

    context.tables.check_read(table, source.index)
    page, spans_read = context.tables.read(read)
    consumed = capacity.of_page(source, page, consistent=consistent)
    capacity.charge(context, "read", [(asked.table, consumed)])
    return SelectPage(
        [shown(select, item) for item in page.items],
        _next(source, page, start.span + spans_read, len(way.spans)),
        consumed,
    )


def _read_page(
    reader: Reader,
    backward: bool,
    keep: Callable[[Item], bool] | None,
    fetch: Callable[[StoredItem], StoredItem] | None,
    span: Span,
    limit: int | None,
) -> ItemPage:
    return read_page(reader, span, limit, backward=backward, keep=keep, fetch=fetch)


def _read_spans(
    spans: Iterable[Span], limit: int | None, read: Callable[[Span, int | None], ItemPage]
) -> Read:
    """Return one page of several spans; it ends where the limits of one do, or with all spans."""
    whole = ItemPage([], 0, 0, None, [])
    count = 0
    for span in spans:
        page = read(span, None if limit is None else limit - whole.scanned)
        count += 1
        whole = ItemPage(
            whole.items + page.items,
            whole.scanned + page.scanned,
            whole.size + page.size,
            page.last,
            whole.fetched + page.fetched,
        )
        if page.last is not None or whole.size > limits.page_bytes_max:
            break
    return Read(whole, count)


def last_key(place: Place | None) -> dict[str, Any]:
    """Return the LastEvaluatedKey member of an answer, where there is one."""
    return {} if place is None or place.after is None else {"LastEvaluatedKey": place.after}


def _projection(select: Select) -> Projection | None:
    """Return what the columns read, for those who ask what of an item is read at all."""
    if select.columns is None:
        return None
    leaves = [(column.elements, None) for column in select.columns]
    return Projection(tree_of("ProjectionExpression", leaves))


def _next(source: Source, page: ItemPage, done: int, spans: int) -> Place | None:
    """Return where the next page begins, of which `done` spans were read, the last one in part."""
    if page.last is not None:
        item = page.last.item()
        return Place(done - 1, {name: item[name] for name in source.place_names})
    return Place(done, None) if done < spans else None


def _spans_after(source: Source, way: Way, start: Place) -> list[Span]:
    """Return the spans that are left from `start` on; ValidationException where it is no place."""
    if start.span >= len(way.spans):
        if start == Place(0, None):  # a condition that nothing can satisfy
            return []
        raise partiql.token_invalid()
    first, *others = way.spans[start.span :]
    if start.after is not None:
        if start.after.keys() != set(source.place_names):
            raise partiql.token_invalid()
        key = source.prefix + source.place(start.after).suffix
        first = beyond(first, key, way.backward)
    return [first, *others]


def _way(source: Source, asked: Bound, select: Select, limit: int | None) -> Way:
    """Return the spans to read; ValidationException for an order that they cannot be read in."""
    names = source.schema.names
    for key in select.order:
        if key.name not in names:
            raise partiql.order_of_other(key.name)
    found = None
    if select.where is not None:
        found = key_ranges(source.schema, select.where.node, asked.values)
    if found is None:
        if select.order:
            raise partiql.order_without_partition()
        return Way([source.span], backward=False, limit=limit)
    by_partition = _by_partition(source, found.ranges)
    groups = _ordered(source, select, by_partition)
    backward = _is_backward(source, select, len(groups))
    if len(groups) > 1:  # AWS developer guide, 2026-10: such answers come in pages of 10
        most = limits.partiql_partitions_page_items_max
        limit = most if limit is None else min(limit, most)
    spans = [span for group in groups for span in (reversed(group) if backward else group)]
    return Way(spans, backward, limit, found.are_all)


def _by_partition(source: Source, ranges: Iterable[KeyRange]) -> dict[bytes, list[Span]]:
    """Return the spans of each partition in key order and apart, partitions as they are named."""
    found: dict[bytes, list[Span]] = {}
    for each in ranges:
        partition = source.partition_bytes(each.partition)
        found.setdefault(partition, []).append(source.query(each))
    return {partition: _apart(spans) for partition, spans in found.items()}


def _apart(spans: Iterable[Span]) -> list[Span]:
    """Return the spans that cover the same keys, in key order, and no key twice."""
    apart: list[Span] = []
    for span in sorted(spans):
        if span.start >= span.end:
            continue
        if apart and span.start < apart[-1].end:
            before = apart.pop()
            apart.append(Span(before.start, max(before.end, span.end)))
        else:
            apart.append(span)
    return apart


def _ordered(
    source: Source, select: Select, by_partition: dict[bytes, list[Span]]
) -> list[list[Span]]:
    """Return each partition's spans: as they are named, or by the partition key's value."""
    partition_names = {attribute.name for attribute in source.schema.partition}
    keys = [key for key in select.order if key.name in partition_names]
    if not keys:
        return list(by_partition.values())
    descending = keys[0].descending
    return [by_partition[key] for key in sorted(by_partition, reverse=descending)]


def _is_backward(source: Source, select: Select, partitions: int) -> bool:
    """Say whether sort keys are read downwards.

    ValidationException for an order that would mix partitions, or the directions of a sort key.
    """
    sort_names = {attribute.name for attribute in source.schema.sort}
    keys = [key for key in select.order if key.name in sort_names]
    if not keys:
        return False
    if partitions > 1 and select.order[0] in keys:
        raise dynamodb.not_yet("ORDER BY a sort key across several partitions")
    if len({key.descending for key in keys}) > 1:
        raise dynamodb.not_yet("ORDER BY in several directions")
    return keys[0].descending
