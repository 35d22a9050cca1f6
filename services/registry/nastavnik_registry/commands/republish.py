"""Put every current state into the outbox again: after the loss of a topic, or for a newcomer.

Events are deterministic in id and version, so whoever has them already drops them.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_common.events import ORGANIZATION, PARTICIPANT, TARGET, Event, Kind
from nastavnik_common.outbox import Outbox
from nastavnik_registry import aggregates
from nastavnik_registry.aggregates import states
from nastavnik_registry.tables import OrgUnit, Person, TargetRow

CHUNK = 2000


async def republish(tx: AsyncSession, outbox: Outbox, kinds: Iterable[str]) -> dict[str, int]:
    """kind → events written. Same versions; tombstones of the deleted too."""
    return {kind: await _WRITERS[kind](tx, outbox) for kind in kinds}


async def _organizations(tx: AsyncSession, outbox: Outbox) -> int:
    async def events(rows: Sequence[OrgUnit]) -> list[Event]:
        found = await aggregates.placements_of(tx, [row.id for row in rows])
        made = {r.id: states.organization_state(r, found.get(r.id, ())) for r in rows}
        return [_event(outbox, ORGANIZATION, row, made, "registered") for row in rows]

    return await _all(tx, outbox, OrgUnit, events)


async def _participants(tx: AsyncSession, outbox: Outbox) -> int:
    async def events(rows: Sequence[Person]) -> list[Event]:
        found = await aggregates.memberships_of(tx, [row.id for row in rows])
        made = {r.id: states.person_state(r, found.get(r.id, ())) for r in rows}
        return [_event(outbox, PARTICIPANT, row, made, "registered") for row in rows]

    return await _all(tx, outbox, Person, events)


async def _targets(tx: AsyncSession, outbox: Outbox) -> int:
    async def events(rows: Sequence[TargetRow]) -> list[Event]:
        made = {row.id: states.target_state(row) for row in rows}
        return [_event(outbox, TARGET, row, made, "set") for row in rows]

    return await _all(tx, outbox, TargetRow, events)


def _event(outbox: Outbox, kind: Kind[Any], row: Any, made: dict[Any, Any], first: str) -> Event:
    if row.deleted:
        return outbox.tombstone(kind, row.id, row.version)
    return outbox.event(kind, first if row.version == 1 else "changed", made[row.id])


async def _all(
    tx: AsyncSession, outbox: Outbox, model: Any, events: Callable[[Sequence[Any]], Any]
) -> int:
    count = 0
    query = select(model).order_by(col(model.id)).limit(CHUNK)
    rows = (await tx.execute(query)).scalars().all()
    while rows:
        await outbox.copy(tx, await events(rows))
        count += len(rows)
        last = rows[-1].id
        tx.expunge_all()
        rows = (await tx.execute(query.where(col(model.id) > last))).scalars().all()
    return count


_WRITERS = {
    "organization": _organizations,
    "participant": _participants,
    "target": _targets,
}
