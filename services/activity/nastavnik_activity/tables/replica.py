"""What is known of the registry."""

from datetime import date
from uuid import UUID

from sqlalchemy import BigInteger, Date, String, Uuid
from sqlmodel import Field

from nastavnik_activity.tables.base import Base, array

MENTORING = "mentoring"
"""The purpose for which a participant's consent is asked."""


class ReplicaOrganization(Base, table=True):
    """An org unit known from events: that it exists, on which level, and where: a placement is an
    element of each of the three arrays."""

    __tablename__ = "replica_organization"

    id: UUID = Field(primary_key=True)
    version: int = Field(sa_type=BigInteger)
    deleted: bool
    level: str | None = None
    parents: list[UUID] = Field(sa_column=array(Uuid()))
    parents_since: list[date | None] = Field(sa_column=array(Date()))
    parents_until: list[date | None] = Field(sa_column=array(Date()))


class ReplicaParticipant(Base, table=True):
    """A participant known from events: that it exists, for which purposes there is a consent, and
    for which it was withdrawn."""

    __tablename__ = "replica_participant"

    id: UUID = Field(primary_key=True)
    version: int = Field(sa_type=BigInteger)
    deleted: bool
    consents: list[str] = Field(sa_column=array(String(), server_default="{}"))
    withdrawn: list[str] = Field(sa_column=array(String(), server_default="{}"))
