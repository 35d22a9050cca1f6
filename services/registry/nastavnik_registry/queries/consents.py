"""Reads of consents."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_common.paging import Page
from nastavnik_registry import aggregates, bodies
from nastavnik_registry.aggregates import states, trace
from nastavnik_registry.queries import page
from nastavnik_registry.tables import ConsentRow


async def one(tx: AsyncSession, ident: UUID) -> bodies.Consent:
    row = await aggregates.live(tx, ConsentRow, "consent", ident)
    trace.seen([row.participant_id], ["consents"])
    return states.consent_body(row)


async def many(
    tx: AsyncSession, limit: int, cursor: str | None, *, participant_id: UUID | None = None
) -> Page[bodies.Consent]:
    query = select(ConsentRow).where(col(ConsentRow.deleted).is_(False))
    if participant_id is not None:
        query = query.where(col(ConsentRow.participant_id) == participant_id)
    rows, more = await page(tx, ConsentRow, query, limit, cursor)
    trace.seen((row.participant_id for row in rows), ["consents"])
    return Page(items=[states.consent_body(row) for row in rows], next_cursor=more)
