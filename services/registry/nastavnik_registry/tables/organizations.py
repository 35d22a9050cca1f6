"""Org units."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, Column, Index
from sqlmodel import Field

from nastavnik_registry.tables.base import Base, moment, reference


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
    created_at: datetime = moment()
    changed_at: datetime = moment()


class UnitPlacement(Base, table=True):
    __tablename__ = "placement"
    __table_args__ = (Index("placement_unit", "unit_id"), Index("placement_parent", "parent_id"))

    id: int | None = Field(default=None, sa_column=Column(BigInteger, primary_key=True))
    unit_id: UUID = Field(sa_column=reference("org_unit.id"))
    parent_id: UUID = Field(sa_column=reference("org_unit.id"))
    since: date | None = None
    until: date | None = None
