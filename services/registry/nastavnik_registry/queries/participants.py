"""Reads of participants."""

from uuid import UUID

from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_common.paging import Page
from nastavnik_registry import aggregates, bodies
from nastavnik_registry.aggregates import people, states, trace
from nastavnik_registry.queries import containing, page
from nastavnik_registry.tables import Person, PersonMembership


async def one(tx: AsyncSession, ident: UUID) -> bodies.Participant:
    row = await aggregates.live(tx, Person, "participant", ident)
    trace.seen([ident])
    return states.participant_body(await people.individual(tx, row))


async def many(
    tx: AsyncSession,
    limit: int,
    cursor: str | None,
    *,
    organization_id: UUID | None = None,
    kind: str | None = None,
    name: str | None = None,
) -> Page[bodies.Participant]:
    """With a membership, now or ever, that fits; `name`: any part of the full name, any case."""
    query = select(Person).where(col(Person.deleted).is_(False))
    if organization_id is not None or kind is not None:
        member = exists().where(col(PersonMembership.participant_id) == Person.id)
        if organization_id is not None:
            member = member.where(col(PersonMembership.organization_id) == organization_id)
        if kind is not None:
            member = member.where(col(PersonMembership.kind) == kind)
        query = query.where(member)
    if name is not None:
        full = func.concat_ws(" ", Person.family_name, Person.given_name, Person.middle_name)
        query = query.where(full.ilike(containing(name)))
    rows, more = await page(tx, Person, query, limit, cursor)
    found = await people.individuals(tx, rows)
    trace.seen(row.id for row in rows)
    return Page(items=[states.participant_body(one) for one in found], next_cursor=more)
