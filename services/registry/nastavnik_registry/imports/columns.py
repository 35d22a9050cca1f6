"""Checks of one column over a block of rows.

Columns are checked whole, by set operations over the block, and value by value only where that
finds a fault: a regional package has millions of rows and, as a rule, few faults.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

from nastavnik_registry.imports.findings import Problem
from nastavnik_registry.imports.values import GUID, MISSING, Rule, guid_list, is_guid

Values = Sequence[str]
Lines = Sequence[int]
Emit = Callable[[int, Problem], None]
Check = Callable[[Values, Lines], None]

_MEMO = 20_000  # distinct good values remembered per column,
_SHORT = 64  # if they are not longer than this

DUPLICATE = Problem(
    "reference.duplicate_sourced_id",
    "expected each sourcedId once in the file, found one again",
    "Keep one row for each object.",
)


class Ids:
    """The sourcedIds of a file. `complete` turns false when some row's id could not be read: then
    a reference that finds no target proves nothing. The empty string is always contained."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._known = known
        self.complete = True

    @cached_property
    def values(self) -> set[str]:
        """Made when somebody asks: files read by columns may never need it."""
        return {"", *self._known}


def required(emit: Emit, problem: Problem = MISSING) -> Check:
    def check(values: Values, lines: Lines) -> None:
        if "" in values:
            for line, value in zip(lines, values, strict=True):
                if not value:
                    emit(line, problem)

    return check


def blank(emit: Emit, problem: Problem) -> Check:
    def check(values: Values, lines: Lines) -> None:
        if any(values):
            for line, value in zip(lines, values, strict=True):
                if value:
                    emit(line, problem)

    return check


def each(rule: Rule, emit: Emit) -> Check:
    """Holds every filled value to `rule`; judges equal values once."""
    good = {""}

    def check(values: Values, lines: Lines) -> None:
        bad: dict[str, Problem] = {}
        fresh = set(values) - good
        for value in fresh:
            problem = rule(value)
            if problem is not None:
                bad[value] = problem
        if bad:
            for line, value in zip(lines, values, strict=True):
                if value in bad:
                    emit(line, bad[value])
        if len(good) + len(fresh) < _MEMO:
            good.update(value for value in fresh if len(value) <= _SHORT and value not in bad)

    return check


def identity(ids: Ids, emit: Emit) -> Check:
    """sourcedId: filled, well-formed, unique; what is read is added to `ids`."""

    def one(line: int, value: str) -> None:
        if not value:
            ids.complete = False
            emit(line, MISSING)
        elif not is_guid(value):
            ids.complete = False
            emit(line, GUID)
        elif value in ids.values:
            emit(line, DUPLICATE)
        else:
            ids.values.add(value)

    def check(values: Values, lines: Lines) -> None:
        fresh = set(values)
        if len(fresh) == len(values) and fresh.isdisjoint(ids.values) and all(map(is_guid, values)):
            ids.values |= fresh
            return
        for line, value in zip(lines, values, strict=True):
            one(line, value)

    return check


def _no_file(file: str) -> Problem:
    message = f"expected a record of {file}, found that the package has no such file"
    return Problem("reference.missing_target_file", message, f"Add {file} to the package.")


def _no_record(file: str) -> Problem:
    message = f"expected the sourcedId of a record in {file}, found one that is not there"
    hint = f"Add the record to {file} or correct the reference; a bulk package must be closed."
    return Problem("reference.missing_target_record", message, hint)


def absent_target(file: str, emit: Emit) -> Check:
    """References, single or lists, to a file the package does not have."""
    no_file = _no_file(file)
    return each(lambda value: guid_list(value) or no_file, emit)


def reference(file: str, target: Ids, emit: Emit) -> Check:
    """References to records of a file read before."""
    known, no_record = target.values, _no_record(file)

    def check(values: Values, lines: Lines) -> None:
        if known.issuperset(values):
            return
        for line, value in zip(lines, values, strict=True):
            if value not in known:
                if not is_guid(value):
                    emit(line, GUID)
                elif target.complete:
                    emit(line, no_record)

    return check


def references(file: str, target: Ids, emit: Emit) -> Check:
    """Lists of references to records of a file read before."""
    known, no_record = target.values, _no_record(file)

    def rule(value: str) -> Problem | None:
        problem = guid_list(value)
        if problem or not target.complete or known.issuperset(value.split(",")):
            return problem
        return no_record

    return each(rule, emit)


class Within:
    """References, single or lists, to records of the same file, which may come later."""

    def __init__(self, file: str, ids: Ids, emit: Emit) -> None:
        self._problem, self._ids, self._emit = _no_record(file), ids, emit
        self._open: list[tuple[int, str]] = []

    def check(self, values: Values, lines: Lines) -> None:
        known = self._ids.values
        if known.issuperset(values):
            return
        for line, value in zip(lines, values, strict=True):
            if value in known:
                continue
            problem = guid_list(value)
            if problem:
                self._emit(line, problem)
            elif not known.issuperset(value.split(",")):
                self._open.append((line, value))

    def finish(self) -> None:
        """After the last row: what is still not there is missing."""
        if self._ids.complete:
            for line, value in self._open:
                if not self._ids.values.issuperset(value.split(",")):
                    self._emit(line, self._problem)
        self._open.clear()
