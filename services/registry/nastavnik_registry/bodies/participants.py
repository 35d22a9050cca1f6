"""Participants."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from nastavnik_common import examples
from nastavnik_common.events.registry import ParticipantKind
from nastavnik_common.examples import example
from nastavnik_common.fields import ABSENT
from nastavnik_registry.bodies.base import Body, ExternalRef, ExternalRefs, Text


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
    model_config = example(
        family_name="Примерова",
        given_name="Анна",
        birth_date="2011-03-14",
        memberships=[
            {"organization_id": examples.SCHOOL, "kind": "student", "since": "2026-09-01"}
        ],
    )

    id: UUID | None = None
    family_name: Text
    given_name: Text
    memberships: Memberships
    trainings: Trainings = Field(default=[])
    external_ids: ExternalRefs = Field(default=[])


class ParticipantPatch(ParticipantFields):
    """What is absent stays; null clears. Lists are replaced as a whole."""

    model_config = example(phone="+7 900 000-00-00")

    family_name: Text = ABSENT
    given_name: Text = ABSENT
    memberships: Memberships = ABSENT
    trainings: Trainings = ABSENT
    external_ids: ExternalRefs = ABSENT


class Participant(BaseModel):
    """Of one who was erased the id, the memberships and the trainings are left."""

    id: UUID
    version: int
    erased_at: datetime | None = None
    family_name: str | None
    given_name: str | None
    middle_name: str | None
    birth_date: date | None
    email: str | None
    phone: str | None
    teaching_since: date | None
    consents: list[str] = Field(default=[], description="Purposes consented to now")
    withdrawn: list[str] = Field(default=[], description="Purposes consented to once, and no more")
    memberships: list[MembershipBody]
    trainings: list[TrainingBody]
    external_ids: list[ExternalRef]
