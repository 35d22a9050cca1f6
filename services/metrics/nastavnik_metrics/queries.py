"""Reads: units, positions, dead letters, announced values."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common.auth_scope import reach
from nastavnik_common.errors import NotFoundError
from nastavnik_common.events.metrics import IndicatorValueState
from nastavnik_common.events.registry import OrganizationState
from nastavnik_metrics.identity import value_id

_UNIT = msgspec.json.Decoder(OrganizationState)
_VALUE = msgspec.json.Decoder(IndicatorValueState)


async def unit(tx: AsyncSession, ident: UUID) -> OrganizationState:
    state = await tx.scalar(
        text("select state::text from organization where id = :id and state is not null"),
        {"id": ident},
    )
    if state is None:
        raise NotFoundError("unit", ident)
    return _UNIT.decode(state)


async def units(
    tx: AsyncSession, level: str | None, name: str | None, after: UUID | None, limit: int
) -> list[OrganizationState]:
    """Of those that the caller may see, in the order of ids."""
    rows = await tx.execute(
        text(
            """select state::text from organization where state is not null
               and (cast(:level as text) is null or state->>'level' = :level)
               and (cast(:name as text) is null
                    or position(lower(:name) in lower(state->>'name')) > 0)
               and (cast(:after as uuid) is null or id > :after)
               and (cast(:within as uuid[]) is null or id = any(:within))
               order by id limit :limit"""
        ),
        {
            "level": level,
            "name": name,
            "after": after,
            "limit": limit,
            "within": reach().wanted(),
        },
    )
    return [_UNIT.decode(state) for (state,) in rows]


async def names(tx: AsyncSession, idents: Collection[UUID]) -> dict[UUID, str]:
    if not idents:
        return {}
    rows = await tx.execute(
        text("select id, state->>'name' from organization where id = any(:ids)"),
        {"ids": list(idents)},
    )
    return {ident: name for ident, name in rows if name is not None}


async def progress(tx: AsyncSession) -> list[dict[str, Any]]:
    rows = await tx.execute(
        text(
            """select topic, partition, next_offset, applied, superseded, parked, skipped,
                      watermark from stream_position order by topic, partition"""
        )
    )
    return [dict(row) for row in rows.mappings()]


async def last_change(tx: AsyncSession) -> int:
    return int(await tx.scalar(text("select coalesce(max(seq), 0) from value_change")))


async def changes(
    tx: AsyncSession, after: int, limit: int = 500
) -> list[tuple[int, IndicatorValueState]]:
    """Announced values after a sequence number, oldest first."""
    rows = await tx.execute(
        text(
            "select seq, body::text from value_change where seq > :after order by seq limit :limit"
        ),
        {"after": after, "limit": limit},
    )
    return [(seq, _VALUE.decode(body)) for seq, body in rows]


async def known_on(
    tx: AsyncSession,
    idents: Collection[UUID],
    codes: Collection[str],
    school_year: int,
    at: str | None,
    moment: datetime | None,
) -> list[IndicatorValueState]:
    """Of each value the one last announced up to the moment."""
    rows = await tx.execute(
        text(
            """select distinct on (value_id) body::text from value_change
               where recorded_at <= :moment and organization_id = any(:units)
                 and school_year = :year
                 and body->>'indicator' = any(:codes)
                 and (cast(:slice as text) is null or body->>'form' = :slice)
               order by value_id, seq desc"""
        ),
        {
            "moment": moment,
            "units": list(idents),
            "year": school_year,
            "codes": list(codes),
            "slice": at,
        },
    )
    found = [_VALUE.decode(body) for body in rows.scalars()]
    return sorted(found, key=lambda v: (v.organization_id, v.indicator, v.form))


async def history(
    tx: AsyncSession, unit_id: UUID, code: str, school_year: int, at: str, limit: int
) -> list[tuple[datetime, IndicatorValueState]]:
    """Announced values of one figure with the moment each was recorded, newest first."""
    rows = await tx.execute(
        text(
            """select recorded_at, body::text from value_change where value_id = :id
               order by seq desc limit :limit"""
        ),
        {"id": value_id(code, unit_id, school_year, at), "limit": limit},
    )
    return [(recorded, _VALUE.decode(body)) for recorded, body in rows]


async def mark_all_stale(tx: AsyncSession) -> None:
    """Have every value looked at again."""
    await tx.execute(text("insert into stale (organization_id) values (null)"))
    await tx.execute(text("select pg_notify('nastavnik_cells', '')"))
