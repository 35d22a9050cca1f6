"""Participants and what they have."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, Index, String, Uuid
from sqlmodel import Field

from nastavnik_registry.tables.base import Base, array, moment, reference


class Person(Base, table=True):
    """A participant. The personal columns of one who is deleted or erased are empty; of the erased
    the years stay that figures need. `consents`: purposes consented to now; `withdrawn`: those
    once consented to, and no longer."""

    __tablename__ = "participant"

    id: UUID = Field(primary_key=True)
    version: int
    deleted: bool = False
    family_name: str | None = None
    given_name: str | None = None
    middle_name: str | None = None
    birth_date: date | None = None
    email: str | None = None
    phone: str | None = None
    teaching_since: date | None = None
    erased_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    birth_year: int | None = None
    teaching_since_year: int | None = None
    consents: list[str] = array(String())
    withdrawn: list[str] = array(String())
    created_at: datetime = moment()
    changed_at: datetime = moment()


class PersonMembership(Base, table=True):
    __tablename__ = "membership"
    __table_args__ = (
        Index("membership_participant", "participant_id"),
        Index("membership_organization", "organization_id", "kind"),
    )

    id: int | None = Field(default=None, sa_column=Column(BigInteger, primary_key=True))
    participant_id: UUID = Field(sa_column=reference("participant.id"))
    organization_id: UUID = Field(sa_column=reference("org_unit.id"))
    kind: str
    primary: bool
    since: date | None = None
    until: date | None = None


class PersonTraining(Base, table=True):
    __tablename__ = "training"

    participant_id: UUID = Field(
        sa_column=Column(Uuid, ForeignKey("participant.id"), primary_key=True)
    )
    role: str = Field(primary_key=True)
    completed_on: date = Field(primary_key=True)


class ConsentRow(Base, table=True):
    """A person's consent to one purpose. `text_version` is of the text that was signed.

    That of a deleted participant is a marker too, without the representative's name.
    """

    __tablename__ = "consent"
    __table_args__ = (Index("consent_participant", "participant_id"),)

    id: UUID = Field(primary_key=True)
    version: int
    deleted: bool = False
    participant_id: UUID = Field(sa_column=reference("participant.id"))
    purpose: str
    text_version: str
    signed_on: date
    signed_by: str
    representative_name: str | None = None
    withdrawn_on: date | None = None
    created_at: datetime = moment()
    changed_at: datetime = moment()
