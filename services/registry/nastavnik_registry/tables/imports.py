"""Outside ids, and packages on their way in."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Index, LargeBinary
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from nastavnik_registry.tables.base import Base, moment


class ExternalId(Base, table=True):
    """An outside system's id of one of our records.

    `content_hash` is of the content last imported under it; null: not from an import.
    """

    __tablename__ = "external_id"
    __table_args__ = (Index("external_id_entity", "entity_id"),)

    source: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    external_id: str = Field(primary_key=True)
    entity_id: UUID
    content_hash: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))


class ImportJob(Base, table=True):
    """One package on its way in. The package itself is a file named by the id."""

    __tablename__ = "import_job"
    __table_args__ = (
        Index(
            "import_job_open",
            "created_at",
            postgresql_where=sql("status in ('queued', 'checking', 'applying')"),
        ),
    )

    id: UUID = Field(primary_key=True)
    source: str
    under: UUID | None = None
    size_bytes: int = Field(sa_column=Column(BigInteger, nullable=False))
    status: str
    phase: str
    done: int = Field(sa_column=Column(BigInteger, nullable=False))
    total: int = Field(sa_column=Column(BigInteger, nullable=False))
    attempts: int = 0
    report: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB, nullable=True))
    changes: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB, nullable=True))
    error: str | None = None
    created_at: datetime = moment()
    finished_at: datetime | None = Field(
        default=None,
        sa_type=DateTime(timezone=True),
    )
