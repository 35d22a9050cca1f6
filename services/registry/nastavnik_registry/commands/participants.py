"""Writes of participants. What is personal stays in the rows: events carry years and places."""

from collections.abc import Iterable
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_common import clock
from nastavnik_common.errors import ConflictError
from nastavnik_common.events import PARTICIPANT
from nastavnik_common.events.registry import Membership, Training
from nastavnik_common.outbox import Outbox
from nastavnik_common.writing import Reply
from nastavnik_registry import aggregates, bodies, domain
from nastavnik_registry.aggregates import erasure, people, refs, states, trace
from nastavnik_registry.aggregates.people import Individual
from nastavnik_registry.commands import consents, destruction, imports
from nastavnik_registry.domain import privacy
from nastavnik_registry.tables import Person, ProgrammeRow

KIND = "participant"
PLAIN = (
    "family_name",
    "given_name",
    "middle_name",
    "birth_date",
    "email",
    "phone",
    "teaching_since",
)


async def create(tx: AsyncSession, outbox: Outbox, body: bodies.NewParticipant) -> Reply:
    """Register a person: 201, or 200 with the stored one when it is the same again."""
    ident = body.id or uuid4()
    if body.id is not None:
        await aggregates.reserve(tx, ident)
        stored = await aggregates.find(tx, Person, ident)
        if stored is not None:
            return await _again(tx, stored, body)
    plain = {name: getattr(body, name) for name in PLAIN}
    row = Person(id=ident, version=1, consents=[], withdrawn=[], **plain)
    person = Individual(
        row,
        _memberships(body.memberships),
        _trainings(body.trainings),
        refs.refs(body.external_ids),
    )
    await _check(tx, person)
    tx.add(row)
    await tx.flush()
    await people.save_memberships(tx, ident, person.memberships)
    await people.save_trainings(tx, ident, person.trainings)
    await refs.save_refs(tx, KIND, ident, (), person.external_ids)
    await trace.changed(tx, "registered", [ident], privacy.categories(_given(body)))
    await outbox.add(tx, outbox.event(PARTICIPANT, "registered", states.person_state(person)))
    return _reply(person, 201)


def _given(body: bodies.NewParticipant) -> list[str]:
    return [name for name in body.model_fields_set if getattr(body, name)]


async def _again(tx: AsyncSession, row: Person, body: bodies.NewParticipant) -> Reply:
    person = await people.individual(tx, row)
    same = (
        not row.deleted
        and all(getattr(row, name) == getattr(body, name) for name in PLAIN)
        and person.memberships == _memberships(body.memberships)
        and person.trainings == _trainings(body.trainings)
        and person.external_ids == refs.refs(body.external_ids)
    )
    if not same:
        raise ConflictError("participant.id_conflict", "The id names another participant.")
    return _reply(person, 200)


async def change(
    tx: AsyncSession,
    outbox: Outbox,
    ident: UUID,
    body: bodies.ParticipantPatch,
    expected: int | None,
) -> Reply:
    """Merge the fields given. What changes nothing keeps the version and emits nothing."""
    row = await aggregates.live(tx, Person, KIND, ident, "change")
    aggregates.check_version(row.version, expected)
    before = await people.individual(tx, row)
    old = [getattr(row, name) for name in PLAIN]
    given = body.model_fields_set
    _check_processing(row, body)
    for name in given & set(PLAIN):
        setattr(row, name, getattr(body, name))
    after = Individual(
        row,
        _memberships(body.memberships) if "memberships" in given else before.memberships,
        _trainings(body.trainings) if "trainings" in given else before.trainings,
        refs.refs(body.external_ids) if "external_ids" in given else before.external_ids,
    )
    if before[1:] == after[1:] and old == [getattr(row, name) for name in PLAIN]:
        return _reply(before, 200)
    await _check(tx, after)
    aggregates.step(row)
    await tx.flush()
    if before.memberships != after.memberships:
        await people.save_memberships(tx, ident, after.memberships)
    if before.trainings != after.trainings:
        await people.save_trainings(tx, ident, after.trainings)
    await refs.save_refs(tx, KIND, ident, before.external_ids, after.external_ids)
    await trace.changed(tx, "changed", [ident], privacy.categories(given))
    await outbox.add(tx, outbox.event(PARTICIPANT, "changed", states.person_state(after)))
    return _reply(after, 200)


