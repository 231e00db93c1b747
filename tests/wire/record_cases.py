"""Every way to write an item, in every situation, and what record that yields.

This is the one table of it: test_records_per_write.py holds each case against a server, and
docs/records.md is written from it.

DynamoDB Local (2026-11) yields the same records and errors but for these, where we follow AWS: it
makes an item of REMOVE or DELETE alone where there is none (AWS makes none: ScyllaDB Alternator's
tests, which run on AWS), and calls the error of an INSERT DuplicateItem (AWS, as its model names
it, DuplicateItemException; DuplicateItem is the code of one statement of a batch). Its records are
of the region ddblocal, have other sizes, and keep 1.0 as it was sent.
"""

import itertools
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

Item = dict[str, Any]
Write = Callable[[Any, str, Item], str | None]
"""Writes the item of a key with a client to a table; returns an error that the answer told."""

Situation = Literal["new", "changed", "unchanged", "refused", "absent"]
SITUATIONS: dict[Situation, str] = {
    "new": "there was no item, and now there is",
    "changed": "there was an item, and now there is another or none",
    "unchanged": "the item is what it was, by value",
    "refused": "there is an item, and the write is refused",
    "absent": "there was no item, and there is none",
}

ViewType = Literal["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"]
VIEW_TYPES: tuple[ViewType, ...] = ("KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES")

Event = Literal["INSERT", "MODIFY", "REMOVE"]

NO_ITEM: Item | None = None
ONE, TWO = {"N": "1"}, {"N": "2"}
A: Item = {"a": ONE}
FULL: Item = {
    "n": {"N": "12.5"},
    "ns": {"NS": ["-3", "1", "2"]},
    "ss": {"SS": ["a", "b"]},
    "bs": {"BS": [b"\x00", b"\xff"]},
    "m": {"M": {"x": {"N": "1"}, "y": {"L": [{"S": "é"}, {"BOOL": False}]}}},
    "b": {"B": b"\x00\x01\x02"},
    "nothing": {"NULL": True},
    "s": {"S": "\U0001f600"},
}
FULL_SPELT_OTHERWISE: Item = {
    "s": {"S": "\U0001f600"},
    "nothing": {"NULL": True},
    "b": {"B": b"\x00\x01\x02"},
    "m": {"M": {"y": {"L": [{"S": "é"}, {"BOOL": False}]}, "x": {"N": "1.0"}}},
    "bs": {"BS": [b"\xff", b"\x00"]},
    "ss": {"SS": ["b", "a"]},
    "ns": {"NS": ["2.0", "1e0", "-3"]},
    "n": {"N": "1.250e1"},
}

CLOCK_S = 1_790_000_000  # the time of the fake clock that items expire by
EXPIRED_AT = str(CLOCK_S - 999)
EXPIRED, LASTING = {"t": {"N": EXPIRED_AT}}, {"t": {"N": "9999999999"}}


class Case(NamedTuple):
    """One write: what the item's other attributes were and are, and the error if it is refused."""

    path: str
    situation: Situation
    detail: str
    before: Item | None
    write: Write
    after: Item | None
    error: str | None = None
    earlier: tuple[tuple[Write, Item | None], ...] = ()
    """Writes that lead to `before`, with what each leaves; none means that it is put."""
    by_service: bool = False

    @property
    def name(self) -> str:
        """What tells the case from all others, and its item's partition key."""
        return ", ".join(filter(None, (self.path, self.situation, self.detail)))

    def key(self, sort: str = "7") -> Item:
        """The key of the case's item, its number spelt as asked."""
        return {"pk": {"S": self.name}, "sk": {"N": sort}}

    @property
    def event(self) -> Event | None:
        """The name of the event that has to be recorded, if any has."""
        return event(self.before, self.after)

    @property
    def preparation(self) -> tuple[tuple[Write, Item | None], ...]:
        """The writes that lead to `before`, with what each leaves."""
        if self.earlier or self.before is None:
            return self.earlier
        return ((put(self.before), self.before),)

    @property
    def earlier_events(self) -> list[Event]:
        """The events of the preparation."""
        states = [NO_ITEM, *(left for _, left in self.preparation)]
        events = (event(old, new) for old, new in itertools.pairwise(states))
        return [each for each in events if each is not None]


