"""What others must wait for. Mentorships come before organisations, several in the order of ids."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_activity import tables
from nastavnik_activity.commands import base
from nastavnik_activity.tables import Mentorship, ReplicaOrganization
from nastavnik_common.auth_scope import reach
from nastavnik_common.errors import NotFoundError
from nastavnik_common.events.activity import MentorshipState


async def mentorship(tx: AsyncSession, ident: UUID) -> Mentorship:
    """The row, ours until the transaction ends. NotFoundError when there is none, or none that the
    caller may know of."""
    row = (
        await tx.execute(
            select(Mentorship)
            .where(col(Mentorship.id) == ident, col(Mentorship.deleted).is_(False))
            .with_for_update()
        )
    ).scalar_one_or_none()
    if row is None or not reach().covers(row.organization_id):
        raise NotFoundError("mentorship", ident)
    return row


async def mentorships(
    tx: AsyncSession, idents: Iterable[UUID]
) -> dict[UUID, tuple[MentorshipState, UUID]]:
    """Those that exist, locked in the order of their ids: state and organisation."""
    statement = (
        select(*(getattr(Mentorship, name) for name in tables.MENTORSHIP_COLUMNS))
        .where(base.among(col(Mentorship.id), set(idents)), col(Mentorship.deleted).is_(False))
        .order_by(col(Mentorship.id))
        .with_for_update()
    )
    rows = await tx.execute(statement)
    return {row.id: (tables.mentorship_state(row), row.organization_id) for row in rows}


async def organizations(tx: AsyncSession, idents: Iterable[UUID]) -> dict[UUID, str | None]:
    """Those that are known and not deleted, locked in the order of their ids: their levels."""
    statement = (
        select(col(ReplicaOrganization.id), col(ReplicaOrganization.level))
        .where(
            base.among(col(ReplicaOrganization.id), set(idents)),
            col(ReplicaOrganization.deleted).is_(False),
        )
        .order_by(col(ReplicaOrganization.id))
        .with_for_update()
    )
    return dict(list((await tx.execute(statement)).tuples()))
