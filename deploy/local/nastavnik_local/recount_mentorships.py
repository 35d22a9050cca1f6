"""Mentorships and their sessions, counted at the organisation that runs them.

In `all`, their federal form, and their own form; held sessions also by technology and audience.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta

from nastavnik_local.recount_ledger import (
    DENOMINATOR,
    NUMERATOR,
    Line,
    forms_of,
    kinds_of_work,
)
from nastavnik_local.recount_log import Log, Mentorship
from nastavnik_local.recount_time import Time, active_days

OLD_ENOUGH = 30  # active days, from which on regularity is judged
Place = tuple[str, str]  # slice, organisation


def lines(log: Log, time: Time, plan_time: Time) -> Iterator[Line]:
    """`plan_time` is the end of the last whole month: plans and regularity are taken there."""
    yield from _sessions(log, time, plan_time)
    held = sessions_held(log, plan_time)
    for ident, mentorship in log.mentorships.items():
        judged = regular(mentorship, held[ident], plan_time)
        ended = ended_as(mentorship, time)
        for form in forms_of(mentorship):
            if judged is not None:
                yield _line("organisational.regularity", DENOMINATOR, form, mentorship)
                if judged:
                    yield _line("organisational.regularity", NUMERATOR, form, mentorship)
            if ended is not None:
                yield _line("organisational.completion", DENOMINATOR, form, mentorship)
                if ended == "completed":
                    yield _line("organisational.completion", NUMERATOR, form, mentorship)


def regular(mentorship: Mentorship, held: int, time: Time) -> bool | None:
    """Held sessions ≥ dosage × active days ÷ 30, rounded down; None: too young to judge.

    Active days are those of the year up to the end of the month; an open period runs on.
    """
    days = len(active_days(mentorship.periods, time.first, time.cut))
    if days < OLD_ENOUGH:
        return None
    dosage = mentorship.sessions_per_month or 1
    return held >= dosage * days // 30


def ended_as(mentorship: Mentorship, time: Time) -> str | None:
    """Completed or terminated, if its last active day lies in the year up to the month's end."""
    if mentorship.status not in ("completed", "terminated"):
        return None
    last_day = last_active_day(mentorship)
    return mentorship.status if last_day is not None and time.counts(last_day) else None


def last_active_day(mentorship: Mentorship) -> date | None:
    """The day before the last period's `until`."""
    if not mentorship.periods:
        return None
    _, until = mentorship.periods[-1]
    return until - timedelta(days=1) if until else None


def sessions_held(log: Log, time: Time) -> Counter[str]:
    """Mentorship → held sessions in the year up to the end of the month."""
    found: Counter[str] = Counter()
    for session in log.sessions.values():
        if session.status == "held" and time.counts(session.day):
            found[session.mentorship] += 1
    return found


def _sessions(log: Log, time: Time, plan_time: Time) -> Iterator[Line]:
    """Held sessions, their minutes, their attendance entries, and those who were there."""
    number: dict[Place, int] = defaultdict(int)
    minutes: dict[Place, int] = defaultdict(int)
    expected: dict[Place, int] = defaultdict(int)
    attended: dict[Place, int] = defaultdict(int)
    as_planned: dict[Place, int] = defaultdict(int)
    for session in log.sessions.values():
        mentorship = log.mentorships.get(session.mentorship)
        if session.status != "held" or mentorship is None:
            continue
        now, then = time.counts(session.day), plan_time.counts(session.day)
        work = kinds_of_work(session.technology, session.audience)
        for slice_ in forms_of(mentorship) | work:
            place = (slice_, mentorship.organization)
            if now:
                number[place] += 1
                minutes[place] += session.minutes
                expected[place] += len(session.attended) + len(session.absent)
                attended[place] += len(session.attended)
            if then:
                as_planned[place] += 1
    for amounts, indicator, part in (
        (number, "activity.sessions", NUMERATOR),
        (minutes, "activity.hours", NUMERATOR),
        (expected, "personal.attendance", DENOMINATOR),
        (attended, "personal.attendance", NUMERATOR),
        (as_planned, "organisational.plan_fulfilment", NUMERATOR),
    ):
        for (slice_, organization), amount in amounts.items():
            yield Line(indicator, part, slice_, organization, amount)


def _line(indicator: str, part: str, form: str, mentorship: Mentorship) -> Line:
    return Line(indicator, part, form, mentorship.organization)
