"""Facts about one mentorship → what it adds to the cells, where it is run."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from nastavnik_common.clock import school_year
from nastavnik_common.events.activity import MentorshipState
from nastavnik_metrics import months
from nastavnik_metrics.catalogue.model import Catalogue
from nastavnik_metrics.cells import Adding, Cells
from nastavnik_metrics.months import Span
from nastavnik_metrics.owners.slices import forms, ways

YOUNG_DAYS = 30
DEFAULT_DOSAGE = 1


class Held(NamedTuple):
    """One held session."""

    day: date
    minutes: int
    technology: str | None
    audience: tuple[str, ...]
    attended: int
    expected: int


def cells(
    mentorship: MentorshipState | None, sessions: Sequence[Held], catalogue: Catalogue
) -> Cells:
    """Nothing while the mentorship is not known."""
    if mentorship is None:
        return {}
    adding = Adding()
    at = forms(mentorship)
    states = _states(mentorship, sessions)
    for measure in catalogue.of("mentorships"):
        for span in states.get(measure.mentorships or "", ()):
            adding.add(mentorship.organization_id, span, at, measure.code)
    wanted = catalogue.of("sessions")
    for (month, slices), numbers in _by_month(at, sessions).items():
        span = (month, months.year_end(month))
        for measure in wanted:
            n = numbers[_PLACES[measure.sessions or ""]]
            adding.add(mentorship.organization_id, span, slices, measure.code, n)
    return adding.cells()


_PLACES = {"count": 0, "minutes": 1, "attended": 2, "expected": 3}


def _by_month(
    at: tuple[str, ...], sessions: Sequence[Held]
) -> dict[tuple[int, tuple[str, ...]], list[int]]:
    """(school month, slices) → number, minutes, attended, expected."""
    found: dict[tuple[int, tuple[str, ...]], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for session in sessions:
        month = months.month_of(session.day)
        for slices in (at, *((way,) for way in ways(session.technology, session.audience))):
            numbers = found[month, slices]
            numbers[0] += 1
            numbers[1] += session.minutes
            numbers[2] += session.attended
            numbers[3] += session.expected
    return found


def _states(mentorship: MentorshipState, sessions: Sequence[Held]) -> dict[str, list[Span]]:
    """State → the months in which the mentorship is in it."""
    found: dict[str, list[Span]] = defaultdict(list)
    for first, end in months.union(months.active(p.since, p.until) for p in mentorship.periods):
        found["active"].append((first, end))
    last = mentorship.periods[-1].until if mentorship.periods else None
    if mentorship.status in ("completed", "terminated") and last is not None:
        month = months.month_of(last - timedelta(days=1))
        found[mentorship.status].append((month, months.year_end(month)))
    for state, span in _regularity(mentorship, sessions):
        found[state].append(span)
    return found


def _regularity(
    mentorship: MentorshipState, sessions: Sequence[Held]
) -> Iterator[tuple[str, Span]]:
    """Too young, or judged and perhaps regular, month by month; after the last year in which
    anything happened an open mentorship is judged, and not regular, for ever."""
    if not mentorship.periods:
        return
    days = [d for p in mentorship.periods for d in (p.since, p.until) if d is not None]
    happened = [school_year(d) for d in days] + [school_year(s.day) for s in sessions]
    for year in range(min(school_year(d) for d in days), max(happened) + 1):
        yield from _year_of_regularity(mentorship, sessions, year)
    if any(p.until is None for p in mentorship.periods):
        yield "judged", (12 * (max(happened) + 1), months.LAST)


def _year_of_regularity(
    mentorship: MentorshipState, sessions: Sequence[Held], year: int
) -> Iterator[tuple[str, Span]]:
    dosage = mentorship.sessions_per_month or DEFAULT_DOSAGE
    held: dict[int, int] = defaultdict(int)
    for session in sessions:
        held[months.month_of(session.day)] += 1
    total = 0
    for month in range(12 * year, 12 * (year + 1)):
        total += held[month]
        active = _active_days(mentorship, date(year, 9, 1), months.last_day(month))
        if active == 0:
            continue
        one = (month, month + 1)
        if active < YOUNG_DAYS:
            yield "too_young", one
            continue
        yield "judged", one
        if total >= dosage * active // YOUNG_DAYS:
            yield "regular", one


def _active_days(mentorship: MentorshipState, first: date, last: date) -> int:
    """Active days from first to last, both included; each once, though periods may overlap."""
    end = last + timedelta(days=1)
    total, counted_to = 0, first
    for since, until in sorted((p.since, p.until or end) for p in mentorship.periods):
        begins, ends = max(since, counted_to), min(until, end)
        if ends > begins:
            total += (ends - begins).days
            counted_to = ends
    return total
