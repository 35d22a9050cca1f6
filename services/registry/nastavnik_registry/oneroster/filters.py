"""The filter grammar: `field OP 'value'`, at most two of them joined by AND or OR. Pure."""

import re
from typing import Literal, NamedTuple, cast

from nastavnik_registry.oneroster.errors import OneRosterError

Op = Literal["=", "!=", ">", ">=", "<", "<=", "~"]
Joiner = Literal["AND", "OR"]

_CLAUSE = r"\s*([A-Za-z][A-Za-z0-9_.]*)\s*(!=|>=|<=|=|>|<|~)\s*'((?:[^']|'')*)'\s*"
_is_filter = re.compile(rf"{_CLAUSE}(?:(?<=\s)(AND|OR)(?=\s){_CLAUSE})?").fullmatch


class Clause(NamedTuple):
    field: str
    op: Op
    value: str


class Filter(NamedTuple):
    clauses: tuple[Clause, ...]
    joiner: Joiner = "AND"


def parse(text: str) -> Filter:
    """A quote in a value is doubled. Raises OneRosterError, 400 invalid_filter_field."""
    found = _is_filter(text)
    if found is None or "\0" in text:
        raise invalid("A filter is field OP 'value', or two of these joined by AND or OR.")
    first = _clause(found[1], found[2], found[3])
    if found[4] is None:
        return Filter((first,))
    return Filter((first, _clause(found[5], found[6], found[7])), cast(Joiner, found[4]))


def _clause(field: str, op: str, value: str) -> Clause:
    return Clause(field, cast(Op, op), value.replace("''", "'"))


def invalid(description: str) -> OneRosterError:
    return OneRosterError(400, "invalid_filter_field", description)
