"""Reads of org units."""

from uuid import UUID

from sqlalchemy import exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_common import clock
from nastavnik_common.paging import Page
from nastavnik_registry import aggregates, bodies
from nastavnik_registry.aggregates import refs, states, units
from nastavnik_registry.aggregates.units import Unit
from nastavnik_registry.queries import containing, page
from nastavnik_registry.tables import OrgUnit, UnitPlacement


async def one(tx: AsyncSession, ident: UUID) -> bodies.Organization:
    row = await aggregates.live(tx, OrgUnit, "organization", ident)
    return states.organization_body(await units.unit(tx, row))


async def many(
    tx: AsyncSession,
    limit: int,
    cursor: str | None,
    *,
    level: str | None = None,
    kind: str | None = None,
    parent_id: UUID | None = None,
    name: str | None = None,
) -> Page[bodies.Organization]:
    """`parent_id`: its direct children as placed today. `name`: any part, in any case."""
    query = select(OrgUnit).where(col(OrgUnit.deleted).is_(False))
    if level is not None:
        query = query.where(col(OrgUnit.level) == level)
    if kind is not None:
        query = query.where(col(OrgUnit.kind) == kind)
    if name is not None:
        pattern = containing(name)
        query = query.where(
            or_(col(OrgUnit.name).ilike(pattern), col(OrgUnit.short_name).ilike(pattern))
        )
    if parent_id is not None:
        today = clock.now().date()
        since, until = col(UnitPlacement.since), col(UnitPlacement.until)
        query = query.where(
            exists().where(
                col(UnitPlacement.unit_id) == OrgUnit.id,
                col(UnitPlacement.parent_id) == parent_id,
                or_(since.is_(None), since <= today),
                or_(until.is_(None), until > today),
            )
        )
    rows, more = await page(tx, OrgUnit, query, limit, cursor)
    ids = [row.id for row in rows]
    placements = await units.placements_of(tx, ids)
    outside = await refs.refs_of(tx, "organization", ids)
    found = [Unit(row, placements.get(row.id, ()), outside.get(row.id, ())) for row in rows]
    return Page(items=[states.organization_body(unit) for unit in found], next_cursor=more)
