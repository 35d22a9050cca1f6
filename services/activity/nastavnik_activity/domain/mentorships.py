"""Mentorships: who works together, and when.

``on`` of a transition is an active day, as people say "completed on the 25th" after a meeting on
the 25th: activated, resumed or reopened on D, active from D; paused, completed or terminated on
D, D is the last active day. Active stretches are half-open periods, disjoint and in order; one
that begins before the day after the last one's end, or on it, continues it.
"""

from datetime import date, timedelta
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from nastavnik_activity.domain.forms import FormCode
from nastavnik_common import clock
from nastavnik_common.errors import ConflictError, DomainError
from nastavnik_common.events.activity import (
    FederalForm,
    Member,
    MentorshipState,
    MentorshipStatus,
    Period,
)

Action = Literal["activate", "pause", "resume", "complete", "terminate", "reopen"]
MAX_MEMBERS = 500
EARLIEST = date(1990, 9, 1)
# it may already be tomorrow where the client is; Kamchatka is 12 hours ahead of our UTC
TOLERANCE = timedelta(days=1)
# in summer mentorships are formed for the school year that has not begun
AHEAD = timedelta(days=92)
REASON_PATTERN = r"^[a-z][a-z0-9_]{1,62}$"

_FROM: dict[Action, tuple[MentorshipStatus, ...]] = {
    "activate": ("draft",),
    "pause": ("active",),
    "resume": ("paused",),
    "complete": ("active", "paused"),
    "terminate": ("active", "paused"),
    "reopen": ("completed", "terminated"),
}
_TO: dict[Action, MentorshipStatus] = {
    "activate": "active",
    "pause": "paused",
    "resume": "active",
    "complete": "completed",
    "terminate": "terminated",
    "reopen": "active",
}
VERBS: dict[Action, str] = {
    "activate": "activated",
    "pause": "paused",
    "resume": "resumed",
    "complete": "completed",
    "terminate": "terminated",
    "reopen": "reopened",
}


