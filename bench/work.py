"""The requests that are measured: their tables, their bodies, and what a right answer holds.

Every workload walks over its keys in one random order, again and again, so that no two requests
under way touch the same item. Each walk writes other values than the one before: a write that
changes nothing would leave no stream record.
"""

import itertools
import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.api import Api, ApiError, Json, UnknownAction
from bench.trouble import Trouble

KEYS = 10_000
ITEM_BYTES = 500
BATCH_ITEMS = 25
TRANSACTION_ITEMS = 4
QUERY_ITEMS = 100
COLLECTIONS = 10
"""How many partition keys with 100 items each the queries go over."""

STREAMED = "Streamed"
PLAIN = "Plain"
LOADED = "Loaded"
RANGES = "Ranges"

_FILLER = "".join(chr(ord("a") + each % 26) for each in range(ITEM_BYTES))


@dataclass(frozen=True)
class Table:
    """A table that the work needs."""

    name: str
    streamed: bool
    sorted_by: str | None = None
    is_read: bool = False
    """Whether all of its items have to be there before the work begins."""


TABLES = {
    each.name: each
    for each in (
        Table(STREAMED, streamed=True),
        Table(PLAIN, streamed=False),
        Table(LOADED, streamed=True, is_read=True),
        Table(RANGES, streamed=False, sorted_by="sk", is_read=True),
    )
}


@dataclass(frozen=True)
class Workload:
    """One kind of request; `body` makes the one of a place in the order and a walk's value."""

    name: str
    title: str
    action: str
    table: str
    walks: int
    """How many walks with values of their own are made ahead."""
    body: Callable[[Sequence[str], int], Json]
    check: Callable[[Json], bool]
    groups: Callable[[], list[list[str]]]


def key_names() -> list[str]:
    """Return the keys of the items."""
    return [f"key-{each:05d}" for each in range(KEYS)]


def item(key: str, value: int) -> Json:
    """Return an item of 500 bytes, by DynamoDB's measure: names, and values as they are stored."""
    number = f"{value:08d}"
    used = len("pk") + len(key) + len("value") + len(number) + len("body")
    return {
        "pk": {"S": key},
        "value": {"S": number},
        "body": {"S": _FILLER[: ITEM_BYTES - used]},
    }


def sorted_item(place: int) -> Json:
    """Return an item of the table that is queried."""
    whole = item(f"collection-{place // QUERY_ITEMS:02d}", 0)
    sort_key = f"{place % QUERY_ITEMS:06d}"
    whole["sk"] = {"S": sort_key}
    whole["body"] = {"S": whole["body"]["S"][: -len("sk") - len(sort_key)]}
    return whole


def put_of(table: str) -> Callable[[Sequence[str], int], Json]:
    """Return the maker of PutItem requests for a table."""
    return lambda keys, value: {"TableName": table, "Item": item(keys[0], value)}


def update(keys: Sequence[str], value: int) -> Json:
    """Return an UpdateItem request with a condition that holds."""
    return {
        "TableName": LOADED,
        "Key": {"pk": {"S": keys[0]}},
        "UpdateExpression": "SET #value = :value",
        "ConditionExpression": "attribute_exists(pk) AND #value <> :none",
        "ExpressionAttributeNames": {"#value": "value"},
        "ExpressionAttributeValues": {":value": {"S": f"{value:08d}"}, ":none": {"S": "none"}},
    }


def get(keys: Sequence[str], value: int) -> Json:
    """Return a GetItem request."""
    return {"TableName": LOADED, "Key": {"pk": {"S": keys[0]}}}


def query(keys: Sequence[str], value: int) -> Json:
    """Return a Query request for the 100 items of a partition key."""
    return {
        "TableName": RANGES,
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": keys[0]}},
    }


def batch(keys: Sequence[str], value: int) -> Json:
    """Return a BatchWriteItem request of 25 puts."""
    puts = [{"PutRequest": {"Item": item(key, value)}} for key in keys]
    return {"RequestItems": {STREAMED: puts}}


def transact(keys: Sequence[str], value: int) -> Json:
    """Return a TransactWriteItems request of 4 puts."""
    puts = [{"Put": {"TableName": STREAMED, "Item": item(key, value)}} for key in keys]
    return {"TransactItems": puts}