def event(before: Item | None, after: Item | None) -> Event | None:
    """Return the event of the change from one item to the other, None for no change."""
    if before == after:
        return None
    if before is None:
        return "INSERT"
    return "REMOVE" if after is None else "MODIFY"


def images_of(event: Event, view_type: ViewType) -> list[Literal["NewImage", "OldImage"]]:
    """Return the images that a record of `event` has under `view_type`."""
    shown: list[Literal["NewImage", "OldImage"]] = []
    if event != "REMOVE" and view_type in {"NEW_IMAGE", "NEW_AND_OLD_IMAGES"}:
        shown.append("NewImage")
    if event != "INSERT" and view_type in {"OLD_IMAGE", "NEW_AND_OLD_IMAGES"}:
        shown.append("OldImage")
    return shown


# --- the ways to write


def put(item: Item, **more: Any) -> Write:
    """PutItem."""
    return lambda ddb, table, key: _silent(
        ddb.put_item(TableName=table, Item={**key, **item}, **more)
    )


def delete(**more: Any) -> Write:
    """DeleteItem."""
    return lambda ddb, table, key: _silent(ddb.delete_item(TableName=table, Key=key, **more))


def update(expression: str | None = None, *, condition: str | None = None, **values: Any) -> Write:
    """UpdateItem with an expression."""
    request = _expressions(expression, condition, values)
    return lambda ddb, table, key: _silent(ddb.update_item(TableName=table, Key=key, **request))


def legacy_update(updates: Item, **more: Any) -> Write:
    """UpdateItem with AttributeUpdates, each an action and maybe a value."""
    given = {
        name: {"Action": action} | ({"Value": value[0]} if value else {})
        for name, (action, *value) in updates.items()
    }
    return lambda ddb, table, key: _silent(
        ddb.update_item(TableName=table, Key=key, AttributeUpdates=given, **more)
    )


def batch(*elements: Callable[[Item], Item]) -> Write:
    """BatchWriteItem."""
    return lambda ddb, table, key: _silent(
        ddb.batch_write_item(RequestItems={table: [element(key) for element in elements]})
    )


def batch_put(item: Item) -> Callable[[Item], Item]:
    """Return what makes a put of a batch."""
    return lambda key: {"PutRequest": {"Item": {**key, **item}}}


def batch_delete(key: Item) -> Item:
    """Return a delete of a batch."""
    return {"DeleteRequest": {"Key": key}}


def transact(kind: str, *others: Item, token: str | None = None, **action: Any) -> Write:
    """TransactWriteItems of one action on the item, and `others`, each on an absent item."""

    def write(ddb: Any, table: str, key: Item) -> None:
        asked = dict(action)
        if kind == "Put":
            asked["Item"] = {**key, **asked.get("Item", {})}
        else:
            asked["Key"] = key
        items = [{kind: {"TableName": table, **asked}}]
        nobody = {**key, "sk": {"N": "8"}}
        items += [{k: {"TableName": table, "Key": nobody, **o[k]} for k in o} for o in others]
        name = {} if token is None else {"ClientRequestToken": _token(table, token)}
        ddb.transact_write_items(TransactItems=items, **name)

    return write


def _token(table: str, token: str) -> str:
    """Return a token of this case on this table: the tables' names differ in their last digits."""
    return f"{token}-{table[-20:]}"[:36]


def statement(call: str, text: str, *parameters: Any, token: str | None = None) -> Write:
    """Run a PartiQL statement by the action `call`; {} is its table, ?K the conditions of its key.

    `parameters` stand before those of the key, but in an INSERT, whose item's they are.
    """

    def write(ddb: Any, table: str, key: Item) -> str | None:
        spelt = text.format(f'"{table}"').replace("?K", "pk = ? AND sk = ?")
        values = [*parameters, key["pk"], key["sk"]]
        if "?K" in text:
            before = text[: text.index("?K")].count("?")
            values = [*parameters[:before], key["pk"], key["sk"], *parameters[before:]]
        one = {"Statement": spelt, "Parameters": values}
        if call == "ExecuteStatement":
            return _silent(ddb.execute_statement(**one))
        if call == "ExecuteTransaction":
            name = {} if token is None else {"ClientRequestToken": _token(table, token)}
            return _silent(ddb.execute_transaction(TransactStatements=[one], **name))
        (answer,) = ddb.batch_execute_statement(Statements=[one])["Responses"]
        code: str | None = answer.get("Error", {}).get("Code")
        return code

    return write


