"""Mentorships: formed, moved through their lifecycle, corrected, deleted."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_activity import tables
from nastavnik_activity.commands import base, forms, locks, registry
from nastavnik_activity.domain import mentorships as rules
from nastavnik_activity.domain.mentorships import Changes, Facts, Move, NewMentorship
from nastavnik_activity.tables import Assessment, Mentorship, Session, Survey
from nastavnik_common.errors import ConflictError, DomainError
from nastavnik_common.events import MENTORSHIP
from nastavnik_common.events.activity import FederalForm, MentorshipState
from nastavnik_common.outbox import Outbox

Result = base.Made[MentorshipState] | DomainError
_COLUMNS = (*tables.MENTORSHIP_COLUMNS, "deleted", "last_on", "created_as")


class _References(msgspec.Struct, frozen=True):
    """What the requests of one transaction refer to, as far as it exists."""

    levels: dict[UUID, str | None]
    participants: set[UUID]
    without_consent: set[UUID]
    forms: dict[str, FederalForm]


async def form_all(
    tx: AsyncSession,
    outbox: Outbox,
    asked: Sequence[NewMentorship],
    now: datetime,
    *,
    consents: bool,
) -> list[Result]:
    """A result for each, in order. Those without an error are written, with their events.

    `consents`: every member must have consented; else nobody may have withdrawn it.
    """
    references = await _references(tx, asked, consents)
    known = await _known(tx, [new.id for new in asked if new.id is not None])
    results: list[Result] = []
    made: list[tuple[MentorshipState, bytes, NewMentorship]] = []
    for new in asked:
        ident, mark = new.id or uuid4(), digest(new)
        try:
            if ident in known:
                results.append(base.repeated("mentorship", known[ident], mark))
                continue
            state = _formed(new, ident, references, now)
        except DomainError as error:
            results.append(error)
            continue
        known[ident] = base.Known(mark, state)
        made.append((state, mark, new))
        results.append(base.Made(state, created=True))
    await _write(tx, outbox, made)
    return results


async def move(
    tx: AsyncSession,
    outbox: Outbox,
    ident: UUID,
    asked: Move,
    version: int | None,
    now: datetime,
    *,
    consents: bool,
) -> MentorshipState:
    """The state after. What begins or goes on needs the consents as a new one does."""
    row = await locks.mentorship(tx, ident)
    base.check_version(row.version, version)
    if asked.action in ("activate", "resume", "reopen"):
        await registry.check_consents(tx, row.member_ids, required=consents)
    last_session = await tx.scalar(
        select(func.max(col(Session.day))).where(
            col(Session.mentorship_id) == ident,
            col(Session.status) == "held",
            col(Session.deleted).is_(False),
        )
    )
    facts = Facts(today=now.date(), last_on=row.last_on, last_session=last_session)
    state = rules.move(row.state(), asked, facts)
    row.take(state)
    row.last_on = asked.on
    await outbox.add(tx, outbox.event(MENTORSHIP, rules.VERBS[asked.action], state))
    return state


async def change(
    tx: AsyncSession,
    outbox: Outbox,
    ident: UUID,
    changes: Changes,
    version: int | None,
    *,
    consents: bool,
) -> MentorshipState:
    """The state after the correction. Newly named members must exist, those there may be gone."""
    row = await locks.mentorship(tx, ident)
    base.check_version(row.version, version)
    federal = None
    if isinstance(changes.form, str):
        federal = _form(changes.form, await forms.federal(tx, {changes.form}))
    state = rules.changed(row.state(), changes, federal)
    if state.version == row.version:
        return state
    new = {m.participant_id for m in state.members} - set(row.member_ids)
    if not new <= await registry.participants(tx, new):
        raise registry.unknown_participant()
    await registry.check_consents(tx, new, required=consents)
    row.take(state)
    await outbox.add(tx, outbox.event(MENTORSHIP, "changed", state))
    return state


async def delete(tx: AsyncSession, outbox: Outbox, ident: UUID, version: int | None) -> None:
    row = await locks.mentorship(tx, ident)
    base.check_version(row.version, version)
    for name, table in _ATTACHED.items():
        if await tx.scalar(_counting(table, ident)) is not None:
            raise ConflictError(f"mentorship.has_{name}", f"Void or delete its {name} first.")
    row.deleted = True
    row.version += 1
    await outbox.add(tx, outbox.tombstone(MENTORSHIP, ident, row.version))


_ATTACHED: dict[str, type[Session] | type[Survey] | type[Assessment]] = {
    "sessions": Session,
    "surveys": Survey,
    "assessments": Assessment,
}


def _counting(table: type[Session] | type[Survey] | type[Assessment], ident: UUID) -> Any:
    """One of the mentorship's that is neither voided nor deleted."""
    return (
        select(col(table.id))
        .where(
            col(table.mentorship_id) == ident,
            col(table.status) != "voided",
            col(table.deleted).is_(False),
        )
        .limit(1)
    )


def _formed(
    new: NewMentorship, ident: UUID, references: _References, now: datetime
) -> MentorshipState:
    registry.check_organization("mentorship", new.organization_id, references.levels)
    federal = _form(new.form, references.forms)
    state = rules.form(new, ident, federal, now.date())
    if not references.participants.issuperset(m.participant_id for m in new.members):
        raise registry.unknown_participant()
    if not references.without_consent.isdisjoint(m.participant_id for m in new.members):
        raise registry.consent_missing()
    return state


def _form(code: str, known: dict[str, FederalForm]) -> FederalForm:
    if code not in known:
        raise DomainError("form.unknown", "No such form; GET /forms lists them.")
    return known[code]


def digest(new: NewMentorship) -> bytes:
    members = tuple(sorted(new.members, key=lambda m: m.participant_id))
    return base.digest(msgspec.structs.replace(new, id=None, members=members))


async def _write(
    tx: AsyncSession,
    outbox: Outbox,
    made: Sequence[tuple[MentorshipState, bytes, NewMentorship]],
) -> None:
    if not made:
        return
    rows = [
        (*tables.mentorship_values(state), False, new.active_from, mark)
        for state, mark, new in made
    ]
    await base.copy(tx, "mentorship", _COLUMNS, rows)
    await outbox.copy(
        tx,
        [
            outbox.event(MENTORSHIP, "activated" if state.periods else "drafted", state)
            for state, _, _ in made
        ],
    )


async def _known(tx: AsyncSession, idents: Sequence[UUID]) -> dict[UUID, Any]:
    if not idents:
        return {}
    columns = [getattr(Mentorship, name) for name in _COLUMNS]
    statement = select(*columns).where(base.among(col(Mentorship.id), idents))
    return await base.known(tx, statement, tables.mentorship_state)


async def _references(
    tx: AsyncSession, asked: Sequence[NewMentorship], consents: bool
) -> _References:
    people = {m.participant_id for new in asked for m in new.members}
    return _References(
        levels=await registry.levels(tx, {new.organization_id for new in asked}),
        participants=await registry.participants(tx, people),
        without_consent=await registry.without_consent(tx, people, required=consents),
        forms=await forms.federal(tx, {new.form for new in asked}),
    )
