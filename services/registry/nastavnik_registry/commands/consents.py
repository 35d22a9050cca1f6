"""Writes of consents. They are personal: nothing of them is published."""

from datetime import date
from uuid import UUID, uuid4

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_common import clock
from nastavnik_common.errors import ConflictError
from nastavnik_common.writing import Reply
from nastavnik_registry import aggregates, bodies
from nastavnik_registry.aggregates import states
from nastavnik_registry.domain import consents as rules
from nastavnik_registry.tables import ConsentRow

KIND = "consent"
PLAIN = (
    "participant_id",
    "purpose",
    "signed_on",
    "signed_by",
    "representative_name",
    "withdrawn_on",
)


async def create(tx: AsyncSession, body: bodies.NewConsent) -> Reply:
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
    person = await aggregates.check_participant(tx, body.participant_id)
    today = clock.now().date()
    rules.check_signature(
        body.signed_by, body.representative_name, person.birth_date, body.signed_on, today
    )
    if body.withdrawn_on is not None:
        rules.check_withdrawal(body.signed_on, body.withdrawn_on, today)
    row = ConsentRow(id=ident, version=1, **values)
    tx.add(row)
    await tx.flush()
    return _reply(row, 201)


async def withdraw(tx: AsyncSession, ident: UUID, on: date, expected: int | None) -> Reply:
    """End a consent. The same day again changes nothing, another day is a conflict."""
    row = await aggregates.live(tx, ConsentRow, KIND, ident, "change")
    aggregates.check_version(row.version, expected)
    if row.withdrawn_on != on:
        rules.check_open(row.withdrawn_on)
        rules.check_withdrawal(row.signed_on, on, clock.now().date())
        row.withdrawn_on = on
        aggregates.step(row)
        await tx.flush()
    return _reply(row, 200)


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
