"""States the activity service publishes."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from nastavnik_common.events.base import State

FederalForm = Literal[
    "student_student",
    "teacher_teacher",
    "university_student_pupil",
    "employer_pupil",
    "employer_student",
]
MentorshipStatus = Literal["draft", "active", "paused", "completed", "terminated"]
Role = Literal["mentor", "mentee", "curator"]
SessionStatus = Literal["held", "cancelled", "voided"]
Technology = Literal[
    "interactive",
    "training_course",
    "project",
    "consultation",
    "talk",
    "training",
    "workshop",
    "information",
]
Audience = Literal["external", "mentors", "mentees", "parents", "staff"]


class Member(msgspec.Struct, frozen=True, kw_only=True):
    participant_id: UUID
    role: Role


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of time in which the mentorship was active."""

    since: date
    until: Annotated[date | None, Meta(description="First day no longer; null: open")] = None


class MentorshipState(State, frozen=True, kw_only=True):
    """A pair or a group working together in one form of mentoring."""

    organization_id: Annotated[UUID, Meta(description="Where the programme is run")]
    type: Literal["pair", "group"]
    form: Annotated[str, Meta(description="Code of the form: a federal one or a region's own")]
    federal_form: FederalForm
    status: MentorshipStatus
    members: tuple[Member, ...]
    periods: Annotated[tuple[Period, ...], Meta(description="When it was active")] = ()
    sessions_per_month: Annotated[
        Annotated[int, Meta(ge=1)] | None, Meta(description="Agreed dosage")
    ] = None
    reason: Annotated[str | None, Meta(description="Code: why paused or terminated")] = None


class Attendance(msgspec.Struct, frozen=True, kw_only=True):
    participant_id: UUID
    attended: bool


class SessionState(State, frozen=True, kw_only=True):
    """One meeting of a mentorship. Only a held one counts."""

    mentorship_id: UUID
    status: SessionStatus
    starts_at: Annotated[datetime, Meta(tz=True)]
    date: Annotated[date, Meta(description="The day of starts_at at its own offset")]
    duration_minutes: Annotated[int, Meta(ge=1, le=720)]
    technology: Technology | None = None
    audience: tuple[Audience, ...] = ()
    attendance: tuple[Attendance, ...] = ()
