"""Sessions of journals that may be duplicates, until somebody has looked at them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, DateTime, Index, LargeBinary, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from nastavnik_activity.tables.base import Base, array, created_at


class SessionReview(Base, table=True):
    """`id` is the one the session will have, `asked` what the journal said, `created_as` its
    digest, `overlaps` the held sessions that it met. Status: open, kept, voided or corrected."""

    __tablename__ = "session_review"
    __table_args__ = (
        Index("ix_session_review_status", "status", "id"),
        Index("ix_session_review_mentorship", "mentorship_id"),
    )

    id: UUID = Field(primary_key=True)
    mentorship_id: UUID
    organization_id: UUID
    asked: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    created_as: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    overlaps: list[UUID] = Field(sa_column=array(Uuid()))
    status: str = "open"
    reason: str | None = None
    resolved_at: datetime | None = Field(
        default=None, sa_column=Column(DateTime(timezone=True), nullable=True)
    )
    created_at: datetime | None = Field(default=None, sa_column=created_at())
