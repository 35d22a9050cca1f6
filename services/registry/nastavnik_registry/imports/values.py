"""Rules for one value: what is wrong with it, or nothing. Blank values are judged by the caller."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime

from nastavnik_registry.imports.findings import Problem
from nastavnik_registry.imports.schema import VOCABULARIES, Column, Vocabulary

Rule = Callable[[str], Problem | None]

MISSING = Problem(
    "row.missing_required_value", "a value is required here, found none", "Fill the field."
)
GUID = Problem(
    "row.invalid_guid",
    "expected 1 to 255 characters of 0-9 a-z A-Z . - _ / @, found others or more",
)
LIST = Problem(
    "row.invalid_list",
    "expected items separated by commas, found an empty item",
    "Remove the comma too many.",
)
IDS = Problem("row.invalid_list", "expected items of the form {TYPE:id}, found another form")

is_guid = re.compile(r"[0-9a-zA-Z.\-_/@]{1,255}").fullmatch
_is_extension = re.compile(r"ext:[0-9a-zA-Z.\-_]+").fullmatch
_are_typed_ids = re.compile(r"\{[^{}:,]+:[^{},]+\}(,\{[^{}:,]+:[^{},]+\})*").fullmatch
_is_date = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch
_is_moment = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z"
).fullmatch
_is_year = re.compile(r"[0-9]{4}").fullmatch
_is_integer = re.compile(r"[+-]?[0-9]{1,15}").fullmatch
_is_float = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,2})?").fullmatch


def valid_date(value: str) -> bool:
    """YYYY-MM-DD, and in the calendar."""
    if not _is_date(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def valid_moment(value: str) -> bool:
    """A UTC dateTime, with or without a fraction of a second."""
    if not _is_moment(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _when(valid: Callable[[str], object], problem: Problem) -> Rule:
    return lambda value: None if valid(value) else problem


def text_list(value: str) -> Problem | None:
    """A list of any text."""
    return None if all(item.strip() for item in value.split(",")) else LIST


def _typed_ids(value: str) -> Problem | None:
    return None if _are_typed_ids(value) else text_list(value) or IDS


def guid_list(value: str) -> Problem | None:
    """A list of GUIDs."""
    return text_list(value) or (None if all(map(is_guid, value.split(","))) else GUID)


def enum(vocabulary: Vocabulary) -> Rule:
    """One word of a vocabulary; case matters."""
    by_case = {word.casefold(): word for word in vocabulary.values}
    expected = ", ".join(sorted(vocabulary.values))
    extension = " or an extension ext:…" if vocabulary.extensible else ""
    own = "A value of your own takes the prefix ext:, as in ext:mentor (0-9 a-z A-Z . - _)."

    def rule(value: str) -> Problem | None:
        if value in vocabulary.values or (vocabulary.extensible and _is_extension(value)):
            return None
        word = by_case.get(value.strip().casefold())
        found = "the same word in other letters or with spaces" if word else "another word"
        hint = f"Write {word}." if word else own if vocabulary.extensible else ""
        message = f"expected one of {expected}{extension}; found {found}"
        return Problem("row.invalid_enum", message, hint)

    return rule


def _enum_list(one: Rule) -> Rule:
    return lambda value: text_list(value) or next(filter(None, map(one, value.split(","))), None)


_SIMPLE: dict[str, Rule] = {
    "bool": _when(
        {"true", "false"}.__contains__,
        Problem("row.invalid_boolean", "expected true or false, found another word"),
    ),
    "date": _when(
        valid_date, Problem("row.invalid_date", "expected a date YYYY-MM-DD of the calendar")
    ),
    "moment": _when(
        valid_moment,
        Problem("row.invalid_datetime", "expected UTC time YYYY-MM-DDThh:mm:ss.sssZ"),
    ),
    "year": _when(_is_year, Problem("row.invalid_year", "expected a year YYYY")),
    "int": _when(_is_integer, Problem("row.invalid_integer", "expected a whole number")),
    "float": _when(
        _is_float, Problem("row.invalid_float", "expected a number with a decimal point")
    ),
    "list": text_list,
    "ids": _typed_ids,
    "ref": _when(is_guid, GUID),
    "refs": guid_list,
}


def rule_of(column: Column, own: Mapping[str, frozenset[str]] = {}) -> Rule | None:
    """The rule a filled value of `column` must keep; None if any text will do.

    `own`: words agreed with the sender, by vocabulary.
    """
    if column.kind == "enum":
        standard = VOCABULARIES[column.of]
        words = standard.values | own.get(column.of, frozenset())
        return enum(Vocabulary(words, standard.extensible))
    if column.kind == "enums":
        return _enum_list(enum(VOCABULARIES[column.of]))
    return _SIMPLE.get(column.kind)
