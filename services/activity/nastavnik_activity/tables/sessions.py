"""Sessions."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlmodel import Field

from nastavnik_activity.tables.base import Base, array, created_at
from nastavnik_common.events.activity import Attendance, SessionState


class Session(Base, table=True):
    """`offset_minutes` keeps the offset the start was given at; `day` is the day there.

    Writers lock the mentorship's row before they look for overlaps; the constraint is the last
    word, should one forget to. No foreign key: mentorships are never removed, and it would cost
    a lookup for every row of a batch.
    """

    __table_args__ = (
        ExcludeConstraint(
            ("mentorship_id", "="),
            (text("tstzrange(starts_at, ends_at)"), "&&"),
            where=text("status = 'held' AND NOT deleted"),
            name="session_no_overlap",
            using="gist",
        ),
        Index("ix_session_mentorship", "mentorship_id", "starts_at"),
        Index("ix_session_organization", "organization_id", "id"),
    )

    id: UUID = Field(primary_key=True)
    version: int = Field(sa_type=BigInteger)
    deleted: bool = False
    mentorship_id: UUID
    organization_id: UUID
    status: str
    starts_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    ends_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    offset_minutes: int = Field(sa_type=SmallInteger)
    day: date
    duration_minutes: int = Field(sa_type=SmallInteger)
    technology: str | None = None
    audience: list[str] = Field(sa_column=array(String()))
    participant_ids: list[UUID] = Field(sa_column=array(Uuid()))
    attended: list[bool] = Field(sa_column=array(Boolean()))
    void_reason: str | None = None
    created_as: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: datetime | None = Field(default=None, sa_column=created_at())

    def state(self) -> SessionState:
        return session_state(self)

    def take(self, state: SessionState) -> None:
        """Become the state."""
        for name, value in zip(SESSION_COLUMNS, session_values(state), strict=True):
            setattr(self, name, value)


SESSION_COLUMNS = (
    "id",
    "version",
    "mentorship_id",
    "status",
    "starts_at",
    "ends_at",
    "offset_minutes",
    "day",
    "duration_minutes",
    "technology",
    "audience",
    "participant_ids",
    "attended",
)


def session_values(state: SessionState) -> tuple[Any, ...]:
    """The state as SESSION_COLUMNS."""
    offset = state.starts_at.utcoffset()
    assert offset is not None
    return (
        state.id,
        state.version,
        state.mentorship_id,
        state.status,
        state.starts_at,
        state.starts_at + timedelta(minutes=state.duration_minutes),
        offset // timedelta(minutes=1),
        state.date,
        state.duration_minutes,
        state.technology,
        list(state.audience),
        [a.participant_id for a in state.attendance],
        [a.attended for a in state.attendance],
    )


def session_state(row: Any) -> SessionState:
    """From a Session, or any row with its columns."""
    return SessionState(
        id=row.id,
        version=row.version,
        mentorship_id=row.mentorship_id,
        status=row.status,
        starts_at=row.starts_at.astimezone(_zone(row.offset_minutes)),
        date=row.day,
        duration_minutes=row.duration_minutes,
        technology=row.technology,
        audience=tuple(row.audience),
        attendance=tuple(
            Attendance(participant_id=ident, attended=attended)
            for ident, attended in zip(row.participant_ids, row.attended, strict=True)
        ),
    )


def _zone(minutes: int) -> timezone:
    return timezone(timedelta(minutes=minutes)) if minutes else UTC
