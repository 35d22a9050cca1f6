"""What is known of the registry."""

from uuid import UUID

from sqlalchemy import BigInteger
from sqlmodel import Field

from nastavnik_activity.tables.base import Base


class ReplicaOrganization(Base, table=True):
    """An org unit known from events: that it exists, and on which level."""

    __tablename__ = "replica_organization"

    id: UUID = Field(primary_key=True)
    version: int = Field(sa_type=BigInteger)
    deleted: bool
    level: str | None = None


class ReplicaParticipant(Base, table=True):
    """A participant known from events: that it exists."""

    __tablename__ = "replica_participant"

    id: UUID = Field(primary_key=True)
    version: int = Field(sa_type=BigInteger)
    deleted: bool
