"""The values that a statement holds: from terms to canonical attribute values.

Texts name the place of what is wrong, and the way to it from the whole value, which is `root`.
"""

from typing import Final

from penstock.base.errors import partiql
from penstock.base.limits import number_digits_max
from penstock.items.partiql.syntax import (
    Bag,
    Constant,
    Invocation,
    Negation,
    Operation,
    Parameter,
    Reference,
    Sequence,
    Term,
    Tuple,
    TypeTest,
)
from penstock.items.values import Value, canonical_value

ROOT: Final = "root"
_KINDS_OF_NAMES: Final = {"N": "INT", "BOOL": "BOOL", "NULL": "NULL", "MISSING": "MISSING"}


def value_of(term: Term) -> Value:
    """Return the canonical value that a term is; ValidationException where it is none."""
    return canonical_value(_raw(term, ROOT))


def named_members(term: Tuple, key: str) -> list[tuple[str, Term]]:
    """Return the names and terms of a tuple; ValidationException for names that are none."""
    members: dict[str, Term] = {}
    for name, member in term.members:
        text = _name(name, key)
        if text in members:
            raise partiql.tuple_key_twice(text, key, name.at.text)
        members[text] = member
    return list(members.items())


def _raw(term: Term, key: str) -> Value:
    match term:
        case Constant(kind, content) if kind != "MISSING":
            if kind == "N":
                _check_precision(str(content))
            return {kind: content}
        case Sequence((member,), _, is_group=True):
            return _raw(member, key)
        case Sequence(members):
            return {"L": [_raw(member, f"{key}.{at}") for at, member in enumerate(members)]}
        case Tuple():
            return {
                "M": {
                    name: _raw(member, f"{key}.{name}") for name, member in named_members(term, key)
                }
            }
        case Bag():
            return _set(term)
        case _:
            raise partiql.type_unsupported(_shown(term), key, term.at.text)


def _set(bag: Bag) -> Value:
    """Return the set that a bag is: all texts or all numbers, at least one, none of them twice."""
    if not bag.members:
        raise partiql.bag_empty(bag.at.text)
    kinds = set()
    members = []
    for term in bag.members:
        if not isinstance(term, Constant) or term.kind not in {"S", "N"}:
            raise partiql.bag_member(term.at.text)
        kinds.add(term.kind)
        members.append(canonical_value(_raw(term, ROOT))[term.kind])
    if len(kinds) > 1:
        raise partiql.bag_member("")
    if len(set(members)) < len(members):
        raise partiql.bag_duplicates()
    return {f"{kinds.pop()}S": members}


def _name(term: Term, key: str) -> str:
    if isinstance(term, Constant) and term.kind == "S":
        if not term.content:
            raise partiql.name_empty()
        return str(term.content)
    kind = _KINDS_OF_NAMES[term.kind] if isinstance(term, Constant) else _KIND_OF_TERM[type(term)]
    raise partiql.tuple_key_type(kind, key, term.at.text)


_KIND_OF_TERM: Final[dict[type, str]] = {
    Parameter: "Parameter",
    Reference: "VariableReference",
    Sequence: "Seq",
    Bag: "Seq",
    Tuple: "Struct",
    Invocation: "NAry",
    Operation: "NAry",
    Negation: "NAry",
    TypeTest: "Typed",
}


def _shown(term: Term) -> str:
    """Return what the service calls a term that is no value."""
    match term:
        case Constant(kind):
            return kind
        case Reference(elements):
            return str(elements[0])
        case Invocation(function):
            return function
        case Operation(operator) | Negation(operator):
            return operator
        case _:
            return _KIND_OF_TERM[type(term)]


def _check_precision(number: str) -> None:
    digits = number.lower().partition("e")[0].lstrip("-").replace(".", "").strip("0")
    if len(digits) > number_digits_max:
        raise partiql.number_too_precise()
