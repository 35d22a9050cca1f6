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


RecordStatus = Literal["valid", "voided"]
SurveyStage = Literal["entry", "interim", "exit"]
RespondentRole = Literal["mentor", "mentee", "parent", "teacher"]
Scale = Literal["motivation", "satisfaction", "climate", "environment"]
Hundredths = Annotated[
    int, Meta(ge=0, le=1000, description="Hundredths of a point on a scale from 0 to 10")
]
SubjectKind = Literal["mentee", "mentor", "organization"]
Domain = Literal["educational", "sports", "cultural", "personal", "trajectory"]
ResourceKind = Literal["money", "equipment", "premises", "expertise", "other"]
PartnerKind = Literal["organization", "alumnus", "parent", "individual"]


class Score(msgspec.Struct, frozen=True, kw_only=True):
    scale: Scale
    value: Hundredths


class SurveyState(State, frozen=True, kw_only=True):
    """One person's answers to a questionnaire, as scores. The answers themselves stay."""

    organization_id: UUID
    mentorship_id: Annotated[UUID | None, Meta(description="Null: not about one mentorship")] = None
    respondent_id: UUID
    respondent_role: RespondentRole
    questionnaire: str
    questionnaire_version: Annotated[int, Meta(ge=1)]
    stage: SurveyStage
    date: date
    status: RecordStatus
    scores: tuple[Score, ...]


class AssessmentState(State, frozen=True, kw_only=True):
    """A figure of a mentee, mentor or organisation, before or after. In the domain `trajectory`
    a value of 100 or more says that an individual trajectory has been drawn up."""

    organization_id: UUID
    mentorship_id: UUID | None = None
    subject_kind: SubjectKind
    subject_id: UUID
    domain: Domain
    instrument: Annotated[str, Meta(description="Code of what was measured with")]
    stage: Literal["before", "after"]
    date: date
    value: Annotated[int, Meta(description="Hundredths of the instrument's unit")]
    higher_is_better: bool = True
    status: RecordStatus


class ContributionState(State, frozen=True, kw_only=True):
    """Resources or investment attracted to an organisation's programme."""

    organization_id: UUID
    partner_kind: PartnerKind
    partner_id: Annotated[UUID | None, Meta(description="An organisation or participant")] = None
    kind: ResourceKind
    kopecks: Annotated[int, Meta(ge=0, description="Worth, in hundredths of a rouble")]
    date: date
    status: RecordStatus


class GatheringState(State, frozen=True, kw_only=True):
    """An event of an organisation's programme, outside any one mentorship."""

    organization_id: UUID
    status: SessionStatus
    date: date
    duration_minutes: Annotated[int, Meta(ge=1, le=1440)]
    technology: Technology | None = None
    audience: tuple[Audience, ...] = ()
    attendees: Annotated[int, Meta(ge=0)] = 0