def insert(call: str, item: Item, token: str | None = None) -> Write:
    """Run an INSERT of `item` and the key, in a transaction maybe with a token."""
    members = ", ".join(f"'{name}': ?" for name in (*item, "pk", "sk"))
    text = f"INSERT INTO {{}} VALUE {{{{{members}}}}}"
    return statement(call, text, *item.values(), token=token)


def read(action: str) -> Write:
    """Read the item by one of the actions that read."""

    def ask(ddb: Any, table: str, key: Item) -> None:
        one = {"TableName": table, "Key": key}
        match action:
            case "GetItem":
                ddb.get_item(**one, ConsistentRead=True)
            case "BatchGetItem":
                ddb.batch_get_item(RequestItems={table: {"Keys": [key]}})
            case "TransactGetItems":
                ddb.transact_get_items(TransactItems=[{"Get": one}])
            case "Query":
                ddb.query(
                    TableName=table,
                    KeyConditionExpression="pk = :p",
                    ExpressionAttributeValues={":p": key["pk"]},
                )
            case "Scan":
                ddb.scan(TableName=table, Limit=1)
            case "ExecuteStatement, SELECT":
                statement("ExecuteStatement", "SELECT * FROM {} WHERE ?K")(ddb, table, key)

    return ask


def nothing(_ddb: Any, _table: str, _key: Item) -> None:
    """Leave it to the server."""


def _expressions(update: str | None, condition: str | None, values: Item) -> Item:
    request: Item = {}
    if update is not None:
        request["UpdateExpression"] = update
    if condition:
        request["ConditionExpression"] = condition
    if values:
        request["ExpressionAttributeValues"] = {f":{name}": v for name, v in values.items()}
    return request


def _silent(_answer: Any) -> str | None:
    """Tell nothing of an answer that is no error."""
    return None


# --- the cases

Rows = list[Case]

_ABSENT, _PRESENT = "attribute_not_exists(pk)", "attribute_exists(pk)"
_FAILED, _INVALID = "ConditionalCheckFailedException", "ValidationException"
_CANCELED = "TransactionCanceledException"
_IF_ABSENT, _IF_PRESENT = {"ConditionExpression": _ABSENT}, {"ConditionExpression": _PRESENT}
_EXPECT_ABSENT = {"Expected": {"pk": {"Exists": False}}}
_EXPECT_A = {"Expected": {"a": {"Value": ONE}}}


def _of(path: str, *rows: Sequence[Any]) -> Rows:
    """Return the cases of one path: situation, detail, before, write, after and maybe an error."""
    return [Case(path, *row) for row in rows]


