"""From the text of a PartiQL statement to a statement that is ready to run.

`statement` keeps what it made, by text. The parser is imported and built on first use, because that
takes longer than the rest of a start of the server.
"""

from functools import lru_cache
from typing import Any

from penstock.base.errors import partiql
from penstock.base.limits import (
    expression_cache_entries_max,
    expression_cache_long_entries_max,
    expression_cached_short_chars_max,
    expression_operators_max,
)
from penstock.items.expressions.conditions import compile_condition
from penstock.items.expressions.functions import check_calls
from penstock.items.expressions.paths import tree_of
from penstock.items.expressions.syntax import Node
from penstock.items.expressions.updates import compile_update
from penstock.items.partiql.bare import bare
from penstock.items.partiql.literals import ROOT, named_members
from penstock.items.partiql.lowering import Lowering, path_of, ungrouped
from penstock.items.partiql.statement import (
    Column,
    Delete,
    Insert,
    OrderKey,
    ReturnValues,
    Select,
    SetParameter,
    Statement,
    Update,
    Where,
)
from penstock.items.partiql.syntax import (
    Column as ColumnTree,
)
from penstock.items.partiql.syntax import (
    DeleteTree,
    ExistsTree,
    InsertTree,
    Order,
    Reference,
    Returning,
    SelectTree,
    Source,
    StatementTree,
    Term,
    Tuple,
    UpdateTree,
)
from penstock.items.partiql.tokens import (
    Token,
    is_too_deep,
    operator_count,
    refusal,
    tokens_of,
)

_RETURN_VALUES: dict[tuple[str, str], ReturnValues] = {
    ("ALL", "OLD"): "ALL_OLD",
    ("ALL", "NEW"): "ALL_NEW",
    ("MODIFIED", "OLD"): "UPDATED_OLD",
    ("MODIFIED", "NEW"): "UPDATED_NEW",
}


def statement(text: str) -> Statement:
    """Return the statement of `text`.

    Raises ValidationException for what is wrong with the text by itself; its length is checked
    before.
    """
    if len(text) <= expression_cached_short_chars_max:
        return _statement_short(text)
    return _statement_long(text)


def _statement(text: str) -> Statement:
    tokens = tokens_of(text)
    if is_too_deep(tokens):
        raise partiql.not_well_formed("Unexpected term")
    if operator_count(tokens) > expression_operators_max:
        raise partiql.too_many_operators(expression_operators_max + 1)
    parameters = sum(token.kind == "PARAMETER" for token in tokens)
    return _Builder(parameters).statement(_tree(tokens))


_statement_short = lru_cache(expression_cache_entries_max)(_statement)
_statement_long = lru_cache(expression_cache_long_entries_max)(_statement)


def _tree(tokens: list[Token]) -> StatementTree:
    from penstock.items.partiql.grammar import (  # noqa: PLC0415 - see this module's docstring
        Refused,
        statement_tree,
    )

    try:
        return statement_tree(tokens)
    except Refused as refused:
        raise refusal(tokens, refused.at) from None


