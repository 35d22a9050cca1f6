"""Rules between the columns of a row, and between rows, beyond plain references."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set

from nastavnik_registry.imports.columns import Lines, Values
from nastavnik_registry.imports.findings import Problem
from nastavnik_registry.imports.schema import VOCABULARIES
from nastavnik_registry.imports.values import is_guid, valid_date

Block = Mapping[str, Values]
Say = Callable[[int, str, Problem], None]  # line, column, problem
RowRule = Callable[[Block, Lines], None]

END = Problem(
    "semantic.end_before_begin", "expected an end on or after the begin, found an earlier date"
)
CODES = Problem(
    "semantic.subject_codes_length",
    "expected one code for each subject, found lists of different length",
)
PRIMARY = Problem(
    "semantic.primary_role_conflict",
    "expected one primary role for a user in an organisation, found another one",
    "Make one of them secondary.",
)
NOT_SCHOOL = Problem(
    "semantic.wrong_org_type", "expected an organisation of type school, found another type"
)
_PERIODS = {
    "academicSessions": ("startDate", "endDate"),
    "roles": ("beginDate", "endDate"),
    "enrollments": ("beginDate", "endDate"),
}


def row_rules(table: str, mode: str, not_schools: set[str], say: Say) -> list[RowRule]:
    """The rules of a table. `not_schools` is filled by orgs and used by the tables after it."""
    rules: list[RowRule] = []
    if table in _PERIODS:
        rules.append(_period(*_PERIODS[table], say))
    if table in ("classes", "courses"):
        rules.append(_subject_codes(say))
    if table == "orgs":
        rules.append(_collect_not_schools(not_schools))
    if table == "roles":
        rules.append(_one_primary(say))
    if table in ("classes", "enrollments") and mode == "bulk":
        rules.append(_school(not_schools, say))
    return rules


def _period(begin: str, end: str, say: Say) -> RowRule:
    def rule(block: Block, lines: Lines) -> None:
        ends = block[end]
        if not any(ends):
            return
        for line, first, last in zip(lines, block[begin], ends, strict=True):
            if last and last < first and valid_date(first) and valid_date(last):
                say(line, end, END)

    return rule


def _subject_codes(say: Say) -> RowRule:
    """Only where both lists are given: each is optional."""

    def rule(block: Block, lines: Lines) -> None:
        for line, names, codes in zip(lines, block["subjects"], block["subjectCodes"], strict=True):
            if names and codes and names.count(",") != codes.count(","):
                say(line, "subjectCodes", CODES)

    return rule


def _one_primary(say: Say) -> RowRule:
    seen: set[str] = set()

    def rule(block: Block, lines: Lines) -> None:
        rows = zip(
            lines,
            block["roleType"],
            block["userSourcedId"],
            block["orgSourcedId"],
            block["status"],
            strict=True,
        )
        for line, kind, user, org, status in rows:
            if kind != "primary" or status == "tobedeleted":
                continue
            if not is_guid(user) or not is_guid(org):
                continue
            key = f"{user} {org}"
            if key in seen:
                say(line, "roleType", PRIMARY)
            else:
                seen.add(key)

    return rule


def _collect_not_schools(not_schools: set[str]) -> RowRule:
    """Own types (ext:…) may be schools, and a faulty type says nothing."""
    others: Set[str] = VOCABULARIES["orgType"].values - {"school"}

    def rule(block: Block, lines: Lines) -> None:
        pairs = zip(block["sourcedId"], block["type"], strict=True)
        not_schools.update(org for org, kind in pairs if kind in others)

    return rule


def _school(not_schools: set[str], say: Say) -> RowRule:
    def rule(block: Block, lines: Lines) -> None:
        schools = block["schoolSourcedId"]
        if not_schools.isdisjoint(schools):
            return
        for line, school in zip(lines, schools, strict=True):
            if school in not_schools:
                say(line, "schoolSourcedId", NOT_SCHOOL)

    return rule
