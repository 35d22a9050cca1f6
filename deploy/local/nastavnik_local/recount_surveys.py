"""Surveys: who was satisfied at exit, and how scores changed between entry and exit.

Per person, in a slice: the responses of the roles asked that have a score on the scale.

- at exit: the latest valid exit response dated in the year up to the end of the month counts (by
  date, then id); satisfied is a score of 7.00 or more;
- before: the earliest valid entry response (by date, then id) dated not later than that, in
  whatever year; without one there is no pair; the change is after − before.
"""

from collections import defaultdict
from collections.abc import Iterator

from nastavnik_local.recount_ledger import (
    DENOMINATOR,
    NUMERATOR,
    Line,
    change_lines,
    forms_named,
)
from nastavnik_local.recount_log import Log, Survey
from nastavnik_local.recount_people import Homes
from nastavnik_local.recount_time import Time

SATISFIED = 700
Asked = dict[str, tuple[str, tuple[str, ...]]]  # indicator → scale, roles
ANY_ROLE = ("mentor", "mentee", "parent", "teacher")
SHARES: Asked = {
    "satisfaction.mentees": ("satisfaction", ("mentee",)),
    "satisfaction.mentors": ("satisfaction", ("mentor",)),
    "results.teacher_environment": ("environment", ("teacher",)),
}
CHANGES: Asked = {
    "personal.motivation": ("motivation", ("mentee",)),
    "results.climate": ("climate", ANY_ROLE),
}
Responses = list[tuple[str, Survey]]  # id, response


def lines(log: Log, time: Time, homes: Homes) -> Iterator[Line]:
    for (person, slice_), responses in _by_person(log).items():
        if person not in homes:
            continue
        home, _ = homes[person]
        for indicator, (scale, roles) in SHARES.items():
            after = at_exit(responses, scale, roles, time)
            if after is not None:
                yield Line(indicator, DENOMINATOR, slice_, home)
                if after.scores[scale] >= SATISFIED:
                    yield Line(indicator, NUMERATOR, slice_, home)
        for indicator, (scale, roles) in CHANGES.items():
            after = at_exit(responses, scale, roles, time)
            before = at_entry(responses, scale, roles, after)
            if after is not None and before is not None:
                change = after.scores[scale] - before.scores[scale]
                yield Line(indicator, DENOMINATOR, slice_, home)
                yield Line(indicator, NUMERATOR, slice_, home, change)
                yield from change_lines(indicator, slice_, home, change)


def at_exit(responses: Responses, scale: str, roles: tuple[str, ...], time: Time) -> Survey | None:
    """The latest exit response of the year so far."""
    found: tuple[str, Survey] | None = None
    for ident, response in responses:
        if response.stage != "exit" or not time.counts(response.day):
            continue
        if response.role not in roles or scale not in response.scores:
            continue
        if found is None or (response.day, ident) > (found[1].day, found[0]):
            found = (ident, response)
    return found[1] if found else None


def at_entry(
    responses: Responses, scale: str, roles: tuple[str, ...], after: Survey | None
) -> Survey | None:
    """The earliest entry response not later than the exit response."""
    found: tuple[str, Survey] | None = None
    for ident, response in responses:
        if after is None or response.stage != "entry" or response.day > after.day:
            continue
        if response.role not in roles or scale not in response.scores:
            continue
        if found is None or (response.day, ident) < (found[1].day, found[0]):
            found = (ident, response)
    return found[1] if found else None


def _by_person(log: Log) -> dict[tuple[str, str], Responses]:
    """(person, slice) → the valid responses."""
    found: dict[tuple[str, str], Responses] = defaultdict(list)
    for ident, response in log.surveys.items():
        if response.status == "valid":
            for slice_ in forms_named(log, response.mentorship):
                found[response.respondent, slice_].append((ident, response))
    return found