class _Builder:
    """Makes one statement of its tree."""

    def __init__(self, parameters: int) -> None:
        self._parameters = parameters
        self._lowering = Lowering()

    def statement(self, tree: StatementTree) -> Statement:
        """Return the statement; ValidationException for what no statement can say."""
        match tree:
            case SelectTree():
                return self._select(tree, is_exists=False)
            case ExistsTree(select):
                return self._select(select, is_exists=True)
            case InsertTree():
                return self._insert(tree)
            case UpdateTree():
                return self._update(tree)
            case DeleteTree():
                return self._delete(tree)

    def _common(self, table: str, where: Where | None = None) -> dict[str, Any]:
        """Return the members that all statements have; the values are all known by now."""
        return {
            "table": table,
            "literals": self._lowering.literals,
            "parameters": self._parameters,
            "where": where,
        }

    def _select(self, tree: SelectTree, *, is_exists: bool) -> Select:
        for clause, at in tree.unsupported:
            raise partiql.clause_unsupported(clause, at)
        if tree.source.others:
            raise partiql.source_joined()
        columns = _columns(tree.columns)
        table, *index = _names(tree.source)
        where = self._where(tree.where)
        if tree.order and where is None:
            raise partiql.order_without_where()
        return Select(
            **self._common(table, where),
            index=index[0] if index else None,
            columns=columns,
            order=tuple(map(_order_key, tree.order)),
            is_exists=is_exists,
        )

    def _insert(self, tree: InsertTree) -> Insert:
        table, *index = _names(tree.source)
        if index:
            raise partiql.insert_into_index()
        if tree.returning:
            raise partiql.returning_of_insert()
        item = ungrouped(tree.item)
        if not isinstance(item, Tuple):
            raise partiql.item_unexpected(item.at.text)
        members = tuple(
            (name, self._lowering.value(ungrouped(term)))
            for name, term in named_members(item, ROOT)
        )
        return Insert(**self._common(table), members=members)

    def _update(self, tree: UpdateTree) -> Update:
        table = _changed_table(tree.source)
        actions = tuple(map(self._lowering.action, tree.changes))
        with bare("UpdateExpression"):
            check_calls("UpdateExpression", actions)
            program = compile_update("UpdateExpression", actions, {})
        return Update(
            **self._common(table, self._where(tree.where)),
            program=program,
            set_parameters=tuple(
                SetParameter(placeholder, function, at.text)
                for placeholder, function, at in self._lowering.set_parameters
            ),
            returning=_returned(tree.returning),
        )

    def _delete(self, tree: DeleteTree) -> Delete:
        table = _changed_table(tree.source)
        where = self._where(tree.where)
        returning = _returned(tree.returning)
        if returning not in {"NONE", "ALL_OLD"}:
            raise partiql.returning_of_delete(tree.returning[0].text)
        return Delete(**self._common(table, where), returning=returning)

    def _where(self, term: Term | None) -> Where | None:
        if term is None:
            return None
        node: Node = self._lowering.condition(term)
        with bare("ConditionExpression"):
            check_calls("ConditionExpression", node)
            return Where(node, compile_condition("ConditionExpression", node, {}))


def _names(source: Source) -> list[str]:
    """Return the name of a table and, where there is one, of its index."""
    if source.is_aliased:
        raise partiql.aliased()
    term = source.term
    if not isinstance(term, Reference):
        raise partiql.source_unexpected()
    names = [element for element in term.elements if isinstance(element, str)]
    if len(names) < len(term.elements):
        raise partiql.source_unexpected()
    if len(names) > 2:
        raise partiql.source_too_long()
    return names


def _changed_table(source: Source) -> str:
    table, *index = _names(source)
    if index:
        raise partiql.change_of_index()
    return table


def _columns(trees: tuple[ColumnTree, ...] | str | None) -> tuple[Column, ...] | None:
    if trees is None:
        return None
    if trees == "VALUE":
        raise partiql.columns_unsupported()
    if isinstance(trees, str):
        raise partiql.token_unsupported(trees)
    columns: dict[str, Column] = {}
    for tree in trees:
        column = _column(tree)
        if column.name in columns:
            raise partiql.column_twice(column.name)
        columns[column.name] = column
    with bare("ProjectionExpression"):  # paths that overlap
        tree_of("ProjectionExpression", [(column.elements, None) for column in columns.values()])
    return tuple(columns.values())


def _column(tree: ColumnTree) -> Column:
    """Return a column; its name is the last one of its path and the indexes behind that."""
    if tree.is_aliased:
        raise partiql.aliased()
    term = ungrouped(tree.term)
    if not isinstance(term, Reference):
        raise partiql.column_unexpected(term.at.text)
    elements = path_of(term).elements
    last = max(at for at, element in enumerate(elements) if isinstance(element, str))
    indexes = "".join(f"[{index}]" for index in elements[last + 1 :])
    return Column(f"{elements[last]}{indexes}", elements)


def _order_key(order: Order) -> OrderKey:
    term = ungrouped(order.term)
    if not isinstance(term, Reference) or len(term.elements) > 1:
        raise partiql.order_term(term.at.text)
    return OrderKey(str(term.elements[0]), order.descending)


def _returned(returning: tuple[Returning, ...]) -> ReturnValues:
    if not returning:
        return "NONE"
    if len(returning) > 1:
        raise partiql.returning_twice()
    ((which, when, is_star),) = returning
    if not is_star:
        raise partiql.returning_part()
    return _RETURN_VALUES[which, when]
