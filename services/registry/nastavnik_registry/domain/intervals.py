"""Stretches of time."""

from collections.abc import Iterable
from datetime import date
from itertools import pairwise
from typing import Protocol

from nastavnik_common.errors import DomainError


class Interval(Protocol):
    """[since, until); null: open on that side."""

    @property
    def since(self) -> date | None: ...
    @property
    def until(self) -> date | None: ...


def interval_key(interval: Interval) -> tuple[date, date]:
    return (interval.since or date.min, interval.until or date.max)


def check_interval(interval: Interval) -> None:
    since, until = interval_key(interval)
    if since >= until:
        raise DomainError("interval.empty", "`since` must be before `until`.")


def overlapping(intervals: Iterable[Interval]) -> bool:
    ordered = sorted(map(interval_key, intervals))
    return any(a[1] > b[0] for a, b in pairwise(ordered))
