"""Sessions: meetings that took place, or were called off.

A session belongs to the day of its start at its own offset, and that day must lie in a period in
which the mentorship was active. Held sessions of one mentorship do not overlap; one may begin
at the moment another ends.
"""

import bisect
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal, TypeVar
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from nastavnik_activity.domain.mentorships import EARLIEST
from nastavnik_common.errors import ConflictError, DomainError
from nastavnik_common.events.activity import (
    Attendance,
    Audience,
    MentorshipState,
    SessionState,
    Technology,
)

MAX_MINUTES = 720
MAX_ATTENDANCE = 500
CLOCK_SKEW = timedelta(minutes=5)
Recorded = Literal["held", "cancelled"]
T = TypeVar("T")


class NewAttendance(Attendance, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An attendance as a client names it."""


class NewSession(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a client asks for. A held one without `attendance`: every mentor and mentee came."""

    id: UUID | None = None
    mentorship_id: UUID
    status: Recorded = "held"
    starts_at: Annotated[datetime, Meta(tz=True)]
    duration_minutes: Annotated[int, Meta(ge=1)]
    technology: Technology | None = None
    audience: Annotated[tuple[Audience, ...], Meta(max_length=20)] = ()
    attendance: Annotated[tuple[NewAttendance, ...], Meta(max_length=MAX_ATTENDANCE)] | None = None


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """A correction; UNSET leaves a field as it is. `attendance` None: everyone came."""

    status: Recorded | UnsetType = UNSET
    starts_at: datetime | UnsetType = UNSET
    duration_minutes: int | UnsetType = UNSET
    technology: Technology | UnsetType | None = UNSET
    audience: tuple[Audience, ...] | UnsetType = UNSET
    attendance: tuple[Attendance, ...] | UnsetType | None = UNSET


def log(new: NewSession, ident: UUID, mentorship: MentorshipState, now: datetime) -> SessionState:
    """The first state. Overlap is for the caller to check, with `Calendar` or the database."""
    check_time(new.starts_at, new.duration_minutes, mentorship, now)
    return SessionState(
        id=ident,
        version=1,
        mentorship_id=mentorship.id,
        status=new.status,
        starts_at=new.starts_at,
        date=new.starts_at.date(),
        duration_minutes=new.duration_minutes,
        technology=new.technology,
        audience=_audience(new.audience),
        attendance=_attendance(new.status, new.attendance, mentorship, frozenset()),
    )


def correct(
    state: SessionState, changes: Changes, mentorship: MentorshipState, now: datetime
) -> SessionState:
    """The corrected state; the same object when nothing changes."""
    if state.status == "voided":
        raise ConflictError("session.voided", "A voided session is not corrected; log it anew.")
    status = _or(changes.status, state.status)
    starts_at = _or(changes.starts_at, state.starts_at)
    minutes = _or(changes.duration_minutes, state.duration_minutes)
    moved = (starts_at, minutes) != (state.starts_at, state.duration_minutes)
    if moved or starts_at.utcoffset() != state.starts_at.utcoffset():
        check_time(starts_at, minutes, mentorship, now)
    after = msgspec.structs.replace(
        state,
        status=status,
        starts_at=starts_at,
        date=starts_at.date(),
        duration_minutes=minutes,
        technology=_or(changes.technology, state.technology),
        audience=_audience(_or(changes.audience, state.audience)),
        attendance=_corrected_attendance(state, changes, status, mentorship),
    )
    if after == state and after.date == state.date:
        return state
    return msgspec.structs.replace(after, version=state.version + 1)


def void(state: SessionState) -> SessionState:
    """It did not take place after all. Voiding twice changes nothing."""
    if state.status == "voided":
        return state
    return msgspec.structs.replace(state, version=state.version + 1, status="voided")


def ends_at(state: SessionState) -> datetime:
    return state.starts_at + timedelta(minutes=state.duration_minutes)


def overlaps() -> DomainError:
    return DomainError(
        "session.overlaps", "Another held session of the mentorship overlaps in time."
    )


def check_time(
    starts_at: datetime, minutes: int, mentorship: MentorshipState, now: datetime
) -> None:
    """Not too long, not in the future, on a day on which the mentorship was active."""
    if minutes > MAX_MINUTES:
        raise DomainError("session.too_long", f"A session lasts at most {MAX_MINUTES} minutes.")
    if starts_at > now + CLOCK_SKEW:
        raise DomainError("session.in_future", "It has not begun yet.")
    day = starts_at.date()
    for period in mentorship.periods:
        if period.since <= day and (period.until is None or day < period.until):
            return
    if mentorship.periods and day < mentorship.periods[0].since:
        raise DomainError(
            "session.before_mentorship",
            f"The mentorship is active from {mentorship.periods[0].since}.",
        )
    raise DomainError(
        "session.mentorship_not_active", "The mentorship was not active on the session's day."
    )


def plausible(new: NewSession, now: datetime) -> bool:
    """Whether its time can pass at all, and so is worth comparing with others."""
    return (
        new.duration_minutes <= MAX_MINUTES
        and new.starts_at.year >= EARLIEST.year
        and new.starts_at <= now + CLOCK_SKEW
    )


class Calendar:
    """Held sessions of one mentorship. They do not overlap, so neighbours tell everything."""

    def __init__(self, busy: Iterable[tuple[datetime, datetime]] = ()) -> None:
        self._busy = sorted(busy)

    def add(self, begin: datetime, end: datetime) -> bool:
        """False, and nothing added, when the half-open stretch overlaps another."""
        at = bisect.bisect_left(self._busy, (begin, end))
        if at > 0 and self._busy[at - 1][1] > begin:
            return False
        if at < len(self._busy) and self._busy[at][0] < end:
            return False
        self._busy.insert(at, (begin, end))
        return True


def _corrected_attendance(
    state: SessionState, changes: Changes, status: str, mentorship: MentorshipState
) -> tuple[Attendance, ...]:
    given = changes.attendance
    if isinstance(given, UnsetType):
        if status == state.status:
            return state.attendance
        return _attendance(status, None, mentorship, frozenset())
    # who was recorded before may have left the mentorship since
    earlier = frozenset(a.participant_id for a in state.attendance)
    return _attendance(status, given, mentorship, earlier)


def _attendance(
    status: str,
    given: Sequence[Attendance] | None,
    mentorship: MentorshipState,
    also: frozenset[UUID],
) -> tuple[Attendance, ...]:
    if status != "held":
        if given:
            raise DomainError(
                "session.attendance_of_cancelled", "A cancelled session has no attendance."
            )
        return ()
    if given is None:
        present = sorted(m.participant_id for m in mentorship.members if m.role != "curator")
        return tuple(Attendance(participant_id=p, attended=True) for p in present)
    found = {a.participant_id: a.attended for a in given}
    if len(found) != len(given):
        raise DomainError("session.duplicate_attendance", "A participant is named twice.")
    if not found.keys() <= {m.participant_id for m in mentorship.members} | also:
        raise DomainError("session.outsider", "A participant is not in the mentorship.")
    return tuple(Attendance(participant_id=p, attended=found[p]) for p in sorted(found))


def _audience(given: tuple[Audience, ...]) -> tuple[Audience, ...]:
    return tuple(sorted(set(given)))


def _or(given: T | UnsetType, stored: T) -> T:
    return stored if isinstance(given, UnsetType) else given
