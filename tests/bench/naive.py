"""What the projector is measured against: one transaction per event, rows read and written one
by one through SQLModel. It keeps the same facts and counters, and no cells: less than the
projector does."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_common import db, events
from nastavnik_common.events.reading import read
from nastavnik_common.settings import Settings
from nastavnik_metrics import fold
from nastavnik_metrics.tables import (
    Attendance,
    Mentorship,
    MentorshipMember,
    Organization,
    Participant,
    Session,
)
from tests.bench.harness import timed

_TABLES: dict[str, Any] = {
    events.ORGANIZATION.topic: Organization,
    events.PARTICIPANT.topic: Participant,
    events.MENTORSHIP.topic: Mentorship,
    events.SESSION.topic: Session,
}


async def handled(settings: Settings, records: Sequence[Any]) -> float:
    """Events a second."""
    engine = db.create_engine(settings)
    sessions = db.create_sessions(engine)
    await db.ping(engine)
    with timed() as seconds:
        for record in records:
            reading = read(record)
            assert reading is not None
            async with sessions.begin() as tx:
                await _handle(tx, _TABLES[record.topic], reading.state)
    await engine.dispose()
    return len(records) / seconds()


async def _handle(tx: AsyncSession, table: Any, state: Any) -> None:
    row = await tx.get(table, state.id, with_for_update=True)
    if row is not None and row.version >= state.version:
        return
    before = _attended(row) if table is Session else set()
    if row is None:
        row = table(id=state.id, version=state.version)
        tx.add(row)
    row.version = state.version
    if table is Session:
        row.mentorship_id, row.day, row.held = state.mentorship_id, state.date, True
        row.attended = [person for person, _, _ in fold.attended(state)]
        row.minutes, row.technology = state.duration_minutes, state.technology
        row.audience, row.expected = list(state.audience), len(state.attendance)
        await _count(tx, before, fold.attended(state))
        return
    row.state = msgspec.to_builtins(state)
    if table is Mentorship:
        await _members(tx, state)


def _attended(row: Any) -> set[fold.Attended]:
    if row is None:
        return set()
    return fold.attendances(row.attended, row.mentorship_id, row.day)


async def _count(tx: AsyncSession, before: set[fold.Attended], after: set[fold.Attended]) -> None:
    for key, step in [
        *((key, -1) for key in before - after),
        *((key, 1) for key in after - before),
    ]:
        row = await tx.get(Attendance, key, with_for_update=True)
        if row is None:
            person, mentorship, month = key
            row = Attendance(
                participant_id=person, mentorship_id=mentorship, school_month=month, held=0
            )
            tx.add(row)
        row.held += step


async def _members(tx: AsyncSession, state: Any) -> None:
    mentorship: UUID = state.id
    await tx.execute(
        delete(MentorshipMember).where(col(MentorshipMember.mentorship_id) == mentorship)
    )
    tx.add_all(
        MentorshipMember(participant_id=member.participant_id, mentorship_id=mentorship)
        for member in state.members
    )
