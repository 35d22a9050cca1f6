"""Mentorships."""

from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_activity import tables
from nastavnik_activity.queries import pages
from nastavnik_activity.tables import MENTORING, Mentorship, ReplicaParticipant
from nastavnik_common.errors import NotFoundError
from nastavnik_common.events.activity import MentorshipState

_MENTORSHIP = [getattr(Mentorship, name) for name in tables.MENTORSHIP_COLUMNS]


async def one(tx: AsyncSession, ident: UUID) -> MentorshipState:
    statement = select(*_MENTORSHIP).where(
        col(Mentorship.id) == ident, col(Mentorship.deleted).is_(False)
    )
    row = (await tx.execute(statement)).one_or_none()
    if row is None:
        raise NotFoundError("mentorship", ident)
    return tables.mentorship_state(row)


def _with_withdrawn() -> ColumnElement[bool]:
    """That a member has withdrawn the consent to mentoring: few people, so it begins with them."""
    gone = select(func.array_agg(col(ReplicaParticipant.id))).where(
        col(ReplicaParticipant.withdrawn).contains([MENTORING])
    )
    return col(Mentorship.member_ids).op("&&", is_comparison=True)(gone.scalar_subquery())


async def page(
    tx: AsyncSession,
    *,
    limit: int,
    cursor: str | None,
    organization_id: UUID | None,
    status: str | None,
    form: str | None,
    participant_id: UUID | None,
    consent_withdrawn: bool = False,
) -> tuple[list[MentorshipState], str | None]:
    statement = select(*_MENTORSHIP).where(col(Mentorship.deleted).is_(False))
    for column, value in (
        (col(Mentorship.organization_id), organization_id),
        (col(Mentorship.status), status),
        (col(Mentorship.form), form),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if participant_id is not None:
        statement = statement.where(col(Mentorship.member_ids).contains([participant_id]))
    if consent_withdrawn:
        statement = statement.where(
            col(Mentorship.status).in_(("draft", "active", "paused")), _with_withdrawn()
        )
    rows, more = await pages.page(tx, statement, col(Mentorship.id), limit, cursor)
    return [tables.mentorship_state(row) for row in rows], more
