"""Reads about personal data: all of a person, the trace, acts of destruction."""

from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_common import clock
from nastavnik_common.errors import NotFoundError
from nastavnik_common.paging import Page, decode_cursor, encode_cursor
from nastavnik_registry import aggregates, bodies
from nastavnik_registry.aggregates import chain, people, states
from nastavnik_registry.aggregates.acts import act_body
from nastavnik_registry.queries import imports
from nastavnik_registry.tables import (
    ConsentRow,
    DestructionAct,
    Person,
    ProgrammeRow,
    TraceEntry,
    TraceLink,
)

LISTED = 1000


async def of_person(tx: AsyncSession, ident: UUID) -> bodies.PersonalData:
    row = await aggregates.live(tx, Person, "participant", ident)
    consents = select(ConsentRow).where(
        col(ConsentRow.participant_id) == ident, col(ConsentRow.deleted).is_(False)
    )
    curated = select(col(ProgrammeRow.id)).where(
        col(ProgrammeRow.curator_id) == ident, col(ProgrammeRow.deleted).is_(False)
    )
    entries = await _entries(tx, _about(ident).limit(LISTED + 1))
    acts = select(DestructionAct).where(col(DestructionAct.subjects).contains([ident]))
    return bodies.PersonalData(
        generated_at=clock.now(),
        participant=states.participant_body(await people.individual(tx, row)),
        consents=[
            states.consent_body(c) for c in await _all(tx, consents.order_by(col(ConsentRow.id)))
        ],
        imports=await imports.history(tx, "participant", ident),
        curator_of=await _all(tx, curated),
        trace=[_only(entry, ident) for entry in entries[:LISTED]],
        trace_complete=len(entries) <= LISTED,
        acts=[_act_of(act, ident) for act in await _all(tx, acts)],
    )


async def _all(tx: AsyncSession, query: Select[Any]) -> list[Any]:
    return list((await tx.execute(query)).scalars())


def _about(ident: UUID) -> Select[Any]:
    query = select(TraceEntry).where(col(TraceEntry.subjects).contains([ident]))
    return query.order_by(col(TraceEntry.id).desc())


async def _entries(tx: AsyncSession, query: Select[Any]) -> list[bodies.TraceEntry]:
    return [entry_body(row) for row in await _all(tx, query)]


def entry_body(row: TraceEntry) -> bodies.TraceEntry:
    fields = row.model_dump(exclude={"subjects"})
    return bodies.TraceEntry(**fields, participant_ids=row.subjects)


def _only(entry: bodies.TraceEntry, ident: UUID) -> bodies.TraceEntry:
    """Without the others of the same page: their ids are no matter of this person."""
    return entry.model_copy(update={"participant_ids": [ident]})


def _act_of(row: DestructionAct, ident: UUID) -> bodies.DestructionAct:
    return act_body(row).model_copy(update={"participant_ids": [ident]})


async def entries(
    tx: AsyncSession, limit: int, cursor: str | None, *, participant_id: UUID | None
) -> Page[bodies.TraceEntry]:
    """Of the trace, newest first."""
    query = select(TraceEntry).order_by(col(TraceEntry.id).desc())
    if participant_id is not None:
        query = _about(participant_id)
    if cursor is not None:
        (last,) = decode_cursor(cursor, tuple[int])
        query = query.where(col(TraceEntry.id) < last)
    found = await _entries(tx, query.limit(limit + 1))
    more = encode_cursor(found[limit - 1].id) if len(found) > limit else None
    return Page(items=found[:limit], next_cursor=more)


async def acts(
    tx: AsyncSession, limit: int, cursor: str | None, *, participant_id: UUID | None
) -> Page[bodies.DestructionAct]:
    """Newest first."""
    year, number = col(DestructionAct.year), col(DestructionAct.number)
    query = select(DestructionAct).order_by(year.desc(), number.desc())
    if participant_id is not None:
        query = query.where(col(DestructionAct.subjects).contains([participant_id]))
    if cursor is not None:
        year_last, last = decode_cursor(cursor, tuple[int, int])
        query = query.where((year < year_last) | ((year == year_last) & (number < last)))
    rows = await _all(tx, query.limit(limit + 1))
    end = rows[limit - 1] if len(rows) > limit else None
    more = encode_cursor(end.year, end.number) if end else None
    return Page(items=[act_body(row) for row in rows[:limit]], next_cursor=more)


async def act(tx: AsyncSession, ident: UUID) -> bodies.DestructionAct:
    """With its extract of the trace: the entry of the destruction."""
    row = await tx.get(DestructionAct, ident)
    if row is None:
        raise NotFoundError("destruction_act", ident)
    log = await _entries(tx, select(TraceEntry).where(col(TraceEntry.id) == row.entry_id))
    return act_body(row).model_copy(update={"log": log})


async def verified(
    tx: AsyncSession, known: bodies.KnownHead | None, listed: int = 100
) -> bodies.Verified:
    """Whether the trace is as it was written. Chain what is pending before."""
    found = [fault async for fault in chain.faults(tx)]
    if known is not None:
        kept = chain.Head(known.seq, bytes.fromhex(known.hash))
        if not await chain.has(tx, kept):
            found.append(chain.Fault(known.seq, None, "head_differs"))
    head = await chain.head(tx)
    links = select(func.count()).select_from(TraceLink)
    return bodies.Verified(
        intact=not found,
        entries=(await tx.execute(links)).scalar_one(),
        head=bodies.KnownHead(seq=head.seq, hash=head.hash.hex()),
        faults=[bodies.TraceFault(**fault._asdict()) for fault in islice(found, listed)],
    )
