"""Forms and mentorships."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Date, Index, LargeBinary, SmallInteger, String, Uuid
from sqlmodel import Field

from nastavnik_activity.tables.base import Base, array, created_at
from nastavnik_common.events.activity import Member, MentorshipState, Period


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
    member_ids: list[UUID] = Field(sa_column=array(Uuid()))
    member_roles: list[str] = Field(sa_column=array(String()))
    period_since: list[date] = Field(sa_column=array(Date()))
    period_until: list[date | None] = Field(sa_column=array(Date()))
    sessions_per_month: int | None = Field(default=None, sa_type=SmallInteger)
    reason: str | None = None
    last_on: date | None = None
    """Day of the last transition; later ones may not be dated before it."""
    created_as: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """Digest of the request that made it, to tell a repeat from another record."""
    created_at: datetime | None = Field(default=None, sa_column=created_at())

    def state(self) -> MentorshipState:
        return mentorship_state(self)

    def take(self, state: MentorshipState) -> None:
        """Become the state."""
        for name, value in zip(MENTORSHIP_COLUMNS, mentorship_values(state), strict=True):
            setattr(self, name, value)


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
