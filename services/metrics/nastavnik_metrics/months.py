"""Sets of school months as half-open spans ``[first, end)`` of plain integers.

Month 0 of a school year is September, 11 is August; the number of a month is 12 × year + month.
An open end is `LAST` and an unknown beginning is `FIRST`, so that a membership without dates needs
neither a horizon nor a clock.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from nastavnik_common.clock import school_year

FIRST = 0
LAST = 12 * 9999
Span = tuple[int, int]
ALWAYS: Span = (FIRST, LAST)
NEVER: Span = (FIRST, FIRST)


def month_of(day: date) -> int:
    return 12 * school_year(day) + (day.month - 9) % 12


def year_of(month: int) -> int:
    return month // 12


def year_end(month: int) -> int:
    """The first month of the next school year: where everything starts anew."""
    return 12 * (month // 12 + 1)


def last_month(year: int) -> int:
    return 12 * year + 11


def last_day(month: int) -> date:
    year, number = divmod(month, 12)
    calendar = 12 * year + 8 + number + 1  # months since year 0, of the month after
    return date(calendar // 12, calendar % 12 + 1, 1) - timedelta(days=1)


def counted(since: date | None, until: date | None, census: tuple[int, int]) -> Span:
    """The school years whose census date (month, day, in the year's second calendar year) lies in
    ``[since, until)``, from their first month to their last."""
    return (
        FIRST if since is None else 12 * _first_census(since, census),
        LAST if until is None else 12 * _first_census(until, census),
    )


def _first_census(day: date, census: tuple[int, int]) -> int:
    """The first school year whose census date is not before the day."""
    return day.year - 1 if (day.month, day.day) <= census else day.year


def aged(origin: int | None, between: tuple[int, int] | None) -> Span:
    """The years in which ``year - origin`` lies in the closed range; none without an origin."""
    if between is None:
        return ALWAYS
    if origin is None:
        return NEVER
    return 12 * (origin + between[0]), 12 * (origin + between[1] + 1)


def active(since: date, until: date | None) -> Span:
    """From the month of the first active day to the end of the school year of the last."""
    if until is None:
        return month_of(since), LAST
    if until <= since:
        return NEVER
    return month_of(since), year_end(month_of(until - timedelta(days=1)))


def meet(*sets: Span) -> Span:
    """The common part; empty when first ≥ end."""
    return max(s[0] for s in sets), min(s[1] for s in sets)


def union(sets: Iterable[Span]) -> list[Span]:
    """Disjoint spans in order that cover the same months."""
    found: list[Span] = []
    for first, end in sorted(s for s in sets if s[0] < s[1]):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((first, end))
    return found


def subtract(whole: Span, parts: Sequence[Span]) -> list[Span]:
    """What of `whole` lies in none of `parts`."""
    rest, start = [], whole[0]
    for first, end in union(parts):
        if first > start:
            rest.append((start, min(first, whole[1])))
        start = max(start, end)
    rest.append((start, whole[1]))
    return [r for r in rest if r[0] < r[1]]
