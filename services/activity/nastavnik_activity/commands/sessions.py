"""Sessions: logged, corrected, voided, deleted."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_activity import tables
from nastavnik_activity.commands import base, locks
from nastavnik_activity.domain import sessions as rules
from nastavnik_activity.domain.sessions import Calendar, Changes, NewSession
from nastavnik_activity.tables import Session
from nastavnik_common.auth_scope import reach
from nastavnik_common.errors import DomainError, NotFoundError
from nastavnik_common.events import SESSION
from nastavnik_common.events.activity import MentorshipState, SessionState
from nastavnik_common.outbox import Outbox

Result = base.Made[SessionState] | DomainError
Mentorships = dict[UUID, tuple[MentorshipState, UUID]]
_STRETCH = 500
_COLUMNS = (*tables.SESSION_COLUMNS, "deleted", "created_as", "organization_id")


async def log_all(
    tx: AsyncSession, outbox: Outbox, asked: Sequence[NewSession], now: datetime
) -> list[Result]:
    """A result for each, in order; each is checked against those before it, too.

    Those without an error are written, with their events.
    """
    mentorships = await locks.mentorships(tx, (new.mentorship_id for new in asked))
    known = await _known(tx, [new.id for new in asked if new.id is not None])
    calendars = await _calendars(tx, asked, mentorships, now)
    results: list[Result] = []
    made: list[tuple[SessionState, bytes]] = []
    for number, new in enumerate(asked):
        if number % _STRETCH == _STRETCH - 1:
            await asyncio.sleep(0)  # other requests are waiting for this thread
        ident, mark = new.id or uuid4(), digest(new)
        try:
            if ident in known:
                results.append(base.repeated("session", known[ident], mark))
                continue
            state = _logged(new, ident, mentorships, calendars, now)
        except DomainError as error:
            results.append(error)
            continue
        known[ident] = base.Known(mark, state)
        made.append((state, mark))
        results.append(base.Made(state, created=True))
    await _write(tx, outbox, made, mentorships)
    return results


async def correct(
    tx: AsyncSession,
    outbox: Outbox,
    ident: UUID,
    changes: Changes,
    version: int | None,
    now: datetime,
) -> SessionState:
    row, mentorship = await _lock(tx, ident)
    base.check_version(row.version, version)
    before = row.state()
    state = rules.correct(before, changes, mentorship, now)
    if state.version == before.version:
        return state
    begin, end = state.starts_at, rules.ends_at(state)
    if state.status == "held" and await _taken(tx, state, begin, end):
        raise rules.overlaps()
    row.take(state)
    await outbox.add(tx, _event(outbox, "corrected", state))
    return state


async def void(
    tx: AsyncSession, outbox: Outbox, ident: UUID, reason: str | None, version: int | None
) -> SessionState:
    row, _ = await _lock(tx, ident)
    base.check_version(row.version, version)
    state = rules.void(row.state())
    if state.version != row.version:
        row.take(state)
        row.void_reason = reason
        await outbox.add(tx, _event(outbox, "voided", state))
    return state


async def delete(tx: AsyncSession, outbox: Outbox, ident: UUID, version: int | None) -> None:
    row, _ = await _lock(tx, ident)
    base.check_version(row.version, version)
    row.deleted = True
    row.version += 1
    tombstone = outbox.tombstone(SESSION, ident, row.version, row.mentorship_id)
    await outbox.add(tx, tombstone)


def _event(outbox: Outbox, verb: str, state: SessionState) -> Any:
    return outbox.event(SESSION, verb, state, partition_key=state.mentorship_id)


async def _lock(tx: AsyncSession, ident: UUID) -> tuple[Session, MentorshipState]:
    """The session and its mentorship, both ours: the mentorship's lock comes first."""
    found = col(Session.id) == ident, col(Session.deleted).is_(False)
    mentorship_id = await tx.scalar(select(col(Session.mentorship_id)).where(*found))
    if mentorship_id is not None:
        mentorship = await locks.mentorship(tx, mentorship_id)
        statement = select(Session).where(*found).with_for_update()
        row = (await tx.execute(statement)).scalar_one_or_none()
        if row is not None:
            return row, mentorship.state()
    raise NotFoundError("session", ident)


