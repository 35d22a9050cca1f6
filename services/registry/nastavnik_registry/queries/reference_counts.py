"""Reads of official headcounts."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_common import clock
from nastavnik_common.paging import Page
from nastavnik_registry import aggregates, bodies
from nastavnik_registry.aggregates import states
from nastavnik_registry.queries import page
from nastavnik_registry.tables import ReferenceCountRow


async def one(tx: AsyncSession, ident: UUID) -> bodies.ReferenceCount:
    row = await aggregates.live(tx, ReferenceCountRow, "reference_count", ident)
    return states.reference_count_body(row)


async def many(
    tx: AsyncSession,
    limit: int,
    cursor: str | None,
    *,
    organization_id: UUID | None = None,
    school_year: str | None = None,
    population: str | None = None,
) -> Page[bodies.ReferenceCount]:
    query = select(ReferenceCountRow).where(col(ReferenceCountRow.deleted).is_(False))
    if organization_id is not None:
        query = query.where(col(ReferenceCountRow.organization_id) == organization_id)
    if school_year is not None:
        query = query.where(col(ReferenceCountRow.school_year) == clock.parse_label(school_year))
    if population is not None:
        query = query.where(col(ReferenceCountRow.population) == population)
    rows, more = await page(tx, ReferenceCountRow, query, limit, cursor)
    return Page(items=[states.reference_count_body(row) for row in rows], next_cursor=more)
