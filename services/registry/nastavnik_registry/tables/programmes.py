"""Programmes."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from nastavnik_registry.tables.base import Base, moment, reference


def _list() -> Any:
    return Field(sa_column=Column(JSONB, nullable=False))


class ProgrammeRow(Base, table=True):
    """The lists are read and written as a whole, in the form of the bodies."""

    __tablename__ = "programme"
    __table_args__ = (
        Index(
            "programme_live",
            "organization_id",
            "school_year",
            unique=True,
            postgresql_where=sql("not deleted"),
        ),
        Index("programme_curator", "curator_id"),
    )

    id: UUID = Field(primary_key=True)
    version: int
    deleted: bool = False
    organization_id: UUID = Field(sa_column=reference("org_unit.id"))
    school_year: int
    mechanisms: list[str] = _list()
    documents: list[dict[str, Any]] = _list()
    forms: list[dict[str, Any]] = _list()
    plan: list[dict[str, Any]] = _list()
    curator_id: UUID | None = Field(default=None, foreign_key="participant.id")
    methodical_materials: bool
    material_base: bool
    staffed: bool
    psychological_support: bool
    created_at: datetime = moment()
    changed_at: datetime = moment()
