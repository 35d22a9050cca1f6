"""Org units with their placements."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_common.events.registry import Placement
from nastavnik_registry import domain
from nastavnik_registry.aggregates.refs import Refs, refs_of
from nastavnik_registry.tables import OrgUnit, UnitPlacement


class Unit(NamedTuple):
    row: OrgUnit
    placements: tuple[Placement, ...]
    external_ids: Refs


async def unit(tx: AsyncSession, row: OrgUnit) -> Unit:
    found = await placements_of(tx, [row.id])
    refs = await refs_of(tx, "organization", [row.id])
    return Unit(row, found.get(row.id, ()), refs.get(row.id, ()))


async def placements_of(tx: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, tuple[Placement, ...]]:
    query = select(UnitPlacement).where(col(UnitPlacement.unit_id).in_(ids))
    found: dict[UUID, list[Placement]] = {}
    for row in (await tx.execute(query)).scalars():
        placement = Placement(parent_id=row.parent_id, since=row.since, until=row.until)
        found.setdefault(row.unit_id, []).append(placement)
    return {ident: domain.ordered_placements(rows) for ident, rows in found.items()}


async def save_placements(tx: AsyncSession, ident: UUID, placements: Iterable[Placement]) -> None:
    await tx.execute(delete(UnitPlacement).where(col(UnitPlacement.unit_id) == ident))
    rows = [
        {"unit_id": ident, "parent_id": p.parent_id, "since": p.since, "until": p.until}
        for p in placements
    ]
    if rows:
        await tx.execute(insert(UnitPlacement), rows)