PUT = _of(
    "PutItem",
    ("new", "", NO_ITEM, put(FULL), FULL),
    ("new", "keys only", NO_ITEM, put({}), {}),
    ("changed", "", FULL, put(A), A),
    ("changed", "one value", FULL, put({**FULL, "n": ONE}), {**FULL, "n": ONE}),
    ("unchanged", "", FULL, put(FULL), FULL),
    ("unchanged", "keys only", {}, put({}), {}),
    ("unchanged", "spelt otherwise", FULL, put(FULL_SPELT_OTHERWISE), FULL),
    ("refused", "", A, put(FULL, **_IF_ABSENT), A, _FAILED),
    ("refused", "Expected", A, put(FULL, **_EXPECT_ABSENT), A, _FAILED),
    ("refused", "invalid", A, put({"a": {"SS": []}}), A, _INVALID),
    ("refused", "too large", A, put({"a": {"S": "x" * 409_600}}), A, _INVALID),
    ("absent", "", NO_ITEM, put(A, **_IF_PRESENT), NO_ITEM, _FAILED),
    ("absent", "Expected", NO_ITEM, put(FULL, **_EXPECT_A), NO_ITEM, _FAILED),
)
UPDATE = _of(
    "UpdateItem, expression",
    ("new", "SET", NO_ITEM, update("SET a = :a", a=ONE), A),
    ("new", "ADD", NO_ITEM, update("ADD a :a", a={"N": "1.0"}), A),
    ("new", "keys only", NO_ITEM, update(), {}),
    ("new", "condition", NO_ITEM, update(condition=_ABSENT), {}),
    ("changed", "SET", A, update("SET a = :a", a=TWO), {"a": TWO}),
    ("changed", "ADD", A, update("ADD a :a", a=ONE), {"a": TWO}),
    ("changed", "REMOVE", A, update("REMOVE a"), {}),
    (
        "changed",
        "DELETE",
        {"ss": {"SS": ["a", "b"]}},
        update("DELETE ss :s", s={"SS": ["a"]}),
        {"ss": {"SS": ["b"]}},
    ),
    (
        "changed",
        "nested",
        {"m": {"M": {"x": ONE, "y": {"L": [ONE, TWO]}}}},
        update("SET m.x = :a REMOVE m.y[0]", a=TWO),
        {"m": {"M": {"x": TWO, "y": {"L": [TWO]}}}},
    ),
    ("unchanged", "SET", A, update("SET a = :a", a={"N": "1.0"}), A),
    ("unchanged", "SET to itself", FULL, update("SET m = m, ss = ss"), FULL),
    ("unchanged", "ADD of 0", A, update("ADD a :a", a={"N": "0"}), A),
    (
        "unchanged",
        "ADD of members",
        FULL,
        update("ADD ss :s, ns :n", s={"SS": ["b"]}, n={"NS": ["2.0"]}),
        FULL,
    ),
    ("unchanged", "REMOVE", A, update("REMOVE nowhere"), A),
    ("unchanged", "DELETE", FULL, update("DELETE ss :s", s={"SS": ["z"]}), FULL),
    ("unchanged", "no expression", A, update(), A),
    ("refused", "", A, update("SET a = :a", condition=_ABSENT, a=TWO), A, _FAILED),
    ("refused", "impossible", A, update("SET a = a + :a, b.c = :a", a=ONE), A, _INVALID),
    ("refused", "the key", A, update("SET sk = :a", a=ONE), A, _INVALID),
    ("absent", "REMOVE", NO_ITEM, update("REMOVE a"), NO_ITEM),
    ("absent", "DELETE", NO_ITEM, update("DELETE a :s", s={"SS": ["a"]}), NO_ITEM),
    ("absent", "condition", NO_ITEM, update(condition=_PRESENT), NO_ITEM, _FAILED),
)
LEGACY_UPDATE = _of(
    "UpdateItem, AttributeUpdates",
    ("new", "PUT", NO_ITEM, legacy_update({"a": ("PUT", ONE)}), A),
    ("new", "ADD", NO_ITEM, legacy_update({"a": ("ADD", {"N": "1.0"})}), A),
    ("changed", "PUT", A, legacy_update({"a": ("PUT", TWO)}), {"a": TWO}),
    ("changed", "ADD", A, legacy_update({"a": ("ADD", ONE)}), {"a": TWO}),
    ("changed", "DELETE", A, legacy_update({"a": ("DELETE",)}), {}),
    ("unchanged", "PUT", A, legacy_update({"a": ("PUT", {"N": "1.0"})}), A),
    ("unchanged", "ADD of 0", A, legacy_update({"a": ("ADD", {"N": "0"})}), A),
    ("unchanged", "DELETE", A, legacy_update({"nowhere": ("DELETE",)}), A),
    ("refused", "", A, legacy_update({"a": ("PUT", TWO)}, **_EXPECT_ABSENT), A, _FAILED),
    ("refused", "impossible", A, legacy_update({"a": ("ADD", {"SS": ["x"]})}), A, _INVALID),
    ("absent", "DELETE", NO_ITEM, legacy_update({"a": ("DELETE",)}), NO_ITEM),
    (
        "absent",
        "Expected",
        NO_ITEM,
        legacy_update({"a": ("PUT", TWO)}, **_EXPECT_A),
        NO_ITEM,
        _FAILED,
    ),
)
DELETE = _of(
    "DeleteItem",
    ("changed", "", FULL, delete(), NO_ITEM),
    ("changed", "keys only", {}, delete(), NO_ITEM),
    ("changed", "condition", A, delete(**_IF_PRESENT), NO_ITEM),
    ("refused", "", A, delete(**_IF_ABSENT), A, _FAILED),
    ("refused", "Expected", A, delete(**_EXPECT_ABSENT), A, _FAILED),
    ("absent", "", NO_ITEM, delete(), NO_ITEM),
    ("absent", "condition", NO_ITEM, delete(**_IF_PRESENT), NO_ITEM, _FAILED),
)
BATCH = [
    *_of(
        "BatchWriteItem, put",
        ("new", "", NO_ITEM, batch(batch_put(FULL)), FULL),
        ("changed", "", A, batch(batch_put(FULL)), FULL),
        ("unchanged", "", FULL, batch(batch_put(FULL_SPELT_OTHERWISE)), FULL),
        ("refused", "", A, batch(batch_put({"a": {"N": "x"}})), A, _INVALID),
        ("refused", "one key twice", A, batch(batch_put(FULL), batch_delete), A, _INVALID),
    ),
    *_of(
        "BatchWriteItem, delete",
        ("changed", "", FULL, batch(batch_delete), NO_ITEM),
        ("refused", "one key twice", A, batch(batch_delete, batch_delete), A, _INVALID),
        ("absent", "", NO_ITEM, batch(batch_delete), NO_ITEM),
    ),
]


