"""Participants."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from nastavnik_common.events.registry import ParticipantKind
from nastavnik_registry.bodies.base import ABSENT, Body, ExternalRef, ExternalRefs, Text


class MembershipBody(Body):
    """A stretch of time at an organisation: [since, until). The primary one is home."""

    organization_id: UUID
    kind: ParticipantKind
    primary: bool = True
    since: date | None = None
    until: date | None = None


class TrainingBody(Body):
    """Training for a role in mentoring, completed."""

    role: Literal["mentor", "curator"]
    completed_on: date


Memberships = Annotated[list[MembershipBody], Field(max_length=200)]
Trainings = Annotated[list[TrainingBody], Field(max_length=200)]


class ParticipantFields(Body):
    middle_name: Text | None = None
    birth_date: date | None = None
    email: Text | None = None
    phone: Text | None = None
    teaching_since: date | None = Field(
        default=None, description="Day on which pedagogical work began"
    )


class NewParticipant(ParticipantFields):
    id: UUID | None = None
    family_name: Text
    given_name: Text
    memberships: Memberships
    trainings: Trainings = Field(default=[])
    external_ids: ExternalRefs = Field(default=[])


class ParticipantPatch(ParticipantFields):
    """What is absent stays; null clears. Lists are replaced as a whole."""

    family_name: Text = ABSENT
    given_name: Text = ABSENT
    memberships: Memberships = ABSENT
    trainings: Trainings = ABSENT
    external_ids: ExternalRefs = ABSENT


class Participant(BaseModel):
    id: UUID
    version: int
    family_name: str
    given_name: str
    middle_name: str | None
    birth_date: date | None
    email: str | None
    phone: str | None
    teaching_since: date | None
    memberships: list[MembershipBody]
    trainings: list[TrainingBody]
    external_ids: list[ExternalRef]
