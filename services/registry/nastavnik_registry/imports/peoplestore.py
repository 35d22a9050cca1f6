"""Participants written in bulk, with their events."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common import db
from nastavnik_common.events import PARTICIPANT
from nastavnik_common.events.registry import Membership, Training
from nastavnik_registry import domain
from nastavnik_registry.aggregates import people, states
from nastavnik_registry.domain import privacy
from nastavnik_registry.imports import personal
from nastavnik_registry.imports.ledger import Place, Target, differing
from nastavnik_registry.imports.notes import PERSON

PERSONAL = (
    "family_name",
    "given_name",
    "middle_name",
    "birth_date",
    "email",
    "phone",
    "teaching_since",
)
BIRTH, _TEACHING = PERSONAL.index("birth_date"), PERSONAL.index("teaching_since")
_EMAIL, _PHONE = PERSONAL.index("email"), PERSONAL.index("phone")


class Found(NamedTuple):
    """A person as the package has them. `person` is in the order of PERSONAL.

    `known` is the id when the source has named the person before; memberships of None, and a birth
    date that is not `birth_known`, are not in the package: what is stored stays. `was` is the hash
    last imported.
    """

    outside: str
    id: UUID
    known: UUID | None
    person: tuple[Any, ...]
    birth_known: bool
    memberships: tuple[Membership, ...] | None
    hash: bytes | None
    was: bytes | None
    place: Place


class Stored(NamedTuple):
    version: int
    person: tuple[Any, ...]
    memberships: tuple[Membership, ...]
    consents: states.Standing


class Write(NamedTuple):
    id: UUID
    version: int
    person: tuple[Any, ...]
    memberships: tuple[Membership, ...]
    consents: states.Standing = states.NO_CONSENTS


async def insert(target: Target, new: Sequence[Found]) -> int:
    """Register people; returns how many. Those who were erased are left out."""
    erased = await personal.erased_among(target, [one.outside for one in new])
    new = [one for one in new if one.outside not in erased]
    target.ledger.added(PERSON, [(one.id, one.place) for one in new])
    await target.ledger.flush(target.tx)
    if not new or target.ledger.dry:
        return len(new)
    tx = target.tx
    writes = [Write(one.id, 1, one.person, one.memberships or ()) for one in new]
    raw = await db.driver(tx)
    await raw.copy_records_to_table(
        "participant",
        records=[(w.id, 1, False, *w.person) for w in writes],
        columns=["id", "version", "deleted", *PERSONAL],
    )
    await _copy_memberships(raw, writes)
    await raw.copy_records_to_table(
        "external_id",
        records=[(target.source, PERSON, one.outside, one.id, one.hash) for one in new],
        columns=["source", "kind", "external_id", "entity_id", "content_hash"],
    )
    await personal.traced(target, "registered", [w.id for w in writes], personal.BROUGHT)
    await _emit(target, "registered", writes, {})
    return len(writes)


async def update(target: Target, marked: Sequence[Found]) -> int:
    """Bring known people up to date; returns how many differed from what is stored."""
    if not marked:
        return 0
    before = await stored(target.tx, [one.id for one in marked], lock=not target.ledger.dry)
    writes = []
    for one in marked:
        write = _changed(one, before[one.id])
        if write is not None:
            writes.append(write)
            record(target, one.place, one.was, before[one.id], write)
    await target.ledger.flush(target.tx)
    if not target.ledger.dry:
        await write_people(target, writes)
        await mark(target, [(one.outside, one.hash) for one in marked])
    return len(writes)


async def write_people(target: Target, writes: Sequence[Write]) -> None:
    """People who are there, as they are now, with their events."""
    if not writes:
        return
    raw = await db.driver(target.tx)
    await raw.execute(_UPDATE, *db.columns([(w.id, w.version, *w.person) for w in writes], 9))
    ids = [w.id for w in writes]
    await raw.execute("delete from membership where participant_id = any($1)", ids)
    await _copy_memberships(raw, writes)
    await personal.traced(target, "changed", ids, personal.BROUGHT)
    # not in any package: what is stored stays
    await _emit(target, "changed", writes, await people.trainings_of(target.tx, ids))


async def mark(target: Target, hashes: Sequence[tuple[str, bytes | None]]) -> None:
    """Keep the hashes of the content last imported, by outside id."""
    raw = await db.driver(target.tx)
    await raw.execute(_MARK, target.source, *db.columns(hashes, 2))


def record(
    target: Target, place: Place, was: bytes | None, before: Stored, write: Write, action: str = ""
) -> None:
    """Enter a change of a person into the ledger."""
    old, new = differing(fields(before), fields(write))
    action = action or domain.outcome(before.memberships, write.memberships, target.today)
    target.ledger.add(PERSON, action, write.id, write.version, place, old, new, hash=was)


def fields(one: Stored | Write) -> dict[str, Any]:
    """What an import may change of a person."""
    return {**dict(zip(PERSONAL, one.person, strict=True)), "memberships": one.memberships}


def _changed(one: Found, before: Stored) -> Write | None:
    after = list(one.person)
    if not one.birth_known:
        after[BIRTH] = before.person[BIRTH]
    if privacy.CONTACTS in before.consents[1]:
        after[_EMAIL] = after[_PHONE] = None  # no consent to keep them
    kept = before.memberships if one.memberships is None else one.memberships
    if tuple(after) == before.person and kept == before.memberships:
        return None
    return Write(one.id, before.version + 1, tuple(after), kept, before.consents)


async def stored(tx: AsyncSession, ids: list[UUID], *, lock: bool = True) -> dict[UUID, Stored]:
    """Live people as they are, locked against other changes until the transaction ends."""
    raw = await db.driver(tx)
    rows = await raw.fetch(
        f"select id, version, consents, withdrawn, {', '.join(PERSONAL)} from participant"  # noqa: S608
        " where id = any($1) and not deleted order by id" + " for no key update" * lock,
        ids,
    )
    found: dict[UUID, list[Membership]] = {}
    for ident, organization, kind, primary, since, until in await raw.fetch(_MEMBERSHIPS, ids):
        membership = Membership(
            organization_id=organization, kind=kind, primary=primary, since=since, until=until
        )
        found.setdefault(ident, []).append(membership)
    return {
        row[0]: Stored(
            row[1],
            tuple(row[4:]),
            domain.ordered_memberships(found.get(row[0], ())),
            (tuple(row[2]), tuple(row[3])),
        )
        for row in map(tuple, rows)
    }


async def _copy_memberships(raw: Any, writes: Sequence[Write]) -> None:
    await raw.copy_records_to_table(
        "membership",
        records=[
            (w.id, m.organization_id, m.kind, m.primary, m.since, m.until)
            for w in writes
            for m in w.memberships
        ],
        columns=["participant_id", "organization_id", "kind", "primary", "since", "until"],
    )


async def _emit(
    target: Target,
    verb: str,
    writes: Sequence[Write],
    trainings: Mapping[UUID, tuple[Training, ...]],
) -> None:
    def state(write: Write) -> Any:
        birth: date | None = write.person[BIRTH]
        teaching: date | None = write.person[_TEACHING]
        done = trainings.get(write.id, ())
        return states.participant_state(
            write.id, write.version, birth, teaching, write.memberships, done, write.consents
        )

    outbox = target.outbox
    events = [outbox.event(PARTICIPANT, verb, state(write)) for write in writes]
    await outbox.copy(target.tx, events)


_MEMBERSHIPS = (
    'select participant_id, organization_id, kind, "primary", since, until'
    " from membership where participant_id = any($1)"
)
_UPDATE = """
    update participant p set version = n.version, family_name = n.family_name,
        given_name = n.given_name, middle_name = n.middle_name, birth_date = n.birth_date,
        email = n.email, phone = n.phone, teaching_since = n.teaching_since, changed_at = now()
    from unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::text[], $6::date[], $7::text[],
        $8::text[], $9::date[]) n(id, version, family_name, given_name, middle_name, birth_date,
        email, phone, teaching_since)
    where p.id = n.id
"""
_MARK = """
    update external_id e set content_hash = n.hash
    from unnest($2::text[], $3::bytea[]) n(outside, hash)
    where e.source = $1 and e.kind = 'participant' and e.external_id = n.outside
"""
