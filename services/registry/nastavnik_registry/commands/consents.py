"""Writes of consents. They are personal: what is published is which purposes are consented to."""

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_common import clock
from nastavnik_common.auth_scope import out_of_scope, reach
from nastavnik_common.errors import ConflictError, DomainError
from nastavnik_common.events import PARTICIPANT
from nastavnik_common.outbox import Outbox
from nastavnik_common.writing import Reply
from nastavnik_registry import aggregates
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
SAID = (*PLAIN, "text_version")


class Recorded(NamedTuple):
    row: ConsentRow
    new: bool


async def create(tx: AsyncSession, outbox: Outbox, new: rules.NewConsent) -> Reply:
    """Record a consent: 201, or 200 with the stored one when it is the same again."""
    (found,) = await record_all(tx, outbox, [new])
    if isinstance(found, DomainError):
        raise found
    return _reply(found.row, 201 if found.new else 200)


async def record_all(
    tx: AsyncSession, outbox: Outbox, asked: Sequence[rules.NewConsent]
) -> list[Recorded | DomainError]:
    """Record consents, in order; one that is refused keeps no other back."""
    people_ = await _people(tx, {new.participant_id for new in asked})
    reachable = await _reachable(tx, people_)
    stored = await _stored(tx, [new.id for new in asked if new.id is not None])
    results: list[Recorded | DomainError] = []
    for new in asked:
        try:
            results.append(_recorded(new, people_, reachable, stored))
        except DomainError as error:
            results.append(error)
    await _insert(tx, results)
    fresh = [found.row for found in results if isinstance(found, Recorded) and found.new]
    concerned = sorted({row.participant_id for row in fresh})
    await trace.changed(tx, "consent_recorded", concerned, ["consents"])
    await _reckon(tx, outbox, [people_[ident] for ident in concerned])
    return results


def _recorded(
    new: rules.NewConsent,
    people_: Mapping[UUID, Person],
    reachable: Set[UUID],
    stored: dict[UUID, ConsentRow],
) -> Recorded:
    """The row that is there under the id, or a new one; `stored` gets it."""
    person = people_.get(new.participant_id)
    if person is not None and person.id not in reachable:
        raise out_of_scope()
    row = _row(new)
    if row.id in stored:
        return _same(stored[row.id], row)
    if new.purpose not in privacy.purposes():
        raise DomainError("consent.purpose_unknown", "No such purpose; GET /purposes lists them.")
    if person is None:
        raise DomainError("participant.unknown", "A participant named in the body is unknown.")
    if person.erased_at is not None:
        raise ConflictError("participant.erased", "The personal data of the person was erased.")
    today = clock.now().date()
    rules.check_signature(
        new.signed_by, new.representative_name, person.birth_date, new.signed_on, today
    )
    if new.withdrawn_on is not None:
        rules.check_withdrawal(new.signed_on, new.withdrawn_on, today)
    stored[row.id] = row
    return Recorded(row, new=True)


def _row(new: rules.NewConsent) -> ConsentRow:
    """Texts are stripped, as everywhere."""
    said = {name: getattr(new, name) for name in PLAIN} | {"text_version": new.version}
    stripped: dict[str, Any] = {
        name: v.strip() if isinstance(v, str) else v for name, v in said.items()
    }
    return ConsentRow(id=new.id or uuid4(), version=1, **stripped)


def _same(row: ConsentRow, wanted: ConsentRow) -> Recorded:
    if row.deleted or any(getattr(row, n) != getattr(wanted, n) for n in SAID):
        raise ConflictError("consent.id_conflict", "The id names another consent.")
    return Recorded(row, new=False)


async def _insert(tx: AsyncSession, results: list[Recorded | DomainError]) -> None:
    """Put in the new rows. Where another request has just taken an id, the result is told anew."""
    made = [found.row for found in results if isinstance(found, Recorded) and found.new]
    if not made:
        return
    names = ("id", "version", *SAID)
    values = [{name: getattr(row, name) for name in names} for row in made]
    statement = insert(ConsentRow).on_conflict_do_nothing().returning(col(ConsentRow.id))
    there = await _stored(tx, {row.id for row in made} - set(await tx.scalars(statement, values)))
    for index, found in enumerate(results):
        if isinstance(found, Recorded) and found.row.id in there:
            results[index] = _told(there[found.row.id], found.row)


def _told(there: ConsentRow, row: ConsentRow) -> Recorded | DomainError:
    try:
        return _same(there, row)
    except DomainError as error:
        return error


async def _people(tx: AsyncSession, ids: Iterable[UUID]) -> dict[UUID, Person]:
    """Those there are, locked: two consents of one person are reckoned one after the other."""
    query = (
        select(Person)
        .where(col(Person.id).in_(sorted(ids)), col(Person.deleted).is_(False))
        .order_by(col(Person.id))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in (await tx.scalars(query)).all()}


async def _reachable(tx: AsyncSession, ids: Collection[UUID]) -> Set[UUID]:
    """Those who are, or were, where the caller may write."""
    if reach().units is None:
        return frozenset(ids)
    memberships = await people.memberships_of(tx, list(ids))
    covers = reach().covers
    return {i for i in ids if any(covers(m.organization_id) for m in memberships.get(i, ()))}


async def _stored(tx: AsyncSession, ids: Collection[UUID]) -> dict[UUID, ConsentRow]:
    query = select(ConsentRow).where(col(ConsentRow.id).in_(sorted(ids)))
    return {row.id: row for row in (await tx.scalars(query)).all()} if ids else {}


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
        concerned = await _people(tx, [row.participant_id])
        await trace.changed(tx, "consent_withdrawn", concerned, ["consents"])
        await _reckon(tx, outbox, list(concerned.values()))
    return _reply(row, 200)


async def _reckon(tx: AsyncSession, outbox: Outbox, concerned: Sequence[Person]) -> None:
    """Bring what people's rows say to the consents, and tell the others of whom it is new."""
    query = select(
        col(ConsentRow.participant_id),
        col(ConsentRow.purpose),
        col(ConsentRow.withdrawn_on).is_not(None),
    ).where(
        col(ConsentRow.participant_id).in_([person.id for person in concerned]),
        col(ConsentRow.deleted).is_(False),
    )
    given: dict[UUID, list[tuple[str, bool]]] = {}
    for ident, purpose, withdrawn in await tx.execute(query):
        given.setdefault(ident, []).append((purpose, withdrawn))
    changed = []
    for person in concerned:
        before = (person.consents, person.withdrawn)
        person.consents, person.withdrawn = privacy.standing(given.get(person.id, ()))
        if before == (person.consents, person.withdrawn):
            continue
        aggregates.step(person)
        if privacy.CONTACTS in person.withdrawn and (person.email or person.phone):
            await destruction.contacts(tx, person)
        changed.append(person)
    await tx.flush()
    found = await people.individuals(tx, changed)
    await outbox.add(
        tx, *(outbox.event(PARTICIPANT, "changed", states.person_state(one)) for one in found)
    )


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
