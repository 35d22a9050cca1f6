"""Sets of school years as half-open intervals ``[first, end)`` of plain integers.

An open end is `LAST` and an unknown beginning is `FIRST`, so that a membership without dates
needs neither a horizon nor a clock.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from nastavnik_common.clock import school_year

FIRST = 0
LAST = 9999
Years = tuple[int, int]
ALWAYS: Years = (FIRST, LAST)


def counted(since: date | None, until: date | None, census: tuple[int, int]) -> Years:
    """The years whose census date (month, day, in the year's second calendar year) lies in
    ``[since, until)``."""
    return (
        FIRST if since is None else _first_census(since, census),
        LAST if until is None else _first_census(until, census),
    )


def _first_census(day: date, census: tuple[int, int]) -> int:
    """The first school year whose census date is not before the day."""
    return day.year - 1 if (day.month, day.day) <= census else day.year


def touched(since: date, until: date | None) -> Years:
    """The years that ``[since, until)`` has at least a day in; empty when it has none."""
    if until is None:
        return school_year(since), LAST
    if until <= since:
        return FIRST, FIRST
    return school_year(since), school_year(until - timedelta(days=1)) + 1


def aged(origin: int | None, between: tuple[int, int] | None) -> Years:
    """The years in which ``year - origin`` lies in the closed range; none without an origin."""
    if between is None:
        return ALWAYS
    if origin is None:
        return FIRST, FIRST
    return origin + between[0], origin + between[1] + 1


def meet(*sets: Years) -> Years:
    """The common part; empty when first ≥ end."""
    return max(s[0] for s in sets), min(s[1] for s in sets)


def union(sets: Iterable[Years]) -> list[Years]:
    """Disjoint intervals in order that cover the same years."""
    found: list[Years] = []
    for first, end in sorted(s for s in sets if s[0] < s[1]):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((first, end))
    return found


def subtract(whole: Years, parts: Sequence[Years]) -> list[Years]:
    """What of `whole` lies in none of `parts`."""
    rest, start = [], whole[0]
    for first, end in union(parts):
        if first > start:
            rest.append((start, min(first, whole[1])))
        start = max(start, end)
    rest.append((start, whole[1]))
    return [r for r in rest if r[0] < r[1]]
