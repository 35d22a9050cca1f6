"""Gatherings: events of an organisation's programme, outside any one mentorship."""

from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from nastavnik_activity.domain import records
from nastavnik_activity.domain.records import Day, given
from nastavnik_activity.domain.sessions import Recorded
from nastavnik_common.errors import DomainError
from nastavnik_common.events.activity import Audience, GatheringState, Technology

MAX_MINUTES = 1440
MAX_ATTENDEES = 1_000_000


class NewGathering(msgspec.Struct, frozen=True, kw_only=True):
    """What a client asks for."""

    id: UUID | None = None
    organization_id: UUID
    status: Recorded = "held"
    date: Day
    duration_minutes: int
    technology: Technology | None = None
    audience: tuple[Audience, ...]
    attendees: int = 0


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """A correction; UNSET leaves a field as it is, but for the attendees of a cancelled one."""

    status: Recorded | UnsetType = UNSET
    date: Day | UnsetType = UNSET
    duration_minutes: int | UnsetType = UNSET
    technology: Technology | UnsetType | None = UNSET
    audience: tuple[Audience, ...] | UnsetType = UNSET
    attendees: int | UnsetType = UNSET


def record(new: NewGathering, ident: UUID, now: datetime) -> GatheringState:
    state = GatheringState(
        id=ident,
        version=1,
        organization_id=new.organization_id,
        status=new.status,
        date=new.date,
        duration_minutes=new.duration_minutes,
        technology=new.technology,
        audience=_audience(new.audience),
        attendees=new.attendees,
    )
    return _checked(state, now)


def correct(state: GatheringState, changes: Changes, now: datetime) -> GatheringState:
    """The corrected state; the same object when nothing changes."""
    records.check_valid("gathering", state.status)
    status = given(changes.status, state.status)
    stored = state.attendees if status == "held" else 0
    after = msgspec.structs.replace(
        state,
        status=status,
        date=given(changes.date, state.date),
        duration_minutes=given(changes.duration_minutes, state.duration_minutes),
        technology=given(changes.technology, state.technology),
        audience=_audience(given(changes.audience, state.audience)),
        attendees=given(changes.attendees, stored),
    )
    return records.newer(state, _checked(after, now))


def _checked(state: GatheringState, now: datetime) -> GatheringState:
    records.check_day("gathering", state.date, now)
    if state.status != "held" and state.attendees:
        raise DomainError("gathering.attendees_of_cancelled", "Nobody attends a cancelled one.")
    if state.duration_minutes > MAX_MINUTES:
        raise DomainError("gathering.too_long", f"It lasts at most {MAX_MINUTES} minutes.")
    return state


def _audience(found: tuple[Audience, ...]) -> tuple[Audience, ...]:
    return tuple(sorted(set(found)))
