"""The requests that are measured are what they are said to be."""

import json
from collections import Counter
from collections.abc import Iterator

import pytest

from bench.api import Json
from bench.work import ITEM_BYTES, KEYS, WORKLOADS, Workload, bodies, item, key_names, sorted_item
from penstock.items.sizes import item_bytes

CONNECTIONS = 64
WRITES = ("put", "put-plain", "batch", "transact")


def items_of(body: Json) -> list[Json]:
    """Return the items that a request writes."""
    if "Item" in body:
        return [body["Item"]]
    if "TransactItems" in body:
        return [each["Put"]["Item"] for each in body["TransactItems"]]
    return [each["PutRequest"]["Item"] for each in body["RequestItems"]["Streamed"]]


def keys_of(body: Json) -> list[str]:
    """Return the keys of the items that a request is about."""
    if "Key" in body:
        return [body["Key"]["pk"]["S"]]
    return [each["pk"]["S"] for each in items_of(body)]


def decoded(workload: Workload) -> Iterator[Json]:
    """Yield the requests of a workload."""
    return (json.loads(body) for body in bodies(workload, 7))


def test_items_have_500_bytes_as_dynamodb_counts() -> None:
    assert item_bytes(item(key_names()[-1], 12)) == ITEM_BYTES == 500
    assert item_bytes(sorted_item(999)) == 500


@pytest.mark.parametrize("name", [*WRITES, "update", "get"])
def test_each_walk_goes_over_all_keys_once(name: str) -> None:
    workload = WORKLOADS[name]
    asked = [key for body in decoded(workload) for key in keys_of(body)]
    for walk in range(workload.walks):
        assert Counter(asked[walk * KEYS : (walk + 1) * KEYS]) == Counter(key_names())
    assert len(asked) == workload.walks * KEYS
    assert asked[:100] != sorted(asked[:100])


@pytest.mark.parametrize("name", WRITES)
def test_a_write_never_repeats_what_its_key_has(name: str) -> None:
    """A write that changes nothing leaves no stream record."""
    written: dict[str, Json] = {}
    requests = list(decoded(WORKLOADS[name]))
    for body in [*requests, *requests]:  # wrk begins again
        for each in items_of(body):
            key = each["pk"]["S"]
            assert written.get(key) != each
            written[key] = each


@pytest.mark.parametrize("name", ["put", "update", "batch", "transact"])
def test_requests_under_way_at_once_are_about_other_items(name: str) -> None:
    requests = [keys_of(body) for body in decoded(WORKLOADS[name])]
    requests += requests[:CONNECTIONS]
    for at in range(len(requests) - CONNECTIONS):
        under_way = [key for keys in requests[at : at + CONNECTIONS] for key in keys]
        assert len(under_way) == len(set(under_way))


def test_a_query_has_to_give_100_items() -> None:
    check = WORKLOADS["query"].check
    assert check({"Count": 100, "Items": [{}] * 100})
    assert not check({"Count": 99, "Items": [{}] * 99})


def test_an_empty_answer_is_no_item_and_a_rest_is_no_batch() -> None:
    assert not WORKLOADS["get"].check({})
    assert WORKLOADS["get"].check({"Item": item("key-00000", 0)})
    assert not WORKLOADS["batch"].check({"UnprocessedItems": {"Streamed": [{}]}})
    assert WORKLOADS["batch"].check({"UnprocessedItems": {}})