def _set_a(value: Item, **more: Any) -> Item:
    return {
        "UpdateExpression": "SET a = :a",
        "ExpressionAttributeValues": {":a": value},
        **more,
    }


_ANOTHER_FAILS: Item = {"ConditionCheck": _IF_PRESENT}
_UPDATE_WITH_ANOTHER = transact("Update", _ANOTHER_FAILS, **_set_a(TWO))
TRANSACT = [
    *_of(
        "TransactWriteItems, Put",
        ("new", "", NO_ITEM, transact("Put", Item=FULL), FULL),
        ("changed", "", A, transact("Put", Item=FULL), FULL),
        ("unchanged", "", FULL, transact("Put", Item=FULL_SPELT_OTHERWISE), FULL),
        ("refused", "", A, transact("Put", Item=FULL, **_IF_ABSENT), A, _CANCELED),
        ("refused", "another fails", A, transact("Put", _ANOTHER_FAILS, Item=FULL), A, _CANCELED),
        ("absent", "", NO_ITEM, transact("Put", Item=A, **_IF_PRESENT), NO_ITEM, _CANCELED),
    ),
    *_of(
        "TransactWriteItems, Update",
        ("new", "", NO_ITEM, transact("Update", **_set_a(ONE)), A),
        ("changed", "", A, transact("Update", **_set_a(TWO)), {"a": TWO}),
        ("unchanged", "", A, transact("Update", **_set_a({"N": "1.0"})), A),
        ("refused", "", A, transact("Update", **_set_a(TWO, **_IF_ABSENT)), A, _CANCELED),
        ("refused", "another fails", A, _UPDATE_WITH_ANOTHER, A, _CANCELED),
        ("absent", "", NO_ITEM, transact("Update", UpdateExpression="REMOVE a"), NO_ITEM),
    ),
    *_of(
        "TransactWriteItems, Delete",
        ("changed", "", FULL, transact("Delete"), NO_ITEM),
        ("refused", "", A, transact("Delete", **_IF_ABSENT), A, _CANCELED),
        ("refused", "another fails", A, transact("Delete", _ANOTHER_FAILS), A, _CANCELED),
        ("absent", "", NO_ITEM, transact("Delete"), NO_ITEM),
    ),
    *_of(
        "TransactWriteItems, ConditionCheck",
        ("unchanged", "", A, transact("ConditionCheck", **_IF_PRESENT), A),
        ("refused", "", A, transact("ConditionCheck", **_IF_ABSENT), A, _CANCELED),
        ("absent", "", NO_ITEM, transact("ConditionCheck", **_IF_ABSENT), NO_ITEM),
    ),
]


def _repeated(call: str, situation: Situation, detail: str, before: Item | None) -> Case:
    """Return the case of a transaction that made an item of A, made again on `before`."""
    token = f"{call[0]}-{situation[0]}-{detail}"[:15]
    put_once = transact("Put", Item=A, token=token)
    if call == "ExecuteTransaction":
        put_once = insert(call, A, token=token)

    def made(ddb: Any, table: str, key: Item) -> str | None:
        return put_once(ddb, table, {**key, "sk": {"N": "7"}})  # spelt otherwise it is another

    change = delete() if before is None else put(before)
    path = f"{call}, its token repeated"
    return Case(
        path, situation, detail, before, made, before, earlier=((made, A), (change, before))
    )


