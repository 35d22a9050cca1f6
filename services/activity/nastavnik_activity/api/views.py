"""What clients get."""

from datetime import date
from typing import Any, Literal
from uuid import UUID

import msgspec
from pydantic import AwareDatetime, BaseModel, Field

from nastavnik_common.errors import Problem
from nastavnik_common.events.activity import (
    Audience,
    FederalForm,
    MentorshipState,
    MentorshipStatus,
    Role,
    SessionState,
    SessionStatus,
    Technology,
)


class FormView(BaseModel):
    code: str
    name: str
    federal_form: FederalForm


class MemberView(BaseModel):
    participant_id: UUID
    role: Role


class PeriodView(BaseModel):
    since: date
    until: date | None = Field(description="First day no longer active; null: open")


class MentorshipView(BaseModel):
    id: UUID
    version: int
    organization_id: UUID
    type: Literal["pair", "group"]
    form: str
    federal_form: FederalForm
    status: MentorshipStatus
    members: list[MemberView]
    periods: list[PeriodView] = Field(description="When it was active")
    sessions_per_month: int | None
    reason: str | None = Field(description="Why it was paused, completed or terminated")

    @classmethod
    def of(cls, state: MentorshipState) -> "MentorshipView":
        return cls.model_validate(msgspec.to_builtins(state))


class AttendanceView(BaseModel):
    participant_id: UUID
    attended: bool


class SessionView(BaseModel):
    id: UUID
    version: int
    mentorship_id: UUID
    status: SessionStatus
    starts_at: AwareDatetime
    date: date
    duration_minutes: int
    technology: Technology | None
    audience: list[Audience]
    attendance: list[AttendanceView]

    @classmethod
    def of(cls, state: SessionState) -> "SessionView":
        return cls.model_validate(msgspec.to_builtins(state))


class Deleted(BaseModel):
    id: UUID
    deleted: Literal[True] = True


class Republished(BaseModel):
    mentorship: int = 0
    session: int = 0
    survey: int = 0
    assessment: int = 0
    contribution: int = 0
    gathering: int = 0


PROBLEM: dict[str, Any] = {"model": Problem, "description": "A problem document"}
REPEATED: dict[str, Any] = {"description": "The same was asked for before: the stored record"}
