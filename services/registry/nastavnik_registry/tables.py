"""The registry's rows.

A deleted aggregate leaves its row as a marker (`deleted`, one version on), so that its id is not
used again and its tombstone can be published again. Intervals are half-open: [since, until).
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, Index, LargeBinary, Uuid, func
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from nastavnik_common.idempotency import idempotency_table
from nastavnik_common.outbox import outbox_table


class Base(SQLModel, registry=registry()):
    """The registry's own metadata."""


def _moment() -> Any:
    return Field(
        default=None,
        sa_type=DateTime(timezone=True),
        sa_column_kwargs={"server_default": func.now(), "nullable": False},
    )


def _reference(target: str) -> Any:
    return Column(Uuid, ForeignKey(target), nullable=False)


class OrgUnit(Base, table=True):
    __tablename__ = "org_unit"

    id: UUID = Field(primary_key=True)
    version: int
    deleted: bool = False
    level: str
    kind: str | None = None
    name: str
    short_name: str | None = None
    oktmo: str | None = None
    inn: str | None = None
    ogrn: str | None = None
    code: str | None = None
    created_at: datetime = _moment()
    changed_at: datetime = _moment()


class UnitPlacement(Base, table=True):
    __tablename__ = "placement"
    __table_args__ = (Index("placement_unit", "unit_id"), Index("placement_parent", "parent_id"))

    id: int | None = Field(default=None, sa_column=Column(BigInteger, primary_key=True))
    unit_id: UUID = Field(sa_column=_reference("org_unit.id"))
    parent_id: UUID = Field(sa_column=_reference("org_unit.id"))
    since: date | None = None
    until: date | None = None


class Person(Base, table=True):
    """A participant. The personal columns of a deleted one are empty."""

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
    created_at: datetime = _moment()
    changed_at: datetime = _moment()


class PersonMembership(Base, table=True):
    __tablename__ = "membership"
    __table_args__ = (
        Index("membership_participant", "participant_id"),
        Index("membership_organization", "organization_id", "kind"),
    )

    id: int | None = Field(default=None, sa_column=Column(BigInteger, primary_key=True))
    participant_id: UUID = Field(sa_column=_reference("participant.id"))
    organization_id: UUID = Field(sa_column=_reference("org_unit.id"))
    kind: str
    primary: bool
    since: date | None = None
    until: date | None = None


class TargetRow(Base, table=True):
    __tablename__ = "target"
    __table_args__ = (
        Index(
            "target_live",
            "indicator",
            "organization_id",
            "school_year",
            unique=True,
            postgresql_where=sql("not deleted"),
            postgresql_nulls_not_distinct=True,
        ),
        Index("target_organization", "organization_id"),
    )

    id: UUID = Field(primary_key=True)
    version: int
    deleted: bool = False
    indicator: str
    organization_id: UUID | None = Field(default=None, foreign_key="org_unit.id")
    school_year: int
    basis_points: int
    legal_basis: str | None = None
    verified: bool = False
    created_at: datetime = _moment()
    changed_at: datetime = _moment()


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
    created_at: datetime = _moment()
    finished_at: datetime | None = Field(
        default=None,
        sa_type=DateTime(timezone=True),
    )


metadata = Base.metadata
outbox = outbox_table(metadata)
idempotency = idempotency_table(metadata)