_SINCE: tuple[tuple[Situation, str, Item | None], ...] = (
    ("unchanged", "", A),
    ("unchanged", "changed since", FULL),
    ("absent", "", NO_ITEM),
)
_CALLS = ("ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction")
_SET, _REMOVE = "UPDATE {} SET a = ? WHERE ?K", "UPDATE {} REMOVE nowhere WHERE ?K"
_DELETE = "DELETE FROM {} WHERE ?K"
_EXISTS, _IF_A = "EXISTS(SELECT * FROM {} WHERE ?K", " AND a = ?"


def _statements(call: str) -> Rows:
    """Return the cases of the three statements by one action."""
    failed, duplicate = {
        "ExecuteStatement": (_FAILED, "DuplicateItemException"),
        "BatchExecuteStatement": ("ConditionalCheckFailed", "DuplicateItem"),
        "ExecuteTransaction": (_CANCELED, _CANCELED),
    }[call]
    exists = [
        *_of(
            "ExecuteTransaction, EXISTS",
            ("unchanged", "", A, statement(call, _EXISTS + _IF_A + ")", ONE), A),
            ("refused", "", A, statement(call, _EXISTS + _IF_A + ")", TWO), A, failed),
            ("absent", "", NO_ITEM, statement(call, _EXISTS + _IF_A + ")", ONE), NO_ITEM, failed),
        )
    ]
    return [
        *_of(
            f"{call}, INSERT",
            ("new", "", NO_ITEM, insert(call, FULL), FULL),
            ("refused", "", A, insert(call, FULL), A, duplicate),
            ("refused", "the same item", A, insert(call, A), A, duplicate),
        ),
        *_of(
            f"{call}, UPDATE",
            ("changed", "", A, statement(call, _SET, TWO), {"a": TWO}),
            ("unchanged", "SET", A, statement(call, _SET, {"N": "1.0"}), A),
            ("unchanged", "REMOVE", A, statement(call, _REMOVE), A),
            ("refused", "", A, statement(call, _SET + _IF_A, TWO, TWO), A, failed),
            ("absent", "", NO_ITEM, statement(call, _SET, TWO), NO_ITEM, failed),
        ),
        *_of(
            f"{call}, DELETE",
            ("changed", "", FULL, statement(call, _DELETE), NO_ITEM),
            ("refused", "", A, statement(call, _DELETE + _IF_A, TWO), A, failed),
            ("absent", "", NO_ITEM, statement(call, _DELETE), NO_ITEM),
        ),
        *(exists if call == "ExecuteTransaction" else ()),
    ]


STATEMENTS = [case for call in _CALLS for case in _statements(call)]
REPEATED = [
    _repeated(call, *case)
    for call in ("TransactWriteItems", "ExecuteTransaction")
    for case in _SINCE
]
_READS = ("GetItem", "BatchGetItem", "TransactGetItems", "Query", "Scan")
_UNTOUCHED: tuple[tuple[Situation, Item | None], ...] = (("unchanged", A), ("absent", NO_ITEM))
READS = [
    Case(action, situation, "", before, read(action), before)
    for action in (*_READS, "ExecuteStatement, SELECT")
    for situation, before in _UNTOUCHED
]
EXPIRY = [
    Case("time to live", "changed", "", EXPIRED, nothing, NO_ITEM, by_service=True),
    *_of(
        "time to live",
        ("unchanged", "", LASTING, nothing, LASTING),
        ("unchanged", "no number", {"t": {"S": EXPIRED_AT}}, nothing, {"t": {"S": EXPIRED_AT}}),
    ),
    Case(
        "time to live",
        "absent",
        "",
        NO_ITEM,
        nothing,
        NO_ITEM,
        earlier=((put(EXPIRED), EXPIRED), (delete(), NO_ITEM)),
    ),
]

CASES: Rows = [
    *PUT,
    *UPDATE,
    *LEGACY_UPDATE,
    *DELETE,
    *BATCH,
    *TRANSACT,
    *STATEMENTS,
    *REPEATED,
    *READS,
]
"""What a client asks for. What the server does by itself is EXPIRY."""
