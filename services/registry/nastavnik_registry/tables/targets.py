"""Targets, and the headcounts that figures are held against."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy import text as sql
from sqlmodel import Field

from nastavnik_registry.tables.base import Base, moment, reference


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
    created_at: datetime = moment()
    changed_at: datetime = moment()


class ReferenceCountRow(Base, table=True):
    __tablename__ = "reference_count"
    __table_args__ = (
        Index(
            "reference_count_live",
            "organization_id",
            "school_year",
            "population",
            unique=True,
            postgresql_where=sql("not deleted"),
        ),
    )

    id: UUID = Field(primary_key=True)
    version: int
    deleted: bool = False
    organization_id: UUID = Field(sa_column=reference("org_unit.id"))
    school_year: int
    population: str
    headcount: int
    source: str
    as_of: date
    created_at: datetime = moment()
    changed_at: datetime = moment()
