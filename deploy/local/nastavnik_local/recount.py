"""Every indicator counted a second time, from the latest states in the log, by brute force.

For an auditor: the `recount*` modules hold the whole calculation and share no code with the
services. They go person by person, mentorship by mentorship, in the words of docs/counting.md, and
write down what each adds to which figure; here these lines are added up. A unit's figure is the
sum over the organisations that stand under it on 31 May.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from nastavnik_local import (
    recount_assessments,
    recount_mentorships,
    recount_people,
    recount_programmes,
    recount_surveys,
)
from nastavnik_local.recount_ledger import (
    ALL,
    COUNT,
    DENOMINATOR,
    NUMERATOR,
    SQUARES,
    SUM,
    Line,
    slices,
)
from nastavnik_local.recount_log import Log
from nastavnik_local.recount_time import LAST_MONTH, Time, at
from nastavnik_local.recount_tree import ancestors

KINDS = {  # indicator → kind of its value
    "coverage.students": "percent",
    "coverage.staff": "percent",
    "coverage.pooled": "percent",
    "coverage.mentees_10_19": "percent",
    "coverage.mentors_15_19": "percent",
    "coverage.young_specialists": "percent",
    "coverage.enterprises": "percent",
    "satisfaction.mentees": "percent",
    "satisfaction.mentors": "percent",
    "organisational.formalised": "percent",
    "organisational.mechanisms": "percent",
    "organisational.plan_fulfilment": "percent",
    "organisational.regularity": "percent",
    "organisational.completion": "percent",
    "methodical.mentors_trained": "percent",
    "methodical.base": "percent",
    "methodical.load": "quotient",
    "personal.attendance": "percent",
    "personal.motivation": "points",
    "results.educational": "percent",
    "results.sports": "percent",
    "results.cultural": "percent",
    "results.personality": "percent",
    "results.trajectories": "percent",
    "results.climate": "points",
    "results.teacher_environment": "percent",
    "results.community": "count",
    "results.resources": "rub",
    "results.contributions": "count",
    "activity.sessions": "count",
    "activity.hours": "hours",
}
INDICATORS = tuple(KINDS)
WITH_CHANGE = (*recount_surveys.CHANGES, *recount_assessments.DOMAINS)


class Change(NamedTuple):
    """Paired changes, in hundredths: how many, their sum, the sum of their squares."""

    pairs: int
    sum: int
    squares: int


class Figure(NamedTuple):
    """`denominator` is 0 for a mere number (count, rub, hours); `change` where there is one."""

    numerator: int
    denominator: int
    change: Change | None = None


Cell = tuple[str, str, str]  # indicator, slice, unit
Figures = dict[Cell, Figure]
Totals = dict[tuple[str, str, str, str], int]  # indicator, part, slice, organisation or unit


def recount(
    log: Log, year: int, month: int | None = None, plan_month: int | None = None
) -> Figures:
    """Every indicator for every slice and every unit, at the end of a school month.

    Months are 0 (September) to 11 (August, the default). `plan_month` is the last
    whole one, for plans and regularity; by default the same; −1: no month of the year is over.
    """
    month = LAST_MONTH if month is None else month
    time = at(year, month)
    plan_time = at(year, month if plan_month is None else plan_month)
    totals = _rolled_up(log, time, _added_up(log, _lines(log, time, plan_time)))
    every_slice = slices(log)
    return {
        (indicator, slice_, unit): _figure(totals, indicator, slice_, unit)
        for indicator in INDICATORS
        for slice_ in every_slice
        for unit in log.organizations
    }


def whole_denominator(indicator: str) -> bool:
    """Populations and programmes are only in `all`; every slice has them as its denominator."""
    return indicator.startswith("coverage.") or indicator in (
        "organisational.formalised",
        "organisational.mechanisms",
        "organisational.plan_fulfilment",
        "methodical.base",
    )


def _lines(log: Log, time: Time, plan_time: Time) -> Iterator[Line]:
    homes = recount_people.population(log, time)
    yield from recount_people.lines(log, time, homes)
    yield from recount_surveys.lines(log, time, homes)
    yield from recount_assessments.lines(log, time, homes)
    yield from recount_mentorships.lines(log, time, plan_time)
    yield from recount_programmes.lines(log, time, plan_time)


def _added_up(log: Log, lines: Iterator[Line]) -> Totals:
    """By organisation. What is put down at a unit that is none, or unknown, counts nowhere."""
    organizations = {i for i, o in log.organizations.items() if o.level == "organization"}
    found: Totals = defaultdict(int)
    for line in lines:
        if line.organization in organizations:
            found[line[:4]] += line.amount
    return found


def _rolled_up(log: Log, time: Time, totals: Totals) -> Totals:
    """By unit: each organisation's at itself and at every unit above it."""
    above = {unit: [unit, *ancestors(log, unit, time.census)] for unit in log.organizations}
    found: Totals = defaultdict(int)
    for (indicator, part, slice_, organization), amount in totals.items():
        for unit in above[organization]:
            found[indicator, part, slice_, unit] += amount
    return found


def _figure(totals: Totals, indicator: str, slice_: str, unit: str) -> Figure:
    def total(part: str, slice_: str = slice_) -> int:
        return totals.get((indicator, part, slice_, unit), 0)

    change = None
    if indicator in WITH_CHANGE:
        change = Change(total(COUNT), total(SUM), total(SQUARES))
    denominator = total(DENOMINATOR, ALL if whole_denominator(indicator) else slice_)
    return Figure(total(NUMERATOR), denominator, change)
