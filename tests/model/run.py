"""Runs a program on a server and on the model, step by step, and compares the two."""

from dataclasses import replace
from typing import Any, NamedTuple

from model import requests
from model.audit import Auditor
from model.bench import TABLES, Bench, Failure
from model.model import Change, Model, ModelStream, Refused
from model.requests import Place, Request
from model.steps import (
    EPOCH_S,
    AddIndex,
    Advance,
    Audit,
    Batch,
    CreateTable,
    DeleteTable,
    ItemAction,
    Program,
    Put,
    RemoveIndex,
    Repeat,
    Restart,
    SetStream,
    SetTimeToLive,
    Single,
    Step,
    Style,
    TableSpec,
    Transaction,
    Update,
)
from model.values import Item, item_of

TOKEN_MS = 10 * 60 * 1000


_Token = tuple[Style, int | None]
"""A token's number, and the action that it went to: each has tokens of its own."""


class _Sent(NamedTuple):
    """A transaction that was made and had a token."""

    step: Transaction
    request: Request
    at_ms: int


class Run:
    """One program under way; `name` sets its tables apart from all others of the server."""

    def __init__(self, bench: Bench, name: str, count: int) -> None:
        self._bench = bench
        self._name = name
        self._model = Model(count)
        self._tokens: dict[_Token, _Sent] = {}
        self._latest_token: _Token | None = None
        self._is_filling = False

    def program(self, program: Program) -> None:
        """Carry out a program, compare all there is, and delete its tables."""
        self._bench.clock.set(EPOCH_S * 1000)
        try:
            for place, spec in enumerate(program.tables):
                self.step(CreateTable(place, spec))
            for step in (*program.steps, Audit(3)):
                self.step(step)
        finally:
            for place in range(len(program.tables)):
                self._forget(place)

    def step(self, step: Step) -> None:
        """Carry out one step on both; AssertionError where they differ."""
        if self._is_filling and not isinstance(step, _BESIDE_A_FILL):
            self._catch_up()  # nobody knows how far a fill is, and tables in change refuse others
        match step:
            case Single():
                self._single(step)
            case Transaction():
                self._transaction(step)
            case Repeat(is_same):
                self._repeat(is_same)
            case Batch(actions, "partiql"):
                self._statements(requests.batch(step, self._place), actions)
            case Batch(actions, style):
                self._compare(
                    requests.batch(step, self._place),
                    lambda: self._model.write_all(actions, style),
                )
            case SetStream():
                self._set_stream(step)
            case SetTimeToLive(place, enabled):
                self._compare(
                    requests.time_to_live(self._table(place), enabled),
                    lambda: self._model.set_time_to_live(place, enabled),
                )
            case AddIndex():
                self._add_index(step)
            case RemoveIndex(place, name):
                request = requests.remove_index(self._table(place), name)
                self._compare(request, lambda: self._model.remove_index(place, name))
            case CreateTable(place, spec):
                self._create(place, spec)
            case DeleteTable(place, again):
                request = Request("DeleteTable", {"TableName": self._table(place)})
                answer, _ = self._compare(request, lambda: self._model.delete(place))
                if answer is not None and again is not None:
                    self._create(place, again)
            case Advance(seconds):
                self._bench.clock.advance(seconds * 1000)
                self._catch_up()
            case Restart():
                self._bench.restart()
            case Audit(page):
                self._audit(page)

    def _table(self, place: int) -> str:
        return f"{self._name}.{place}"

    def _place(self, action: ItemAction) -> Place:
        return Place(self._table(action.table), self._spec(action.table).key(action.key))

    def _spec(self, place: int) -> TableSpec:
        """Return the table as it was created; where there is none, one that might be."""
        table = self._model.tables[place]
        return _NO_TABLE if table is None else table.spec

    def _compare(self, request: Request, expect: Any) -> tuple[dict[str, Any] | None, Any]:
        """Send a request and ask the model; return both answers, None where both refuse."""
        expected, refused = None, None
        try:
            expected = expect()
        except Refused as error:
            refused = error
        try:
            answer = self._bench.call(TABLES + request.action, request.body)
        except Failure as failure:
            assert refused is not None, f"{request} must succeed: {failure}"
            assert failure.code == refused.code, f"{request}: {failure}"
            if refused.reasons is not None:
                reasons = [reason["Code"] for reason in failure.body["CancellationReasons"]]
                assert reasons == refused.reasons, f"{request}: {failure}"
            return None, None
        assert refused is None, f"{request} must be refused: {refused}"
        return answer, expected

    def _single(self, step: Single) -> None:
        request = requests.single(step, self._place)
        answer, change = self._compare(request, lambda: self._model.write(step.action, step.style))
        if answer is not None:
            assert isinstance(change, Change)
            shown = _shown(step.action, step.style, change)
            (found,) = answer.get("Items") or [answer.get("Attributes", {})]
            assert item_of(found) == (shown or {}), f"what {request} returns"

    def _statements(self, request: Request, actions: tuple[ItemAction, ...]) -> None:
        """Compare the answers to statements, each of which is judged alone."""
        answer, changes = self._compare(request, lambda: self._model.execute_all(actions))
        if answer is None:
            return
        responses = answer["Responses"]
        for action, change, response in zip(actions, changes, responses, strict=True):
            if isinstance(change, str):
                assert response["Error"]["Code"] == change, f"{request}: {response}"
            else:
                shown = _shown(action, "partiql", change)
                assert "Error" not in response, f"{request}: {response}"
                assert item_of(response.get("Item", {})) == (shown or {}), f"{request}: {response}"

    def _transaction(self, step: Transaction) -> None:
        """Send a transaction; a token that was used within ten minutes is another matter."""
        text = None if step.token is None else f"{self._name}-{step.token}"
        request = requests.transaction(step, self._place, text)
        token = (step.style, step.token)
        sent = self._tokens.get(token)
        is_live = sent is not None and self._now_ms() - sent.at_ms <= TOKEN_MS
        answer, _ = self._compare(
            request, lambda: self._transact(step, request, sent if is_live else None)
        )
        if answer is not None and step.token is not None and not is_live:
            self._tokens[token] = _Sent(step, request, self._now_ms())
            self._latest_token = token

    def _transact(self, step: Transaction, request: Request, sent: _Sent | None) -> None:
        if sent is None:
            self._model.transact(step.actions, step.style)
        elif request != sent.request:
            raise Refused("IdempotentParameterMismatchException")
        else:
            for action in step.actions:
                self._model.table(action.table)

    def _repeat(self, is_same: bool) -> None:
        """Send the latest transaction that had a token again, or half of it with that token."""
        if self._latest_token is None:
            return
        step = self._tokens[self._latest_token].step
        if not is_same:
            step = replace(step, actions=step.actions[: 1 + len(step.actions) // 2])
        self._transaction(step)

    def _now_ms(self) -> int:
        return self._bench.clock.now_ms()

    def _create(self, place: int, spec: TableSpec) -> None:
        request = requests.create_table(self._table(place), spec)
        answer, _ = self._compare(request, lambda: self._model.create(place, spec))
        if answer is not None and spec.view_type is not None:
            self._latest(place).arn = answer["TableDescription"]["LatestStreamArn"]
        if answer is not None and spec.expires:
            self.step(SetTimeToLive(place, True))

    def _add_index(self, step: AddIndex) -> None:
        place, name = step.table, step.name
        request = requests.add_index(self._table(place), name, self._spec(place))
        answer, _ = self._compare(request, lambda: self._model.add_index(place, name))
        if answer is not None and (step.beside or self._bench.fills_at_once):
            self._bench.begin_fill()
            self._is_filling = True

    def _set_stream(self, step: SetStream) -> None:
        specification: dict[str, Any] = {"StreamEnabled": False}
        if step.view_type is not None:
            specification = requests.stream_on(step.view_type)
        request = Request(
            "UpdateTable",
            {"TableName": self._table(step.table), "StreamSpecification": specification},
        )
        answer, _ = self._compare(
            request, lambda: self._model.set_stream(step.table, step.view_type)
        )
        if answer is not None and step.view_type is not None:
            self._latest(step.table).arn = answer["TableDescription"]["LatestStreamArn"]

    def _latest(self, place: int) -> ModelStream:
        return self._model.streams[place][-1]

    def _audit(self, page: int) -> None:
        self._catch_up()
        auditor = Auditor(self._bench, page)
        for place, table in enumerate(self._model.tables):
            if table is not None:
                auditor.check_table(self._table(place), table)
            for stream in self._model.streams[place]:
                is_current = table is not None and stream is table.stream and stream.is_whole
                auditor.check_stream(stream, table if is_current else None)

    def _catch_up(self) -> None:
        self._bench.catch_up()
        self._model.catch_up(self._now_ms())
        self._is_filling = False

    def _forget(self, place: int) -> None:
        if self._model.tables[place] is not None:
            self._bench.catch_up()  # an index that is under way keeps its table
            self._bench.call(TABLES + "DeleteTable", {"TableName": self._table(place)})


_BESIDE_A_FILL = Single | Batch | Transaction | Repeat | Restart


def _shown(action: ItemAction, style: Style, change: Change) -> Item | None:
    """Return the item that the answer to an action shows."""
    if style == "partiql" and isinstance(action, Put):
        return None
    return change.new if isinstance(action, Update) else change.old


_NO_TABLE = TableSpec("S", None, (), None, False)
"""What keys look like that are sent to a table that is not there."""