async def _taken(tx: AsyncSession, state: SessionState, begin: datetime, end: datetime) -> bool:
    """Whether another held session of the mentorship overlaps."""
    other = await tx.scalar(
        select(col(Session.id))
        .where(
            col(Session.mentorship_id) == state.mentorship_id,
            col(Session.id) != state.id,
            col(Session.status) == "held",
            col(Session.deleted).is_(False),
            col(Session.starts_at) < end,
            col(Session.ends_at) > begin,
        )
        .limit(1)
    )
    return other is not None


def _logged(
    new: NewSession,
    ident: UUID,
    found: Mentorships,
    calendars: dict[UUID, Calendar],
    now: datetime,
) -> SessionState:
    if new.mentorship_id not in found:
        raise DomainError("mentorship.unknown", "No such mentorship.")
    mentorship, organization_id = found[new.mentorship_id]
    reach().demand(organization_id)
    state = rules.log(new, ident, mentorship, now)
    if state.status == "held":
        calendar = calendars.setdefault(new.mentorship_id, Calendar())
        if not calendar.add(state.starts_at, rules.ends_at(state)):
            raise rules.overlaps()
    return state


def digest(new: NewSession) -> bytes:
    """Of all but the id, whatever the order of the lists."""
    attendance = new.attendance
    if attendance:
        attendance = tuple(sorted(attendance, key=lambda a: a.participant_id))
    return base.digest(
        new.mentorship_id,
        new.status,
        new.starts_at,
        new.duration_minutes,
        new.technology,
        sorted(set(new.audience)),
        attendance,
    )


async def _write(
    tx: AsyncSession,
    outbox: Outbox,
    made: Sequence[tuple[SessionState, bytes]],
    found: Mentorships,
) -> None:
    if not made:
        return
    rows = [
        (*tables.session_values(state), False, mark, found[state.mentorship_id][1])
        for state, mark in made
    ]
    await base.copy(tx, "session", _COLUMNS, rows)
    await outbox.copy(tx, (_event(outbox, "logged", state) for state, _ in made))


async def _known(tx: AsyncSession, idents: Sequence[UUID]) -> dict[UUID, Any]:
    if not idents:
        return {}
    columns = [getattr(Session, name) for name in _COLUMNS]
    statement = select(*columns).where(base.among(col(Session.id), idents))
    return await base.known(tx, statement, tables.session_state)


# no session is longer than 12 hours, so older starts need not be looked at
_BUSY = text(
    """
    select s.mentorship_id, s.starts_at, s.ends_at
    from unnest(cast(:ids as uuid[]), cast(:since as timestamptz[]), cast(:until as timestamptz[]))
         as asked (id, since, until)
    join session s on s.mentorship_id = asked.id
         and s.starts_at < asked.until and s.starts_at > asked.since - interval '12 hours'
         and s.ends_at > asked.since
    where s.status = 'held' and not s.deleted
    """
)


async def _calendars(
    tx: AsyncSession, asked: Sequence[NewSession], found: Mentorships, now: datetime
) -> dict[UUID, Calendar]:
    """The stored held sessions that could overlap with what is asked, by mentorship."""
    spans: dict[UUID, tuple[datetime, datetime]] = {}
    for new in asked:
        if new.mentorship_id in found and rules.plausible(new, now):
            begin, end = new.starts_at, new.starts_at + timedelta(minutes=new.duration_minutes)
            first, last = spans.get(new.mentorship_id, (begin, end))
            spans[new.mentorship_id] = (min(first, begin), max(last, end))
    if not spans:
        return {}
    since, until = zip(*spans.values(), strict=True)
    parameters = {"ids": list(spans), "since": list(since), "until": list(until)}
    busy: dict[UUID, list[tuple[datetime, datetime]]] = {}
    for ident, begin, end in (await tx.execute(_BUSY, parameters)).tuples():
        busy.setdefault(ident, []).append((begin, end))
    return {ident: Calendar(stretches) for ident, stretches in busy.items()}
