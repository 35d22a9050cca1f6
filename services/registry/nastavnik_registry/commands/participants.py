"""Writes of participants. What is personal stays in the rows: events carry years and places."""

from collections.abc import Iterable
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common import clock
from nastavnik_common.errors import ConflictError
from nastavnik_common.events import PARTICIPANT
from nastavnik_common.events.registry import Membership
from nastavnik_common.outbox import Outbox
from nastavnik_common.writing import Reply
from nastavnik_registry import aggregates, bodies, domain
from nastavnik_registry.aggregates import Individual, states
from nastavnik_registry.tables import Person

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
    row = Person(id=ident, version=1, **{name: getattr(body, name) for name in PLAIN})
    person = Individual(row, _memberships(body.memberships), aggregates.refs(body.external_ids))
    await _check(tx, person)
    tx.add(row)
    await tx.flush()
    await aggregates.save_memberships(tx, ident, person.memberships)
    await aggregates.save_refs(tx, KIND, ident, (), person.external_ids)
    state = states.person_state(row, person.memberships)
    await outbox.add(tx, outbox.event(PARTICIPANT, "registered", state))
    return _reply(person, 201)


async def _again(tx: AsyncSession, row: Person, body: bodies.NewParticipant) -> Reply:
    person = await aggregates.individual(tx, row)
    same = (
        not row.deleted
        and all(getattr(row, name) == getattr(body, name) for name in PLAIN)
        and person.memberships == _memberships(body.memberships)
        and person.external_ids == aggregates.refs(body.external_ids)
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
    before = await aggregates.individual(tx, row)
    old = [getattr(row, name) for name in PLAIN]
    given = body.model_fields_set
    for name in given & set(PLAIN):
        setattr(row, name, getattr(body, name))
    after = Individual(
        row,
        _memberships(body.memberships) if "memberships" in given else before.memberships,
        aggregates.refs(body.external_ids) if "external_ids" in given else before.external_ids,
    )
    if before[1:] == after[1:] and old == [getattr(row, name) for name in PLAIN]:
        return _reply(before, 200)
    await _check(tx, after)
    row.version += 1
    row.changed_at = clock.now()
    await tx.flush()
    if before.memberships != after.memberships:
        await aggregates.save_memberships(tx, ident, after.memberships)
    await aggregates.save_refs(tx, KIND, ident, before.external_ids, after.external_ids)
    state = states.person_state(row, after.memberships)
    await outbox.add(tx, outbox.event(PARTICIPANT, "changed", state))
    return _reply(after, 200)


async def delete(tx: AsyncSession, outbox: Outbox, ident: UUID, expected: int | None) -> Reply:
    """Retract a person that should never have been recorded; nothing personal is left behind."""
    row = await aggregates.live(tx, Person, KIND, ident, "delete")
    aggregates.check_version(row.version, expected)
    before = await aggregates.individual(tx, row)
    for name in PLAIN:
        setattr(row, name, None)
    row.version += 1
    row.deleted = True
    row.changed_at = clock.now()
    await tx.flush()
    await aggregates.save_memberships(tx, ident, ())
    await aggregates.save_refs(tx, KIND, ident, before.external_ids, ())
    await outbox.add(tx, outbox.tombstone(PARTICIPANT, ident, row.version))
    return Reply(bodies.Deleted(id=ident, version=row.version), version=row.version)


async def _check(tx: AsyncSession, person: Individual) -> None:
    row = person.row
    domain.check_person(row.birth_date, row.teaching_since, clock.now().date())
    domain.check_memberships(person.memberships)
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


def _reply(person: Individual, status: int) -> Reply:
    place = f"/participants/{person.row.id}" if status == 201 else None
    return Reply(states.participant_body(person), status, person.row.version, place)
