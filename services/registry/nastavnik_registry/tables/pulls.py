"""Pulls from providers."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from nastavnik_registry.tables.base import Base, moment


def _at() -> Any:
    return Field(default=None, sa_type=DateTime(timezone=True))


class PullRow(Base, table=True):
    """How far a source is. `since` null: the pull is of everything. `watermark`: all that changed
    before it, by the provider's clock, has been imported. `run` names the spool of the pull."""

    __tablename__ = "pull"

    source: str = Field(primary_key=True)
    phase: str = "idle"
    run: UUID | None = None
    since: datetime | None = _at()
    read_at: datetime | None = _at()
    watermark: datetime | None = _at()
    full_at: datetime | None = _at()
    wanted: str | None = None
    collection: str = ""
    done: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    total: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    imports: list[str] = Field(default=[], sa_column=Column(JSONB, nullable=False))
    error: str | None = None
    failures: int = 0
    due_at: datetime = moment()
    started_at: datetime | None = _at()
    finished_at: datetime | None = _at()
    asked_by: str | None = None