class NewMember(Member, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A member as a client names it."""


class NewMentorship(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a client asks for. `active_from` given: active from that day; absent: a draft."""

    id: UUID | None = None
    organization_id: UUID
    type: Literal["pair", "group"]
    form: FormCode
    members: Annotated[tuple[NewMember, ...], Meta(max_length=MAX_MEMBERS)]
    active_from: date | None = None
    sessions_per_month: Annotated[int, Meta(ge=1, le=100)] | None = None


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """A correction; UNSET leaves a field as it is."""

    members: tuple[Member, ...] | msgspec.UnsetType = msgspec.UNSET
    sessions_per_month: int | msgspec.UnsetType | None = msgspec.UNSET
    form: str | msgspec.UnsetType = msgspec.UNSET


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """A transition as asked for."""

    action: Action
    on: date
    reason: str | None = None


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a transition is judged by, besides the state."""

    today: date
    last_on: date | None
    """Day of the last transition."""
    last_session: date | None
    """Day of the last held session."""


def form(new: NewMentorship, ident: UUID, federal: FederalForm, today: date) -> MentorshipState:
    """The first state: a draft, or active from `active_from`."""
    members = tuple(Member(participant_id=m.participant_id, role=m.role) for m in new.members)
    state = MentorshipState(
        id=ident,
        version=1,
        organization_id=new.organization_id,
        type=new.type,
        form=new.form,
        federal_form=federal,
        status="draft",
        members=composed(new.type, members),
        sessions_per_month=new.sessions_per_month,
    )
    if new.active_from is None:
        return state
    _check_start(new.active_from, today)
    return msgspec.structs.replace(state, status="active", periods=(Period(since=new.active_from),))


def composed(kind: Literal["pair", "group"], members: tuple[Member, ...]) -> tuple[Member, ...]:
    """The members in canonical order, if they make a pair or a group."""
    if len({m.participant_id for m in members}) != len(members):
        raise DomainError("mentorship.duplicate_member", "Nobody may be named twice.")
    roles = [m.role for m in members]
    mentors, mentees = roles.count("mentor"), roles.count("mentee")
    if kind == "pair" and (mentors, mentees) != (1, 1):
        raise DomainError(
            "mentorship.bad_composition",
            "A pair is exactly one mentor and one mentee; curators may be added.",
        )
    if kind == "group" and (mentors < 1 or mentees < 1 or len(members) < 3):
        raise DomainError(
            "mentorship.bad_composition",
            "A group is at least one mentor, one mentee, and three people.",
        )
    return tuple(sorted(members, key=lambda m: (_ORDER[m.role], m.participant_id)))


_ORDER = {"mentor": 0, "mentee": 1, "curator": 2}


def move(state: MentorshipState, asked: Move, facts: Facts) -> MentorshipState:
    """The state after a transition. 409: wrong status or a date before what has happened."""
    if state.status not in _FROM[asked.action]:
        raise ConflictError(
            "mentorship.wrong_status",
            f"A {state.status} mentorship cannot be {VERBS[asked.action]}.",
        )
    if asked.action == "terminate" and asked.reason is None:
        raise DomainError("mentorship.reason_required", "Say why it is terminated.")
    _check_day(asked, facts)
    opens = _TO[asked.action] == "active"
    if not opens and facts.last_session is not None and facts.last_session > asked.on:
        raise ConflictError(
            "mentorship.sessions_after",
            "Held sessions are logged after that day; void or correct them first.",
        )
    return msgspec.structs.replace(
        state,
        version=state.version + 1,
        status=_TO[asked.action],
        periods=_opened(state.periods, asked.on) if opens else _closed(state.periods, asked.on),
        reason=None if opens else asked.reason,
    )


def changed(
    state: MentorshipState, changes: Changes, federal: FederalForm | None
) -> MentorshipState:
    """The corrected state; the same object when nothing changes. `federal` of a new form."""
    if state.status in ("completed", "terminated"):
        raise ConflictError("mentorship.closed", f"It is {state.status}; reopen it first.")
    members, dosage, code = changes.members, changes.sessions_per_month, changes.form
    after = msgspec.structs.replace(
        state,
        members=state.members
        if isinstance(members, msgspec.UnsetType)
        else composed(state.type, members),
        sessions_per_month=state.sessions_per_month
        if isinstance(dosage, msgspec.UnsetType)
        else dosage,
        form=state.form if isinstance(code, msgspec.UnsetType) else code,
        federal_form=federal or state.federal_form,
    )
    if after == state:
        return state
    return msgspec.structs.replace(after, version=state.version + 1)


def _check_day(asked: Move, facts: Facts) -> None:
    if asked.action == "activate":
        _check_start(asked.on, facts.today)
        return
    _check_range(asked.on)
    if asked.on > facts.today + TOLERANCE:
        raise DomainError("mentorship.date_in_future", "That day has not come yet.")
    if facts.last_on is not None and asked.on < facts.last_on:
        raise ConflictError(
            "mentorship.date_backwards", f"The last change was on {facts.last_on}, later than that."
        )


def _check_start(day: date, today: date) -> None:
    """Up to the end of the current school year, or 92 days ahead if that is later."""
    _check_range(day)
    latest = max(date(clock.school_year(today) + 1, 8, 31), today + AHEAD)
    if day > latest:
        raise DomainError("mentorship.date_in_future", f"It may begin until {latest}.")


def _check_range(day: date) -> None:
    if day < EARLIEST:
        raise DomainError("mentorship.date_out_of_range", f"Days before {EARLIEST} are not kept.")


def _opened(periods: tuple[Period, ...], on: date) -> tuple[Period, ...]:
    last = periods[-1] if periods else None
    if last is not None and last.until is not None and on <= last.until:
        return (*periods[:-1], Period(since=last.since))
    return (*periods, Period(since=on))


def _closed(periods: tuple[Period, ...], on: date) -> tuple[Period, ...]:
    if not periods or periods[-1].until is not None:
        return periods
    return (*periods[:-1], Period(since=periods[-1].since, until=on + timedelta(days=1)))