def groups_of(size: int) -> Callable[[], list[list[str]]]:
    """Return what cuts all keys, in random order, into groups of `size`."""

    def cut() -> list[list[str]]:
        keys = key_names()
        random.Random(size).shuffle(keys)
        return [keys[at : at + size] for at in range(0, len(keys), size)]

    return cut


def collections() -> list[list[str]]:
    """Return the partition keys of the table that is queried."""
    return [[f"collection-{each:02d}"] for each in range(COLLECTIONS)]


def _holds_nothing_back(answer: Json) -> bool:
    return not answer.get("UnprocessedItems")


def _any(answer: Json) -> bool:
    return True


WORKLOADS = {
    each.name: each
    for each in (
        Workload(
            "put", "PutItem, with stream", "PutItem", STREAMED, 2, put_of(STREAMED), _any,
            groups_of(1),
        ),
        Workload(
            "put-plain", "PutItem, without stream", "PutItem", PLAIN, 2, put_of(PLAIN), _any,
            groups_of(1),
        ),
        Workload(
            "update", "UpdateItem, with condition", "UpdateItem", LOADED, 2, update, _any,
            groups_of(1),
        ),
        Workload(
            "get", "GetItem", "GetItem", LOADED, 1, get,
            lambda told: len(told.get("Item", {}).get("body", {}).get("S", "")) > 400,
            groups_of(1),
        ),
        Workload(
            "query", "Query of 100 items", "Query", RANGES, 20, query,
            lambda told: told.get("Count") == QUERY_ITEMS == len(told.get("Items", [])),
            collections,
        ),
        Workload(
            "batch", "BatchWriteItem of 25", "BatchWriteItem", STREAMED, 4, batch,
            _holds_nothing_back, groups_of(BATCH_ITEMS),
        ),
        Workload(
            "transact", "TransactWriteItems of 4", "TransactWriteItems", STREAMED, 2,
            transact, _any, groups_of(TRANSACTION_ITEMS),
        ),
    )
}  # fmt: skip


def bodies(workload: Workload, first_value: int) -> Iterator[bytes]:
    """Yield the bodies of all walks of a workload, the first of which writes `first_value`."""
    groups = workload.groups()
    for walk in range(workload.walks):
        for keys in groups:
            body = workload.body(keys, first_value + walk)
            yield json.dumps(body, separators=(",", ":")).encode()


def write_bodies(workload: Workload, first_value: int, path: Path) -> None:
    """Write the bodies into a file, one a line."""
    with path.open("wb") as file:
        for body in bodies(workload, first_value):
            file.write(body + b"\n")


class WrongAnswer(Trouble):
    """A server answers a request with something else than what it asks for."""


def ask_once(api: Api, workload: Workload, value: int) -> None:
    """Ask for one request of a workload and look at the answer.

    Raises WrongAnswer, UnknownAction.
    """
    body = workload.body(workload.groups()[0], value)
    try:
        answer = api.call(workload.action, **body)
    except UnknownAction:
        raise
    except ApiError as error:
        raise WrongAnswer(str(error)) from error
    if not workload.check(answer):
        raise WrongAnswer(f"{workload.action}: {json.dumps(answer)[:300]}")


def make_table(api: Api, name: str) -> str | None:
    """Make the table of that name; return its stream's ARN, None where it has none."""
    table = TABLES[name]
    return api.make_table(name, sorted_by=table.sorted_by, streamed=table.streamed)


def load(api: Api, name: str, seconds_max: float) -> None:
    """Put the items of a table.

    A table that is read gets all of them, whatever time that takes; another one those that
    `seconds_max` allows: its own work writes the rest.
    """
    table = TABLES[name]
    deadline = time.monotonic() + seconds_max
    for puts in _in_batches(_items_of(table)):
        if not table.is_read and time.monotonic() > deadline:
            break
        left = {name: puts}
        while left:
            left = api.call("BatchWriteItem", RequestItems=left).get("UnprocessedItems") or {}


def _items_of(table: Table) -> Iterator[Json]:
    if table.sorted_by is not None:
        return (sorted_item(place) for place in range(COLLECTIONS * QUERY_ITEMS))
    return (item(key, 0) for key in key_names())


def _in_batches(items: Iterator[Json]) -> Iterator[list[Any]]:
    while puts := [{"PutRequest": {"Item": each}} for each in itertools.islice(items, BATCH_ITEMS)]:
        yield puts