def _check_processing(row: Person, body: bodies.ParticipantPatch) -> None:
    """What was destroyed is not taken in again. Raises ConflictError."""
    given = {name for name in body.model_fields_set if getattr(body, name)}
    if row.erased_at is not None and given & {*PLAIN, "external_ids"}:
        raise ConflictError("participant.erased", "The personal data of the person was erased.")
    if privacy.CONTACTS in row.withdrawn and given & {"email", "phone"}:
        raise ConflictError(
            "participant.contacts_withdrawn", "The consent to keep contacts was withdrawn."
        )


async def delete(tx: AsyncSession, outbox: Outbox, ident: UUID, expected: int | None) -> Reply:
    """Retract a person that should never have been recorded; nothing personal is left behind but
    an act of its destruction.

    Raises ConflictError while the person is the curator of a programme.
    """
    row = await aggregates.live(tx, Person, KIND, ident, "delete")
    aggregates.check_version(row.version, expected)
    await _check_unused(tx, ident)
    before = await people.individual(tx, row)
    destruction.empty(row)
    row.birth_year = row.teaching_since_year = None
    row.consents, row.withdrawn = [], []
    aggregates.step(row, deleted=True)
    await tx.flush()
    await people.save_memberships(tx, ident, ())
    await people.save_trainings(tx, ident, ())
    await imports.forget(tx, KIND, [ident])
    await refs.save_refs(tx, KIND, ident, before.external_ids, ())
    await consents.retract_all(tx, ident)
    await destruction.forget_answers(tx, [ident])
    await destruction.draw(tx, "deleted", "recorded_by_mistake", [ident], privacy.WHOLE)
    await outbox.add(tx, outbox.tombstone(PARTICIPANT, ident, row.version))
    return Reply(bodies.Deleted(id=ident, version=row.version), version=row.version)


async def _check_unused(tx: AsyncSession, ident: UUID) -> None:
    query = select(col(ProgrammeRow.id)).where(
        col(ProgrammeRow.curator_id) == ident, col(ProgrammeRow.deleted).is_(False)
    )
    if (await tx.execute(query.limit(1))).first() is not None:
        raise ConflictError("participant.in_use", "The person is the curator of a programme.")


async def _check(tx: AsyncSession, person: Individual) -> None:
    row = person.row
    today = clock.now().date()
    domain.check_person(row.birth_date, row.teaching_since, today)
    domain.check_memberships(person.memberships)
    domain.check_trainings(person.trainings, row.birth_date, today)
    if await erasure.erased(tx, person.external_ids):
        raise ConflictError("external_id.erased", "An outside id is of somebody who was erased.")
    await aggregates.check_organizations(tx, (m.organization_id for m in person.memberships))


def _memberships(given: Iterable[bodies.MembershipBody]) -> tuple[Membership, ...]:
    return domain.ordered_memberships(
        Membership(
            organization_id=m.organization_id,
            kind=m.kind,
            primary=m.primary,
            since=m.since,
            until=m.until,
        )
        for m in given
    )


def _trainings(given: Iterable[bodies.TrainingBody]) -> tuple[Training, ...]:
    return domain.ordered_trainings(
        Training(role=t.role, completed_on=t.completed_on) for t in given
    )


def _reply(person: Individual, status: int) -> Reply:
    place = f"/participants/{person.row.id}" if status == 201 else None
    return Reply(states.participant_body(person), status, person.row.version, place)
