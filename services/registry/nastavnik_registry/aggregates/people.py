"""Participants with their memberships and trainings."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_common.events.registry import Membership, Training
from nastavnik_registry import domain
from nastavnik_registry.aggregates.refs import Refs, refs_of
from nastavnik_registry.tables import Person, PersonMembership, PersonTraining


class Individual(NamedTuple):
    row: Person
    memberships: tuple[Membership, ...]
    trainings: tuple[Training, ...]
    external_ids: Refs


async def individual(tx: AsyncSession, row: Person) -> Individual:
    return (await individuals(tx, [row]))[0]


async def individuals(tx: AsyncSession, rows: Sequence[Person]) -> list[Individual]:
    ids = [row.id for row in rows]
    memberships = await memberships_of(tx, ids)
    trainings = await trainings_of(tx, ids)
    refs = await refs_of(tx, "participant", ids)
    return [
        Individual(
            row,
            memberships.get(row.id, ()),
            trainings.get(row.id, ()),
            refs.get(row.id, ()),
        )
        for row in rows
    ]


async def memberships_of(
    tx: AsyncSession, ids: Sequence[UUID]
) -> dict[UUID, tuple[Membership, ...]]:
    query = select(PersonMembership).where(col(PersonMembership.participant_id).in_(ids))
    found: dict[UUID, list[Membership]] = {}
    for row in (await tx.execute(query)).scalars():
        membership = Membership(
            organization_id=row.organization_id,
            kind=row.kind,  # type: ignore[arg-type]
            primary=row.primary,
            since=row.since,
            until=row.until,
        )
        found.setdefault(row.participant_id, []).append(membership)
    return {ident: domain.ordered_memberships(rows) for ident, rows in found.items()}


async def trainings_of(tx: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, tuple[Training, ...]]:
    query = select(
        col(PersonTraining.participant_id),
        col(PersonTraining.role),
        col(PersonTraining.completed_on),
    ).where(col(PersonTraining.participant_id).in_(ids))
    found: dict[UUID, list[Training]] = {}
    for ident, role, completed_on in await tx.execute(query):
        training = Training(role=role, completed_on=completed_on)  # type: ignore[arg-type]
        found.setdefault(ident, []).append(training)
    return {ident: domain.ordered_trainings(done) for ident, done in found.items()}


async def save_memberships(
    tx: AsyncSession, ident: UUID, memberships: Iterable[Membership]
) -> None:
    await tx.execute(delete(PersonMembership).where(col(PersonMembership.participant_id) == ident))
    rows = [
        {
            "participant_id": ident,
            "organization_id": m.organization_id,
            "kind": m.kind,
            "primary": m.primary,
            "since": m.since,
            "until": m.until,
        }
        for m in memberships
    ]
    if rows:
        await tx.execute(insert(PersonMembership), rows)


async def save_trainings(tx: AsyncSession, ident: UUID, trainings: Iterable[Training]) -> None:
    await tx.execute(delete(PersonTraining).where(col(PersonTraining.participant_id) == ident))
    rows = [
        {"participant_id": ident, "role": t.role, "completed_on": t.completed_on} for t in trainings
    ]
    if rows:
        await tx.execute(insert(PersonTraining), rows)
