"""Sessions that may be duplicates: kept, looked at, logged after all or let go."""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_activity.commands import base, locks, sessions
from nastavnik_activity.domain.sessions import NewSession
from nastavnik_activity.tables import Session, SessionReview
from nastavnik_common.errors import ConflictError, NotFoundError
from nastavnik_common.outbox import Outbox

Resolution = Literal["keep", "void"]
_STATUS = {"keep": "kept", "void": "voided"}


async def park(
    tx: AsyncSession, new: NewSession, mark: bytes, there: SessionReview | None
) -> SessionReview:
    """Keep it for review; anew, where the same key waits or waited already."""
    assert new.id is not None
    row = there or SessionReview(
        id=new.id,
        mentorship_id=new.mentorship_id,
        organization_id=(await locks.mentorship(tx, new.mentorship_id)).organization_id,
        asked={},
        created_as=b"",
        overlaps=[],
    )
    row.asked = msgspec.to_builtins(new)
    row.created_as = mark
    row.overlaps = await overlapping(tx, new)
    row.status, row.reason, row.resolved_at = "open", None, None
    tx.add(row)
    await tx.flush()
    return row


async def resolve(
    tx: AsyncSession,
    outbox: Outbox,
    ident: UUID,
    resolution: Resolution,
    reason: str | None,
    now: datetime,
) -> SessionReview:
    """keep: it is the right one; the held sessions that it overlaps are voided, and it is logged.
    void: it is a duplicate, and is not logged. The same again changes nothing, the other is 409."""
    row = await _lock(tx, ident)
    if row.status != "open":
        if row.status != _STATUS[resolution]:
            raise ConflictError("review.resolved", f"It is {row.status} already.")
        return row
    if resolution == "keep":
        new = msgspec.convert(row.asked, NewSession)
        for other in await overlapping(tx, new):
            await sessions.void(tx, outbox, other, reason or "duplicate", None)
        await tx.flush()
        base.one(await sessions.log_all(tx, outbox, [new], now))
    close(row, _STATUS[resolution], reason, now)
    await tx.flush()
    return row


def close(row: SessionReview, status: str, reason: str | None, now: datetime) -> None:
    row.status, row.reason, row.resolved_at = status, reason, now


async def overlapping(tx: AsyncSession, new: NewSession) -> list[UUID]:
    """The held sessions of the mentorship that it meets."""
    ends_at = new.starts_at + timedelta(minutes=new.duration_minutes)
    found = await tx.scalars(
        select(col(Session.id))
        .where(
            col(Session.mentorship_id) == new.mentorship_id,
            col(Session.status) == "held",
            col(Session.deleted).is_(False),
            col(Session.starts_at) < ends_at,
            col(Session.ends_at) > new.starts_at,
        )
        .order_by(col(Session.starts_at))
    )
    return list(found)


async def _lock(tx: AsyncSession, ident: UUID) -> SessionReview:
    """The review, ours: its mentorship's lock comes first."""
    named = select(col(SessionReview.mentorship_id)).where(col(SessionReview.id) == ident)
    mentorship_id = await tx.scalar(named)
    if mentorship_id is None:
        raise NotFoundError("session_review", ident)
    await locks.mentorships(tx, [mentorship_id])
    statement = select(SessionReview).where(col(SessionReview.id) == ident).with_for_update()
    return (await tx.execute(statement)).scalar_one()
