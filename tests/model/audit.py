"""Compares all that a table shows, its items, indexes and streams, with the model."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from model.bench import STREAMS, TABLES, Bench
from model.model import ModelStream, ModelTable, Recorded
from model.steps import IndexSpec
from model.values import (
    Item,
    Value,
    frozen,
    frozen_item,
    item_of,
    raw_item,
    raw_value,
)
from penstock.testing.checkers import Record, wrong_fold

Names = tuple[str, ...]


class Auditor:
    """Reads a table in pages of `page` rows and asserts that they are the model's."""

    def __init__(self, bench: Bench, page: int) -> None:
        self._bench = bench
        self._page = page

    def check_table(self, name: str, table: ModelTable) -> None:
        """Compare the items, one by one and by Scan and Query, all indexes, and the counts."""
        items = list(table.items.values())
        _same("Scan", self._pages("Scan", {"TableName": name}), items)
        for item in items:
            key = {each: item[each] for each in table.spec.key_names}
            assert self.item(name, key) == item, f"GetItem of {key}"
        self._check_queries({"TableName": name, "ConsistentRead": True}, items, ("pk",), ("sk",))
        described = self._bench.call(TABLES + "DescribeTable", {"TableName": name})["Table"]
        assert described["ItemCount"] == len(items), "ItemCount"
        counts: dict[str, int] = {}
        for member in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
            counts |= {each["IndexName"]: each["ItemCount"] for each in described.get(member, ())}
        assert counts.keys() == {index.name for index in table.indexes}, "the indexes there are"
        for index in table.indexes:
            entries = table.entries(index)
            assert counts[index.name] == len(entries), f"ItemCount of {index.name}"
            self._check_index(name, index, entries)

    def item(self, name: str, key: Item) -> Item | None:
        """Return the item of `key`, None where there is none."""
        body = {"TableName": name, "Key": raw_item(key), "ConsistentRead": True}
        found = self._bench.call(TABLES + "GetItem", body).get("Item")
        return None if found is None else item_of(found)

    def _check_index(self, name: str, index: IndexSpec, entries: list[Item]) -> None:
        body = {"TableName": name, "IndexName": index.name}
        _same(f"Scan of {index.name}", self._pages("Scan", body), entries)
        self._check_queries(body, entries, index.partition, index.sort)

    def _check_queries(
        self,
        body: dict[str, Any],
        rows: list[Item],
        partition: Names,
        sort: Names,
    ) -> None:
        """Query for each partition key that there is, both ways; compare rows and order."""
        groups: dict[Any, list[Item]] = {}
        for row in rows:
            groups.setdefault(tuple(frozen(row[name]) for name in partition), []).append(row)
        for group in groups.values():
            wanted = {f":{name}": raw_value(group[0][name]) for name in partition}
            asked = body | {
                "KeyConditionExpression": " AND ".join(f"{n} = :{n}" for n in partition),
                "ExpressionAttributeValues": wanted,
            }
            for forward in (True, False):
                found = self._pages("Query", asked | {"ScanIndexForward": forward})
                what = f"Query {body} of {wanted}"
                _same(what, found, group)
                keys = [[row[name] for name in sort if name in row] for row in found]
                assert keys == _sorted(keys, forward), f"order of {what}"

    def _pages(self, action: str, body: dict[str, Any]) -> list[Item]:
        """Return all rows of a Scan or Query, page by page."""
        rows: list[Item] = []
        start: dict[str, Any] = {}
        while True:
            answer = self._bench.call(TABLES + action, body | {"Limit": self._page} | start)
            assert answer["Count"] == len(answer["Items"]) <= self._page
            rows += map(item_of, answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return rows
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def check_stream(self, stream: ModelStream, table: ModelTable | None) -> None:
        """Compare a stream's records with the model's, item by item, and fold them.

        `table` is the one whose every change the stream has, where there is such a table.
        """
        records = list(self._records(stream.arn))
        found: dict[Any, list[Any]] = {}
        for record in records:
            key = frozen_item(item_of(record["dynamodb"]["Keys"]))
            found.setdefault(key, []).append(_told(record))
        expected: dict[Any, list[Any]] = {}
        for each in stream.records:
            told = expected_record(each, stream.view_type)
            expected.setdefault(frozen_item(each.key), []).append(told)
        assert found == expected, "records of the stream"
        ids = Counter(record["eventID"] for record in records)
        assert len(ids) == len(records), "event ids are used once"
        if table is not None and stream.view_type == "NEW_AND_OLD_IMAGES":
            items = [canonical(item) for item in table.items.values()]
            folded = [canonical_record(record) for record in records]
            assert wrong_fold(folded, items, table.spec.key_names) == []

    def _records(self, arn: str) -> Iterator[Record]:
        """Yield all records, those of parents before their children's, each in its right shard."""
        parents = dict(self._shards(arn))
        place_of: dict[Any, str] = {}
        latest: dict[Any, int] = {}
        for shard_id in parents:  # the order of ids, in which parents stand before children
            for record in self._shard(arn, shard_id):
                key = frozen_item(item_of(record["dynamodb"]["Keys"]))
                number = int(record["dynamodb"]["SequenceNumber"])
                assert number > latest.get(shard_id, 0), "sequence numbers rise in a shard"
                assert number > latest.get(key, 0), "sequence numbers rise for an item"
                latest[shard_id] = latest[key] = number
                before = place_of.setdefault(key, shard_id)
                assert before in _with_ancestors(shard_id, parents), "an item stays in a lineage"
                place_of[key] = shard_id
                yield record

    def _shards(self, arn: str) -> Iterator[tuple[str, str | None]]:
        """Yield the id of each shard of a stream, and its parent's."""
        body: dict[str, Any] = {"StreamArn": arn, "Limit": 3}
        while True:
            page = self._bench.call(STREAMS + "DescribeStream", body)["StreamDescription"]
            for shard in page["Shards"]:
                yield shard["ShardId"], shard.get("ParentShardId")
            if "LastEvaluatedShardId" not in page:
                return
            body["ExclusiveStartShardId"] = page["LastEvaluatedShardId"]

    def _shard(self, arn: str, shard_id: str) -> Iterator[Record]:
        body = {"StreamArn": arn, "ShardId": shard_id, "ShardIteratorType": "TRIM_HORIZON"}
        iterator = self._bench.call(STREAMS + "GetShardIterator", body)["ShardIterator"]
        while iterator is not None:
            page = self._bench.call(STREAMS + "GetRecords", {"ShardIterator": iterator})
            yield from page["Records"]
            iterator = page.get("NextShardIterator") if page["Records"] else None


def _with_ancestors(shard_id: str | None, parents: dict[str, str | None]) -> Iterator[str]:
    while shard_id is not None:
        yield shard_id
        shard_id = parents.get(shard_id)


def expected_record(recorded: Recorded, view_type: str) -> Any:
    """Return what a record must tell, in the form of `_told`."""
    old, new = recorded.change
    event = "INSERT" if old is None else "REMOVE" if new is None else "MODIFY"
    shows_old = view_type in {"OLD_IMAGE", "NEW_AND_OLD_IMAGES"}
    shows_new = view_type in {"NEW_IMAGE", "NEW_AND_OLD_IMAGES"}
    identity = {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}
    return {
        "event": event,
        "old": old if shows_old else None,
        "new": new if shows_new else None,
        "view": view_type,
        "by": identity if recorded.by_service else None,
    }


def _told(record: Record) -> Any:
    body = record["dynamodb"]
    old, new = body.get("OldImage"), body.get("NewImage")
    return {
        "event": record["eventName"],
        "old": None if old is None else item_of(old),
        "new": None if new is None else item_of(new),
        "view": body["StreamViewType"],
        "by": record.get("userIdentity"),
    }


def canonical(item: Item) -> dict[str, Any]:
    """Return something JSON can hold, equal for equal items, whose members are attributes."""
    return {name: {"S": repr(_sortable(value))} for name, value in item.items()}


def canonical_record(record: Record) -> Record:
    """Return `record` with its keys and images in the form of `canonical`."""
    body = dict(record["dynamodb"])
    for member in ("Keys", "OldImage", "NewImage"):
        if member in body:
            body[member] = canonical(item_of(body[member]))
    return {**record, "dynamodb": body}


def _sortable(value: Value) -> Any:
    kind, content = value
    if kind == "L":
        return kind, [_sortable(element) for element in content]
    if kind == "M":
        return kind, sorted((name, _sortable(member)) for name, member in content.items())
    if isinstance(content, frozenset):
        members = [_sortable((kind[0], member)) for member in content]
        return kind, sorted(members)
    return kind, content.normalize() + 0 if kind == "N" else content


def _same(what: str, found: list[Item], expected: list[Item]) -> None:
    assert Counter(map(frozen_item, found)) == Counter(map(frozen_item, expected)), what


def _sorted(keys: list[list[Value]], forward: bool) -> list[list[Value]]:
    """Return sort keys in order; the attributes of a place have one type."""
    ordered = sorted(keys, key=lambda key: [_rank(value) for value in key])
    return ordered if forward else ordered[::-1]


def _rank(value: Value) -> Any:
    kind, content = value
    return content.encode() if kind == "S" else content
