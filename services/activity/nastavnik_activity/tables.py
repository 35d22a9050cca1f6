"""The rows, and their way to and from the states of the event contract.

An aggregate is one row: members, periods and attendance are arrays in it, so that one lock, one
read and one COPY line are enough. Deleted aggregates stay as markers: their ids are never used
again and their tombstones can be republished.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, ExcludeConstraint
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from nastavnik_common.dead_letters import dead_letter_table
from nastavnik_common.events.activity import (
    Attendance,
    Member,
    MentorshipState,
    Period,
    SessionState,
)
from nastavnik_common.idempotency import idempotency_table
from nastavnik_common.outbox import outbox_table


class Base(SQLModel, registry=registry()):
    """This service's own metadata."""


outbox = outbox_table(Base.metadata)
idempotency = idempotency_table(Base.metadata)
dead_letter = dead_letter_table(Base.metadata)


def _array(kind: Any) -> Any:
    return Column(ARRAY(kind), nullable=False)


def _created_at() -> Any:
    return Column(DateTime(timezone=True), nullable=False, server_default=func.now())


class Form(Base, table=True):
    """A region's own form of mentoring. The federal five need no row."""

    code: str = Field(primary_key=True)
    name: str
    federal_form: str


class Mentorship(Base, table=True):
    __table_args__ = (
        Index("ix_mentorship_organization", "organization_id", "id"),
        Index("ix_mentorship_members", "member_ids", postgresql_using="gin"),
    )

    id: UUID = Field(primary_key=True)
    version: int = Field(sa_type=BigInteger)
    deleted: bool = False
    organization_id: UUID
    type: str
    form: str
    federal_form: str
    status: str
    member_ids: list[UUID] = Field(sa_column=_array(Uuid()))
    member_roles: list[str] = Field(sa_column=_array(String()))
    period_since: list[date] = Field(sa_column=_array(Date()))
    period_until: list[date | None] = Field(sa_column=_array(Date()))
    sessions_per_month: int | None = Field(default=None, sa_type=SmallInteger)
    reason: str | None = None
    last_on: date | None = None
    """Day of the last transition; later ones may not be dated before it."""
    created_as: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """Digest of the request that made it, to tell a repeat from another record."""
    created_at: datetime | None = Field(default=None, sa_column=_created_at())

    def state(self) -> MentorshipState:
        return mentorship_state(self)

    def take(self, state: MentorshipState) -> None:
        """Become the state."""
        for name, value in zip(MENTORSHIP_COLUMNS, mentorship_values(state), strict=True):
            setattr(self, name, value)


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
    audience: list[str] = Field(sa_column=_array(String()))
    participant_ids: list[UUID] = Field(sa_column=_array(Uuid()))
    attended: list[bool] = Field(sa_column=_array(Boolean()))
    void_reason: str | None = None
    created_as: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: datetime | None = Field(default=None, sa_column=_created_at())

    def state(self) -> SessionState:
        return session_state(self)

    def take(self, state: SessionState) -> None:
        """Become the state."""
        for name, value in zip(SESSION_COLUMNS, session_values(state), strict=True):
            setattr(self, name, value)


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


MENTORSHIP_COLUMNS = (
    "id",
    "version",
    "organization_id",
    "type",
    "form",
    "federal_form",
    "status",
    "member_ids",
    "member_roles",
    "period_since",
    "period_until",
    "sessions_per_month",
    "reason",
)
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


def mentorship_values(state: MentorshipState) -> tuple[Any, ...]:
    """The state as MENTORSHIP_COLUMNS."""
    return (
        state.id,
        state.version,
        state.organization_id,
        state.type,
        state.form,
        state.federal_form,
        state.status,
        [m.participant_id for m in state.members],
        [m.role for m in state.members],
        [p.since for p in state.periods],
        [p.until for p in state.periods],
        state.sessions_per_month,
        state.reason,
    )


def mentorship_state(row: Any) -> MentorshipState:
    """From a Mentorship, or any row with its columns."""
    return MentorshipState(
        id=row.id,
        version=row.version,
        organization_id=row.organization_id,
        type=row.type,
        form=row.form,
        federal_form=row.federal_form,
        status=row.status,
        members=_members(row.member_ids, row.member_roles),
        periods=tuple(
            Period(since=since, until=until)
            for since, until in zip(row.period_since, row.period_until, strict=True)
        ),
        sessions_per_month=row.sessions_per_month,
        reason=row.reason,
    )


def _members(ids: Sequence[UUID], roles: Sequence[Any]) -> tuple[Member, ...]:
    return tuple(
        Member(participant_id=ident, role=role) for ident, role in zip(ids, roles, strict=True)
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
