"""Facts about one mentorship → what it adds to the cells, where it is run."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from nastavnik_common.clock import school_year
from nastavnik_common.events.activity import MentorshipState
from nastavnik_metrics import months
from nastavnik_metrics.catalogue.model import Catalogue
from nastavnik_metrics.cells import Adding, Cells, without_zeros
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
    """All it adds, with its sessions. Nothing while the mentorship is not known."""
    if mentorship is None:
        return {}
    total = Counter(states(mentorship, held_in(s.day for s in sessions), catalogue))
    for session in sessions:
        total.update(meeting(mentorship, session, catalogue))
    return without_zeros(total)


def held_in(days: Iterable[date]) -> Counter[int]:
    """School month → held sessions."""
    return Counter(map(months.month_of, days))


def states(mentorship: MentorshipState, held: Mapping[int, int], catalogue: Catalogue) -> Cells:
    """What it adds by being in its states. `held`: sessions by school month."""
    adding = Adding()
    at = forms(mentorship)
    found = _states(mentorship, held)
    for measure in catalogue.of("mentorships"):
        for span in found.get(measure.mentorships or "", ()):
            adding.add(mentorship.organization_id, span, at, measure.code)
    return adding.cells()


def meeting(mentorship: MentorshipState, session: Held, catalogue: Catalogue) -> Cells:
    """What one held session of it adds, where the mentorship is run."""
    adding = Adding()
    month = months.month_of(session.day)
    span = (month, months.year_end(month))
    slices = (*forms(mentorship), *ways(session.technology, session.audience))
    numbers = {
        "count": 1,
        "minutes": session.minutes,
        "attended": session.attended,
        "expected": session.expected,
    }
    for measure in catalogue.of("sessions"):
        n = numbers[measure.sessions or ""]
        adding.add(mentorship.organization_id, span, slices, measure.code, n)
    return adding.cells()


def _states(mentorship: MentorshipState, held: Mapping[int, int]) -> dict[str, list[Span]]:
    """State → the months in which the mentorship is in it."""
    found: dict[str, list[Span]] = defaultdict(list)
    for first, end in months.union(months.active(p.since, p.until) for p in mentorship.periods):
        found["active"].append((first, end))
    last = mentorship.periods[-1].until if mentorship.periods else None
    if mentorship.status in ("completed", "terminated") and last is not None:
        month = months.month_of(last - timedelta(days=1))
        found[mentorship.status].append((month, months.year_end(month)))
    for state, span in _regularity(mentorship, held):
        found[state].append(span)
    return found


def _regularity(mentorship: MentorshipState, held: Mapping[int, int]) -> Iterator[tuple[str, Span]]:
    """Too young, or judged and perhaps regular, month by month; after the last year in which
    anything happened an open mentorship is judged, and not regular, for ever."""
    if not mentorship.periods:
        return
    days = [d for p in mentorship.periods for d in (p.since, p.until) if d is not None]
    happened = [school_year(d) for d in days] + [months.year_of(month) for month in held]
    for year in range(min(school_year(d) for d in days), max(happened) + 1):
        yield from _year_of_regularity(mentorship, held, year)
    if any(p.until is None for p in mentorship.periods):
        yield "judged", (12 * (max(happened) + 1), months.LAST)


def _year_of_regularity(
    mentorship: MentorshipState, held: Mapping[int, int], year: int
) -> Iterator[tuple[str, Span]]:
    dosage = mentorship.sessions_per_month or DEFAULT_DOSAGE
    total = 0
    for month in range(12 * year, 12 * (year + 1)):
        total += held.get(month, 0)
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
