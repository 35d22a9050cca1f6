"""Time as the counting rules have it: school years, school months, the census date."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import NamedTuple

LAST_MONTH = 11  # August


class Time(NamedTuple):
    """A school year Y, looked at from the end of a school month of it."""

    year: int
    first: date  # 1 September Y
    cut: date  # the first day after the school month
    end: date  # 1 September Y+1
    census: date  # 31 May Y+1

    def counts(self, day: date) -> bool:
        """In Y, up to the end of the month."""
        return self.first <= day < self.cut


def at(year: int, month: int) -> Time:
    """School months are 0 (September) to 11 (August); at −1 nothing of the year has passed."""
    passed = 8 + month + 1  # calendar months since January Y
    cut = date(year + passed // 12, passed % 12 + 1, 1)
    return Time(year, date(year, 9, 1), cut, date(year + 1, 9, 1), date(year + 1, 5, 31))


def last_whole_month(watermark: datetime | None, year: int) -> int:
    """The last school month of the year that was over at the watermark; −1 if none was."""
    if watermark is None:
        return -1
    day = watermark.astimezone(UTC).date()
    begun = (day.year - year) * 12 + day.month - 9  # the school month the watermark lies in
    return max(-1, min(begun - 1, LAST_MONTH))


def contains(since: date | None, until: date | None, day: date) -> bool:
    """[since, until), open where it is None."""
    return (since is None or since <= day) and (until is None or day < until)


def active_days(periods: Iterable[tuple[date, date | None]], first: date, after: date) -> set[int]:
    """The days (as ordinals) of [first, after) that lie in one of the periods."""
    days: set[int] = set()
    for since, until in periods:
        begin = max(since, first)
        stop = after if until is None else min(until, after)
        days.update(range(begin.toordinal(), stop.toordinal()))
    return days
