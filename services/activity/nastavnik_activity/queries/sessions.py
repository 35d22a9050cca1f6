"""Sessions."""

from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_activity import tables
from nastavnik_activity.queries import pages
from nastavnik_activity.tables import Session
from nastavnik_common.errors import NotFoundError
from nastavnik_common.events.activity import SessionState

_SESSION = [getattr(Session, name) for name in tables.SESSION_COLUMNS]


async def one(tx: AsyncSession, ident: UUID) -> SessionState:
    statement = select(*_SESSION).where(col(Session.id) == ident, col(Session.deleted).is_(False))
    row = (await tx.execute(statement)).one_or_none()
    if row is None:
        raise NotFoundError("session", ident)
    return tables.session_state(row)


async def page(
    tx: AsyncSession,
    *,
    limit: int,
    cursor: str | None,
    mentorship_id: UUID | None,
    organization_id: UUID | None,
    since: date | None,
    until: date | None,
    status: str | None,
) -> tuple[list[SessionState], str | None]:
    """`since` and `until`: days at the session's own offset, half-open."""
    statement = select(*_SESSION).where(col(Session.deleted).is_(False))
    for column, value in (
        (col(Session.mentorship_id), mentorship_id),
        (col(Session.organization_id), organization_id),
        (col(Session.status), status),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if since is not None:
        statement = statement.where(col(Session.day) >= since)
    if until is not None:
        statement = statement.where(col(Session.day) < until)
    rows, more = await pages.page(tx, statement, col(Session.id), limit, cursor)
    return [tables.session_state(row) for row in rows], more
