"""Writes of consents. They are personal: what is published is which purposes are consented to."""

from datetime import date
from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_common import clock
from nastavnik_common.errors import ConflictError, DomainError
from nastavnik_common.events import PARTICIPANT
from nastavnik_common.outbox import Outbox
from nastavnik_common.writing import Reply
from nastavnik_registry import aggregates, bodies
from nastavnik_registry.aggregates import people, states, trace
from nastavnik_registry.commands import destruction
from nastavnik_registry.domain import consents as rules
from nastavnik_registry.domain import privacy
from nastavnik_registry.tables import ConsentRow, Person

KIND = "consent"
PLAIN = (
    "participant_id",
    "purpose",
    "signed_on",
    "signed_by",
    "representative_name",
    "withdrawn_on",
)


async def create(tx: AsyncSession, outbox: Outbox, body: bodies.NewConsent) -> Reply:
    """Record a consent: 201, or 200 with the stored one when it is the same again."""
    ident = body.id or uuid4()
    values = {name: getattr(body, name) for name in PLAIN} | {"text_version": body.version}
    if body.id is not None:
        await aggregates.reserve(tx, ident)
        stored = await aggregates.find(tx, ConsentRow, ident)
        if stored is not None:
            if stored.deleted or any(getattr(stored, n) != v for n, v in values.items()):
                raise ConflictError("consent.id_conflict", "The id names another consent.")
            return _reply(stored, 200)
    _check_purpose(body.purpose)
    person = await _person(tx, body.participant_id)
    if person.erased_at is not None:
        raise ConflictError("participant.erased", "The personal data of the person was erased.")
    today = clock.now().date()
    rules.check_signature(
        body.signed_by, body.representative_name, person.birth_date, body.signed_on, today
    )
    if body.withdrawn_on is not None:
        rules.check_withdrawal(body.signed_on, body.withdrawn_on, today)
    row = ConsentRow(id=ident, version=1, **values)
    tx.add(row)
    await tx.flush()
    await trace.changed(tx, "consent_recorded", [person.id], ["consents"])
    await _reckon(tx, outbox, person)
    return _reply(row, 201)


def _check_purpose(code: str) -> None:
    if code not in privacy.purposes():
        raise DomainError("consent.purpose_unknown", "No such purpose; GET /purposes lists them.")


async def _person(tx: AsyncSession, ident: UUID) -> Person:
    """Locked: two consents of one person are reckoned one after the other."""
    row = await aggregates.find(tx, Person, ident, "change")
    if row is None or row.deleted:
        raise DomainError("participant.unknown", "A participant named in the body is unknown.")
    found: Person = row
    return found


async def withdraw(
    tx: AsyncSession, outbox: Outbox, ident: UUID, on: date, expected: int | None
) -> Reply:
    """End a consent, and what rests on it alone. The same day again changes nothing, another day
    is a conflict."""
    row = await aggregates.live(tx, ConsentRow, KIND, ident, "change")
    aggregates.check_version(row.version, expected)
    if row.withdrawn_on != on:
        rules.check_open(row.withdrawn_on)
        rules.check_withdrawal(row.signed_on, on, clock.now().date())
        row.withdrawn_on = on
        aggregates.step(row)
        await tx.flush()
        person = await _person(tx, row.participant_id)
        await trace.changed(tx, "consent_withdrawn", [person.id], ["consents"])
        await _reckon(tx, outbox, person)
    return _reply(row, 200)


async def _reckon(tx: AsyncSession, outbox: Outbox, person: Person) -> None:
    """Bring what the person's row says to the consents, and tell the others if it is new."""
    query = select(col(ConsentRow.purpose), col(ConsentRow.withdrawn_on).is_not(None)).where(
        col(ConsentRow.participant_id) == person.id, col(ConsentRow.deleted).is_(False)
    )
    before = (person.consents, person.withdrawn)
    person.consents, person.withdrawn = privacy.standing((await tx.execute(query)).tuples())
    if before == (person.consents, person.withdrawn):
        return
    aggregates.step(person)
    if privacy.CONTACTS in person.withdrawn and (person.email or person.phone):
        await destruction.contacts(tx, person)
    await tx.flush()
    state = states.person_state(await people.individual(tx, person))
    await outbox.add(tx, outbox.event(PARTICIPANT, "changed", state))


async def retract_all(tx: AsyncSession, *participants: UUID) -> None:
    """Those of people who should never have been recorded; no name stays behind."""
    await tx.execute(
        update(ConsentRow)
        .where(col(ConsentRow.participant_id).in_(participants), col(ConsentRow.deleted).is_(False))
        .values(
            deleted=True,
            representative_name=None,
            version=ConsentRow.version + 1,
            changed_at=clock.now(),
        )
    )


def _reply(row: ConsentRow, status: int) -> Reply:
    place = f"/consents/{row.id}" if status == 201 else None
    return Reply(states.consent_body(row), status, row.version, place)
