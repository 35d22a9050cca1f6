"""Reads of programmes."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_common import clock
from nastavnik_common.paging import Page
from nastavnik_registry import aggregates, bodies
from nastavnik_registry.aggregates import programmes
from nastavnik_registry.queries import page
from nastavnik_registry.tables import ProgrammeRow


async def one(tx: AsyncSession, ident: UUID) -> bodies.Programme:
    return programmes.body(await aggregates.live(tx, ProgrammeRow, "programme", ident))


async def many(
    tx: AsyncSession,
    limit: int,
    cursor: str | None,
    *,
    organization_id: UUID | None = None,
    school_year: str | None = None,
) -> Page[bodies.Programme]:
    query = select(ProgrammeRow).where(col(ProgrammeRow.deleted).is_(False))
    if organization_id is not None:
        query = query.where(col(ProgrammeRow.organization_id) == organization_id)
    if school_year is not None:
        query = query.where(col(ProgrammeRow.school_year) == clock.parse_label(school_year))
    rows, more = await page(tx, ProgrammeRow, query, limit, cursor)
    return Page(items=[programmes.body(row) for row in rows], next_cursor=more)
