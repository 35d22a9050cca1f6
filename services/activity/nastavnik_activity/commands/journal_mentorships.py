"""Mentorships as a journal tells of them: formed, or corrected by the same key."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_activity.commands import base, mentorships
from nastavnik_activity.commands.base import Entry, Outcome
from nastavnik_activity.domain.journals import MentorshipLine
from nastavnik_activity.domain.mentorships import Changes, Move, NewMentorship
from nastavnik_activity.tables import Mentorship
from nastavnik_common.auth_scope import reach
from nastavnik_common.errors import ConflictError, DomainError
from nastavnik_common.events.activity import Member
from nastavnik_common.outbox import Outbox


async def enter_all(
    tx: AsyncSession,
    outbox: Outbox,
    lines: Sequence[MentorshipLine],
    source: str,
    now: datetime,
    *,
    consents: bool,
) -> list[Outcome]:
    """An outcome for each, in order. `consents` as with `form_all`."""
    asked = [line.asked(source) for line in lines]
    found: dict[int, Outcome] = {}
    rows = await _rows(tx, asked)
    fresh: dict[int, NewMentorship] = {}
    seen = set()
    for number, new in enumerate(asked):
        assert new.id is not None
        try:
            if new.id in seen:
                raise DomainError("line.repeated_key", "An earlier line has the same key.")
            seen.add(new.id)
            if new.id in rows:
                found[number] = await _correct(tx, outbox, rows[new.id], new, now, consents)
            else:
                fresh[number] = new
        except DomainError as error:
            found[number] = error
    await tx.flush()
    results = await mentorships.form_all(tx, outbox, list(fresh.values()), now, consents=consents)
    for number, result in zip(fresh, results, strict=True):
        if isinstance(result, DomainError):
            found[number] = result
        else:
            found[number] = Entry.of(result)
    return [found[number] for number in range(len(lines))]


async def _rows(tx: AsyncSession, asked: Sequence[NewMentorship]) -> dict[object, Mentorship]:
    """Those that exist, locked in the order of their ids."""
    idents = [new.id for new in asked]
    rows = await tx.scalars(
        select(Mentorship)
        .where(base.among(col(Mentorship.id), idents), col(Mentorship.deleted).is_(False))
        .order_by(col(Mentorship.id))
        .with_for_update()
    )
    return {row.id: row for row in rows}


async def _correct(
    tx: AsyncSession,
    outbox: Outbox,
    row: Mentorship,
    new: NewMentorship,
    now: datetime,
    consents: bool,
) -> Outcome:
    mark = mentorships.digest(new)
    reach().demand(row.organization_id)
    if row.created_as == mark:
        return Entry(row.id, "unchanged")
    before = row.state()
    if before.organization_id != new.organization_id:
        raise ConflictError("mentorship.organization_fixed", "It is of another organisation.")
    if before.type != new.type:
        raise DomainError("mentorship.bad_composition", "A pair does not become a group.")
    if before.periods and new.active_from != before.periods[0].since:
        raise ConflictError("mentorship.start_fixed", "It began on another day.")
    members = tuple(Member(participant_id=m.participant_id, role=m.role) for m in new.members)
    changes = Changes(members=members, sessions_per_month=new.sessions_per_month, form=new.form)
    state = await mentorships.change(tx, outbox, row.id, changes, None, consents=consents)
    if new.active_from is not None and not before.periods:
        move = Move(action="activate", on=new.active_from)
        state = await mentorships.move(tx, outbox, row.id, move, None, now, consents=consents)
    row.created_as = mark
    return Entry(row.id, "unchanged" if state.version == before.version else "changed")
