"""Personal data destroyed: on erasure, deletion and withdrawal, each time with an act."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_common import clock
from nastavnik_common.events import PARTICIPANT
from nastavnik_common.outbox import Outbox
from nastavnik_common.writing import Reply
from nastavnik_registry import aggregates, bodies
from nastavnik_registry.aggregates import chain, erasure, people, refs, states, trace
from nastavnik_registry.aggregates.acts import act_body
from nastavnik_registry.commands import imports
from nastavnik_registry.domain import privacy
from nastavnik_registry.tables import ConsentRow, DestructionAct, Person

KIND = "participant"
PERSONAL = (
    "family_name",
    "given_name",
    "middle_name",
    "birth_date",
    "email",
    "phone",
    "teaching_since",
)


def empty(row: Person) -> None:
    """Leave nothing personal in the row but the years that figures need."""
    if row.erased_at is None:
        row.birth_year = row.birth_date.year if row.birth_date else None
        row.teaching_since_year = row.teaching_since.year if row.teaching_since else None
    for name in PERSONAL:
        setattr(row, name, None)


async def erase(
    tx: AsyncSession, outbox: Outbox, ident: UUID, basis: privacy.Basis, expected: int | None
) -> Reply:
    """Destroy names, dates, contacts, documents and outside ids; what figures are made of stays.

    Again: the act that was drawn then.
    """
    row = await aggregates.live(tx, Person, KIND, ident, "delete")
    if row.erased_at is not None:
        return Reply(act_body(await _drawn(tx, ident)), version=row.version)
    aggregates.check_version(row.version, expected)
    before = await people.individual(tx, row)
    empty(row)
    row.erased_at = clock.now()
    row.withdrawn = sorted({*row.consents, *row.withdrawn, privacy.MENTORING})
    row.consents = []
    aggregates.step(row)
    await tx.flush()
    await _destroy_beside(tx, ident)
    await refs.save_refs(tx, KIND, ident, before.external_ids, ())
    await erasure.mark(tx, before.external_ids)
    act = await draw(tx, "erased", basis, [ident], privacy.ERASED)
    after = before._replace(row=row, external_ids=())
    await outbox.add(tx, outbox.event(PARTICIPANT, "changed", states.person_state(after)))
    return Reply(act_body(act), version=row.version)


async def contacts(tx: AsyncSession, row: Person) -> None:
    """Destroy them: the consent that they were kept under is withdrawn."""
    row.email = row.phone = None
    await imports.forget_fields(tx, row.id, ("email", "phone"))
    await forget_answers(tx, [row.id])
    await draw(tx, "contacts_destroyed", "consent_withdrawn", [row.id], [privacy.CONTACTS])


async def _drawn(tx: AsyncSession, ident: UUID) -> DestructionAct:
    query = select(DestructionAct).where(
        col(DestructionAct.subjects).contains([ident]), col(DestructionAct.kind) == "erased"
    )
    return (await tx.execute(query)).scalars().one()


async def _destroy_beside(tx: AsyncSession, ident: UUID) -> None:
    """What imports, stored answers and consents say of the person."""
    await imports.forget(tx, KIND, [ident])
    await forget_answers(tx, [ident])
    await tx.execute(
        update(ConsentRow)
        .where(col(ConsentRow.participant_id) == ident, col(ConsentRow.deleted).is_(False))
        .values(
            representative_name=None,
            withdrawn_on=func.coalesce(ConsentRow.withdrawn_on, clock.now().date()),
            version=ConsentRow.version + 1,
            changed_at=clock.now(),
        )
    )


async def draw(
    tx: AsyncSession,
    kind: str,
    basis: str,
    subjects: Sequence[UUID],
    categories: Sequence[str],
    cause: str | None = None,
) -> DestructionAct:
    """The act of what this transaction destroys. Numbers have no gaps: acts wait for each other."""
    await tx.execute(_LOCK)
    now, head = clock.now(), await chain.head(tx)
    note = trace.Note(kind, tuple(subjects), tuple(categories), cause)
    (entry,) = await trace.write(tx, [note])
    last = select(func.coalesce(func.max(col(DestructionAct.number)), 0)).where(
        col(DestructionAct.year) == now.year
    )
    who = trace.actor()
    act = DestructionAct(
        id=uuid4(),
        year=now.year,
        number=(await tx.execute(last)).scalar_one() + 1,
        drawn_at=now,
        kind=kind,
        basis=basis,
        actor=who,
        subjects=list(subjects),
        categories=list(categories),
        entry_id=entry,
        head_seq=head.seq,
        head_hash=head.hash,
    )
    tx.add(act)
    await tx.flush()
    return act


async def forget_answers(tx: AsyncSession, subjects: Sequence[UUID]) -> None:
    """Answers kept for repeated requests that name one of them. A repeat is told that they are
    gone; it must not be done again, for it could bring the person back."""
    gone = bodies.Gone().model_dump_json().encode()
    wanted = [str(ident).encode() for ident in subjects]
    await tx.execute(_ANSWERS, {"gone": gone, "idents": wanted})


_LOCK = text("select pg_advisory_xact_lock(hashtextextended('destruction_act', 13))")
_ANSWERS = text(
    "update idempotency set status = 410, headers = '{}', body = :gone"
    " where exists (select from unnest(cast(:idents as bytea[])) ident"
    " where position(ident in body) > 0)"
)
