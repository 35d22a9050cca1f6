"""What surveys, assessments, contributions and gatherings have in common."""

from collections.abc import Hashable
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar
from uuid import UUID

import msgspec

from nastavnik_activity.domain.mentorships import EARLIEST, TOLERANCE
from nastavnik_common.errors import ConflictError, DomainError
from nastavnik_common.events.activity import (
    AssessmentState,
    ContributionState,
    GatheringState,
    MentorshipState,
    SurveyState,
)

S = TypeVar("S", SurveyState, AssessmentState, ContributionState, GatheringState)
T = TypeVar("T")
Day = date
"""For structs with a field of the name `date`."""
MAX_HUNDREDTHS = 10**15
"""Exact in every JSON reader."""


class Scope(msgspec.Struct, frozen=True):
    """What a survey or an assessment is about: a mentorship, or else the whole organisation."""

    organization_id: UUID
    mentorship: MentorshipState | None = None

    @property
    def mentorship_id(self) -> UUID | None:
        return self.mentorship.id if self.mentorship else None

    def roles(self, participant: UUID) -> set[str]:
        """Of the participant in the mentorship."""
        members = self.mentorship.members if self.mentorship else ()
        return {m.role for m in members if m.participant_id == participant}


class Ledger:
    """Which stages are recorded, and when. A group is what may be compared with each other.

    The last stage is not dated before the first. Both are recorded once in a group; others, once
    a day.
    """

    def __init__(self, kind: str, first: str, last: str, crossed: str) -> None:
        """`crossed`: the reason of the error when the last stage comes before the first."""
        self._kind, self._first, self._last, self._crossed = kind, first, last, crossed
        self._days: dict[tuple[Hashable, str], set[date]] = {}

    def add(self, group: Hashable, stage: str, day: date) -> None:
        """DomainError, and nothing added, if it does not fit what is there."""
        once = stage in (self._first, self._last)
        there = self._days.get((group, stage), set())
        if day in there or (once and there):
            raise ConflictError(
                f"{self._kind}.duplicate", f"There is a valid {self._kind} of that stage already."
            )
        if not self._in_order(group, stage, day):
            raise DomainError(
                f"{self._kind}.{self._crossed}",
                f"The {self._last} would be dated before the {self._first}.",
            )
        self.put(group, stage, day)

    def put(self, group: Hashable, stage: str, day: date) -> None:
        """What is stored is not judged again."""
        self._days.setdefault((group, stage), set()).add(day)

    def _in_order(self, group: Hashable, stage: str, day: date) -> bool:
        if stage == self._first:
            return all(day <= last for last in self._days.get((group, self._last), ()))
        if stage == self._last:
            return all(first <= day for first in self._days.get((group, self._first), ()))
        return True


def check_day(kind: str, day: date, now: datetime) -> None:
    if day < EARLIEST:
        raise DomainError(f"{kind}.date_out_of_range", f"Days before {EARLIEST} are not kept.")
    if day > now.date() + TOLERANCE:
        raise DomainError(f"{kind}.in_future", "That day has not come yet.")


def check_valid(kind: str, status: str) -> None:
    if status == "voided":
        raise ConflictError(f"{kind}.voided", f"A voided {kind} is not corrected; record it anew.")


def void(state: S) -> S:
    """It does not count any more. Voiding twice changes nothing."""
    if state.status == "voided":
        return state
    return msgspec.structs.replace(state, version=state.version + 1, status="voided")


def newer(before: S, after: S) -> S:
    """The corrected state with the next version; the same object when nothing changes."""
    if after == before:
        return before
    return msgspec.structs.replace(after, version=before.version + 1)


def hundredths(value: Decimal, code: str) -> int:
    """DomainError with the code when there is more precision, or more of it, than is kept."""
    # the exponent is looked at first: 1e999999999 would fill the memory
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -2 or value.adjusted() > 15:
        raise DomainError(code, "A number with at most two decimal places, and of sane size.")
    found = int(value.scaleb(2))
    if abs(found) > MAX_HUNDREDTHS:
        raise DomainError(code, f"It is at most {MAX_HUNDREDTHS // 100}.")
    return found


def given(value: T | msgspec.UnsetType, stored: T) -> T:
    """The value, or what is stored if none was given."""
    return stored if isinstance(value, msgspec.UnsetType) else value
