"""Put every current state into the outbox again: after the loss of a topic, or for a newcomer.

Events are deterministic in id and version, so whoever has them already drops them.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_common.events import (
    ORGANIZATION,
    PARTICIPANT,
    PROGRAMME,
    REFERENCE_COUNT,
    TARGET,
    Event,
    Kind,
)
from nastavnik_common.events.base import State
from nastavnik_common.outbox import Outbox
from nastavnik_registry.aggregates import people, programmes, states, units
from nastavnik_registry.tables import (
    OrgUnit,
    Person,
    ProgrammeRow,
    ReferenceCountRow,
    TargetRow,
)

CHUNK = 2000
Writer = Callable[[AsyncSession, Outbox], Awaitable[int]]


async def republish(tx: AsyncSession, outbox: Outbox, kinds: Iterable[str]) -> dict[str, int]:
    """kind → events written. Same versions; tombstones of the deleted too."""
    return {kind: await _WRITERS[kind](tx, outbox) for kind in kinds}


async def _organizations(tx: AsyncSession, outbox: Outbox) -> int:
    async def states_of(rows: Sequence[OrgUnit]) -> list[State]:
        found = await units.placements_of(tx, [row.id for row in rows])
        return [states.organization_state(row, found.get(row.id, ())) for row in rows]

    return await _all(tx, outbox, ORGANIZATION, OrgUnit, states_of)


async def _participants(tx: AsyncSession, outbox: Outbox) -> int:
    async def states_of(rows: Sequence[Person]) -> list[State]:
        return [states.person_state(one) for one in await people.individuals(tx, rows)]

    return await _all(tx, outbox, PARTICIPANT, Person, states_of)


def _rows(kind: Kind[Any], model: Any, state: Callable[[Any], State]) -> Writer:
    """Of aggregates that are one row each."""

    async def states_of(rows: Sequence[Any]) -> list[State]:
        return [state(row) for row in rows]

    return lambda tx, outbox: _all(tx, outbox, kind, model, states_of)


def _event(outbox: Outbox, kind: Kind[Any], row: Any, state: State) -> Event:
    if row.deleted:
        return outbox.tombstone(kind, row.id, row.version)
    return outbox.event(kind, kind.verbs[0] if row.version == 1 else "changed", state)


async def _all(
    tx: AsyncSession,
    outbox: Outbox,
    kind: Kind[Any],
    model: Any,
    states_of: Callable[[Sequence[Any]], Awaitable[list[State]]],
) -> int:
    count = 0
    query = select(model).order_by(col(model.id)).limit(CHUNK)
    rows = (await tx.execute(query)).scalars().all()
    while rows:
        made = zip(rows, await states_of(rows), strict=True)
        await outbox.copy(tx, [_event(outbox, kind, row, state) for row, state in made])
        count += len(rows)
        last = rows[-1].id
        tx.expunge_all()
        rows = (await tx.execute(query.where(col(model.id) > last))).scalars().all()
    return count


_WRITERS: dict[str, Writer] = {
    "organization": _organizations,
    "participant": _participants,
    "target": _rows(TARGET, TargetRow, states.target_state),
    "programme": _rows(PROGRAMME, ProgrammeRow, programmes.state),
    "reference_count": _rows(REFERENCE_COUNT, ReferenceCountRow, states.reference_count_state),
}
