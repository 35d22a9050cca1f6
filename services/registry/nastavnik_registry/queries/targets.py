"""Reads of targets."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_common import clock
from nastavnik_common.paging import Page
from nastavnik_registry import aggregates, bodies
from nastavnik_registry.aggregates import states
from nastavnik_registry.queries import page
from nastavnik_registry.tables import TargetRow


async def one(tx: AsyncSession, ident: UUID) -> bodies.Target:
    return states.target_body(await aggregates.live(tx, TargetRow, "target", ident))


async def many(
    tx: AsyncSession,
    limit: int,
    cursor: str | None,
    *,
    indicator: str | None = None,
    organization_id: UUID | None = None,
    school_year: str | None = None,
) -> Page[bodies.Target]:
    query = select(TargetRow).where(col(TargetRow.deleted).is_(False))
    if indicator is not None:
        query = query.where(col(TargetRow.indicator) == indicator)
    if organization_id is not None:
        query = query.where(col(TargetRow.organization_id) == organization_id)
    if school_year is not None:
        query = query.where(col(TargetRow.school_year) == clock.parse_label(school_year))
    rows, more = await page(tx, TargetRow, query, limit, cursor)
    return Page(items=[states.target_body(row) for row in rows], next_cursor=more)
